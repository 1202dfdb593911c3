package dev.lakemill.postgres;

import static dev.lakemill.postgres.Relation.quoted;

import dev.lakemill.catalog.PolicyFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A catalog function as an expression over columns, for policies and views.
 *
 * <p>The expression stands in the policy itself, not behind a call: Postgres then can use an index
 * for it, binds its names when the policy is made, so that no search_path of a reader matters, and
 * needs no right of the reader's on a function. What it asks of the session stands as {@code
 * (SELECT …)}, which Postgres evaluates once a query and not once a row.
 */
public final class PolicySql {
    /** Texts, which are left alone, or what is to be replaced. */
    private static final Pattern TOKEN =
            Pattern.compile(
                    """
                    (?<text>[eE]?'(?:[^'\\\\]|''|\\\\.)*'|"(?:[^"]|"")*")\
                    |\\$(?<parameter>\\d+)\
                    |(?<session>lakemill\\.session_name\\(\\s*\\)\
                    |lakemill\\.is_member\\(\\s*(?:CAST\\()?[eE]?'(?:[^'\\\\]|''|\\\\.)*'\
                    (?: AS text\\))?(?:::text)?\\s*\\))\
                    """);

    private PolicySql() {}

    /**
     * A query of one row and column: the function of parameters, which are given as texts in the
     * order of the function's.
     */
    public static String call(PolicyFunction function) {
        var given = new ArrayList<String>();
        var names = new ArrayList<String>();
        for (var parameter : function.parameters()) {
            var name = "p" + names.size();
            names.add(name);
            given.add(
                    "CAST(CAST(? AS text) AS %s) AS %s"
                            .formatted(PolicyPrinter.type(parameter.type()), quoted(name)));
        }
        var from = given.isEmpty() ? "" : " FROM (SELECT %s) a".formatted(String.join(", ", given));
        return "SELECT " + expression(function, names) + from;
    }

    /** Over the columns in the order of the function's parameters, in parentheses. */
    static String expression(PolicyFunction function, List<String> columns) {
        var matcher = TOKEN.matcher(function.postgresSql());
        var sql = new StringBuilder("(");
        while (matcher.find()) {
            matcher.appendReplacement(sql, Matcher.quoteReplacement(replacement(matcher, columns)));
        }
        return matcher.appendTail(sql).append(")").toString();
    }

    private static String replacement(Matcher matcher, List<String> columns) {
        if (matcher.group("parameter") != null) {
            return quoted(columns.get(Integer.parseInt(matcher.group("parameter")) - 1));
        }
        return matcher.group("session") != null
                ? "(SELECT " + matcher.group("session") + ")"
                : matcher.group();
    }

    static String expression(Governed.FilterUse use) {
        return expression(use.function(), use.filter().columns());
    }

    static String expression(Governed.MaskUse use) {
        var columns = new ArrayList<>(List.of(use.mask().column()));
        columns.addAll(use.mask().usingColumns());
        return expression(use.function(), columns);
    }
}
