package dev.lakemill.catalog;

import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.Token;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.SecurableType;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Reads what stands behind CREATE FUNCTION. */
final class FunctionParser {
    private static final String FORM =
            "write CREATE FUNCTION c.s.name (parameter TYPE, …) RETURNS TYPE RETURN expression";
    private static final Set<String> AFTER_TYPE =
            Set.of(
                    "COMMENT",
                    "RETURN",
                    "RETURNS",
                    "LANGUAGE",
                    "NOT",
                    "DETERMINISTIC",
                    "CONTAINS",
                    "READS",
                    "DEFAULT");

    private final TokenReader in;
    private final SecurableReader names;

    FunctionParser(TokenReader in, SecurableReader names) {
        this.in = in;
        this.names = names;
    }

    GovernanceStatement create(boolean replaced) {
        var existing = replaced ? Existing.REPLACED : Existing.FAILS;
        if (!replaced && in.accept("IF", "NOT", "EXISTS")) {
            existing = Existing.STAYS;
        }
        var name = names.named(SecurableType.FUNCTION).name();
        var parameters = parameters();
        in.expect(FORM, "RETURNS");
        if (in.peek().isWord("TABLE")) {
            throw in.unexpected("a type", "a function of the catalog gives one value");
        }
        var returns = type("the function's type");
        var comment = characteristics();
        in.expect(FORM, "RETURN");
        var body = in.restOfStatement();
        if (body.start() == body.end()) {
            throw in.unexpected("an expression", FORM);
        }
        return new GovernanceStatement.CreateFunction(
                name, parameters, returns, comment, body, existing);
    }

    private List<Column> parameters() {
        if (in.accept('(', ')')) {
            return List.of();
        }
        var seen = new HashSet<String>();
        return in.list(FORM, () -> parameter(seen));
    }

    private Column parameter(Set<String> seen) {
        var position = in.position();
        var name = in.name("a parameter's name");
        if (!seen.add(name.toLowerCase(Locale.ROOT))) {
            throw new TextRefused(
                    position, "parameter '%s' stands twice".formatted(name), "rename one of them");
        }
        var type = type("the type of parameter " + name);
        var comment = in.accept("COMMENT") ? in.string("the comment") : "";
        return new Column(name, type, true, comment);
    }

    /** What says nothing new of a SQL function is read over; gives the comment. */
    private String characteristics() {
        var comment = "";
        while (true) {
            if (in.accept("COMMENT")) {
                comment = in.string("the comment");
            } else if (!in.accept("LANGUAGE", "SQL")
                    && !in.accept("DETERMINISTIC")
                    && !in.accept("CONTAINS", "SQL")) {
                return comment;
            }
        }
    }

    private DataType type(String what) {
        var first = in.peek();
        if (first.kind() != Token.Kind.WORD) {
            throw in.unexpected(what, "for example STRING or BIGINT");
        }
        var depth = 0;
        while (!in.atEnd() && (depth > 0 || !isAfterType(in.peek()))) {
            var token = in.next();
            depth += token.isSign('(') || token.isSign('<') ? 1 : 0;
            depth -= token.isSign(')') || token.isSign('>') ? 1 : 0;
        }
        try {
            return DataType.parse(in.since(first).text());
        } catch (LakemillException e) {
            throw new TextRefused(in.position(first), e.problem(), e.hint());
        }
    }

    private static boolean isAfterType(Token token) {
        return token.isSign(',')
                || token.isSign(')')
                || token.isSign(';')
                || (token.kind() == Token.Kind.WORD
                        && AFTER_TYPE.contains(token.text().toUpperCase(Locale.ROOT)));
    }
}
