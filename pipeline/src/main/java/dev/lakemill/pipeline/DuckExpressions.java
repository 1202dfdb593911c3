package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.time.LocalDate;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Prints scalar expressions. What is printed has exactly the DuckDB type of the expression's type,
 * and stands in parentheses or is a call, so that it can be put anywhere.
 */
final class DuckExpressions {
    private static final Pattern PLAIN_DOUBLE = Pattern.compile("[0-9]+\\.[0-9]+");

    private final Function<Attribute, String> columns;
    private final String now;
    private final @Nullable DuckCaller caller;
    private final Function<Relation, String> queries;
    private final DuckFunctions functions = new DuckFunctions(this);

    /**
     * @param columns names a column
     * @param now SQL of now()
     * @param caller null where nobody asks
     * @param queries prints the SELECT of a subquery
     */
    DuckExpressions(
            Function<Attribute, String> columns,
            String now,
            @Nullable DuckCaller caller,
            Function<Relation, String> queries) {
        this.columns = columns;
        this.now = now;
        this.caller = caller;
        this.queries = queries;
    }

    String print(Expression expression) {
        return switch (expression) {
            case Expression.Reference reference -> columns.apply(reference.attribute());
            case Expression.Literal literal -> literal(literal.type(), literal.text());
            case Expression.Call call -> functions.print(call);
            case Expression.Cast cast ->
                    new DuckCasts(cast).print(print(cast.value()), cast.value().type());
            case Expression.Case cases -> cases(cases);
            case Expression.Field field ->
                    "struct_extract(%s, %s)".formatted(print(field.struct()), text(field.name()));
            case Expression.ScalarSubquery s -> "(" + queries.apply(s.query()) + ")";
            case Expression.Exists e -> "EXISTS (" + queries.apply(e.query()) + ")";
            case Expression.InSubquery in ->
                    "(%s IN (%s))".formatted(print(in.value()), queries.apply(in.query()));
        };
    }

    /** A condition to stand behind ON, whose parts DuckDB computes where and when it likes. */
    String filter(Expression condition) {
        return DuckFailures.parts(condition).stream()
                .map(this::print)
                .collect(Collectors.joining(" AND "));
    }

    List<String> print(List<Expression> expressions) {
        return expressions.stream().map(this::print).toList();
    }

    String now() {
        return DuckTypes.cast(now, Primitive.TIMESTAMP);
    }

    /** Who asks; refused where nobody does. */
    DuckCaller caller(Expression.Call call) {
        if (caller == null) {
            throw DuckRefusal.of(
                    call.position(),
                    "%s() in a pipeline".formatted(call.function().forms().getFirst()),
                    "a pipeline runs by itself: use it in a row filter or a mask");
        }
        return caller;
    }

    private String cases(Expression.Case cases) {
        return cases.branches().stream()
                .map(b -> "WHEN %s THEN %s".formatted(print(b.condition()), print(b.value())))
                .collect(
                        Collectors.joining(
                                " ",
                                "(CASE ",
                                " ELSE %s END)".formatted(print(cases.otherwise()))));
    }

    /** A constant of exactly its type. */
    static String literal(DataType type, @Nullable String text) {
        if (text == null) {
            return DuckTypes.cast("NULL", type);
        }
        return switch (type) {
            case Primitive primitive -> literal(primitive, text);
            case DataType.Decimal decimal -> DuckTypes.cast(text(text), decimal);
            case DataType.Array _, DataType.Map _, DataType.Struct _ ->
                    throw new IllegalArgumentException("a constant of a type with parts");
        };
    }

    private static String literal(Primitive type, String text) {
        return switch (type) {
            case BOOLEAN -> text;
            case INTEGER -> text.startsWith("-") ? DuckTypes.cast(text(text), type) : text;
            case DOUBLE ->
                    PLAIN_DOUBLE.matcher(text).matches()
                            ? text + "e0"
                            : DuckTypes.cast(text(text), type);
            case BYTE, SHORT, LONG, FLOAT -> DuckTypes.cast(text(text), type);
            case STRING -> text(text);
            case BINARY -> "from_hex(" + text(text) + ")";
            case DATE -> date(Long.parseLong(text));
            case TIMESTAMP, TIMESTAMP_NTZ ->
                    "make_timestamp(%s)".formatted(literal(Primitive.LONG, text));
        };
    }

    private static String date(long day) {
        return day >= LocalDate.of(1, 1, 1).toEpochDay()
                        && day <= LocalDate.of(9999, 12, 31).toEpochDay()
                ? "DATE '" + LocalDate.ofEpochDay(day) + "'"
                : "(DATE '1970-01-01' + CAST(%d AS INTEGER))".formatted(day);
    }

    /** A string constant. */
    static String text(String text) {
        var quoted = "'" + text.replace("'", "''") + "'";
        // DuckDB's parser ends a text at a zero.
        return text.indexOf('\0') < 0
                ? quoted
                : "(" + quoted.replace("\0", "' || chr(0) || '") + ")";
    }
}
