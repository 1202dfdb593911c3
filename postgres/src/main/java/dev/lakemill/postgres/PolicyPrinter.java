package dev.lakemill.postgres;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.LocalDate;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Prints the bodies of the catalog's functions as Postgres SQL that gives what Spark gives, or
 * refuses.
 *
 * <p>Nothing is printed that is not on its list. What is printed has exactly the Postgres type of
 * the expression's type, and stands in parentheses or is a call. The letters of UPPER and LOWER
 * follow Unicode by the collation {@code pg_unicode_fast}, which Postgres has from version 18 on.
 */
public final class PolicyPrinter {
    private static final String LIST =
            "docs/using/grants.md lists what a function of the catalog may hold";

    private final java.util.function.Function<Attribute, String> columns;

    /**
     * @param columns SQL of a column, of the type that {@link #type} says
     */
    public PolicyPrinter(java.util.function.Function<Attribute, String> columns) {
        this.columns = columns;
    }

    /**
     * A function's body over its parameters as {@code $1}, {@code $2}, …
     *
     * @throws LakemillException UNIMPLEMENTED, with the position, for what has no Postgres form
     *     that is sure to equal Spark's
     */
    public static String function(List<String> parameters, Expression body) {
        return new PolicyPrinter(a -> "$" + (1 + parameters.indexOf(a.name()))).print(body);
    }

    /** Postgres's type of a parameter or result; UNIMPLEMENTED for a type with parts. */
    public static String type(DataType type) {
        return switch (type) {
            case Primitive primitive -> type(primitive);
            case Decimal d -> "numeric(%d,%d)".formatted(d.precision(), d.scale());
            case DataType.Array _, DataType.Map _, DataType.Struct _ ->
                    throw new LakemillException(
                            ErrorCode.UNIMPLEMENTED,
                            "a function of the catalog cannot take or give " + type.sql(),
                            "use types without parts");
        };
    }

    private static String type(Primitive type) {
        return switch (type) {
            case BOOLEAN -> "boolean";
            case BYTE, SHORT -> "smallint";
            case INTEGER -> "integer";
            case LONG -> "bigint";
            case FLOAT -> "real";
            case DOUBLE -> "double precision";
            case STRING -> "text";
            case BINARY -> "bytea";
            case DATE -> "date";
            case TIMESTAMP -> "timestamp with time zone";
            case TIMESTAMP_NTZ -> "timestamp without time zone";
        };
    }

    /** A scalar expression; refused as {@link #function} says. */
    public String print(Expression expression) {
        type(expression.type());
        return switch (expression) {
            case Expression.Reference reference -> columns.apply(reference.attribute());
            case Expression.Literal literal -> literal(literal.type(), literal.text());
            case Call call -> call(call);
            case Expression.Cast cast -> new PolicyCasts(cast).print(print(cast.value()));
            case Expression.Case cases -> cases(cases);
            case Expression.Field field -> throw refused(field.struct(), "a field of a struct");
            case Expression.ScalarSubquery s -> throw refused(s.position(), "a subquery", LIST);
            case Expression.Exists e -> throw refused(e.position(), "a subquery", LIST);
            case Expression.InSubquery in -> throw refused(in.position(), "a subquery", LIST);
        };
    }

    private String call(Call call) {
        if (call.function() == Function.AND || call.function() == Function.OR) {
            return lazy(call);
        }
        var a = call.arguments().stream().map(this::print).toList();
        return switch (call.function()) {
            case NOT -> "(NOT " + a.getFirst() + ")";
            case EQUAL -> compare(call, a, "=");
            case NULL_SAFE_EQUAL -> compare(call, a, "IS NOT DISTINCT FROM");
            case LESS -> compare(call, a, "<");
            case LESS_OR_EQUAL -> compare(call, a, "<=");
            case GREATER -> compare(call, a, ">");
            case GREATER_OR_EQUAL -> compare(call, a, ">=");
            case IN -> in(a);
            case IS_NULL -> "(" + a.getFirst() + " IS NULL)";
            case IS_NOT_NULL -> "(" + a.getFirst() + " IS NOT NULL)";
            case COALESCE -> function("coalesce", a);
            case GREATEST -> function("greatest", collated(call, a));
            case LEAST -> function("least", collated(call, a));
            case CURRENT_USER -> "lakemill.session_name()";
            case IS_MEMBER -> "coalesce(lakemill.is_member(%s), false)".formatted(a.getFirst());
            case ADD, SUBTRACT, MULTIPLY, INTEGRAL_DIVIDE, REMAINDER, NEGATE, ABS, DIVIDE ->
                    arithmetic(call, a);
            case CONCAT,
                    CONCAT_WS,
                    UPPER,
                    LOWER,
                    LENGTH,
                    OCTET_LENGTH,
                    SUBSTRING,
                    TRIM,
                    TRIM_LEFT,
                    TRIM_RIGHT,
                    REPLACE,
                    TRANSLATE,
                    LPAD,
                    RPAD,
                    REPEAT,
                    REVERSE,
                    STARTS_WITH,
                    ENDS_WITH,
                    CONTAINS,
                    LOCATE,
                    LIKE,
                    RLIKE,
                    REGEXP_REPLACE,
                    MD5,
                    SHA2 ->
                    new PolicyTexts(call, a).print();
            case YEAR, MONTH, DAY, HOUR, MINUTE, DATE_TRUNC, TRUNC, DATE_ADD, DATE_SUB, DATE_DIFF ->
                    new PolicyTimes(call, a).print();
            default -> throw refused(call, name(call) + " in a function of the catalog");
        };
    }

    /**
     * Spark computes an operand only where those before it leave the answer open; Postgres promises
     * that of CASE alone.
     */
    private String lazy(Call call) {
        var operands = operands(call, call.function()).toList();
        var printed = operands.stream().map(this::print).toList();
        var plain = "(" + String.join(" " + call.function() + " ", printed) + ")";
        if (operands.stream().skip(1).noneMatch(PolicyPrinter::mayFail)) {
            return plain;
        }
        var form = call.function() == Function.AND ? "WHEN NOT %s THEN false" : "WHEN %s THEN true";
        var known =
                printed.subList(0, printed.size() - 1).stream()
                        .map(form::formatted)
                        .collect(Collectors.joining(" "));
        return "(CASE %s ELSE %s END)".formatted(known, plain);
    }

    private static Stream<Expression> operands(Expression expression, Function operator) {
        return expression instanceof Call call && call.function() == operator
                ? call.arguments().stream().flatMap(e -> operands(e, operator))
                : Stream.of(expression);
    }

    private static boolean mayFail(Expression expression) {
        return dev.lakemill.plan.Relations.deep(expression)
                .anyMatch(
                        e ->
                                e instanceof Expression.Cast
                                        || (e instanceof Call call
                                                && switch (call.function()) {
                                                    case ADD,
                                                            SUBTRACT,
                                                            MULTIPLY,
                                                            DIVIDE,
                                                            INTEGRAL_DIVIDE,
                                                            REMAINDER,
                                                            NEGATE,
                                                            ABS,
                                                            DATE_ADD,
                                                            DATE_SUB,
                                                            REPEAT,
                                                            LPAD,
                                                            RPAD ->
                                                            true;
                                                    default -> false;
                                                }));
    }

    /** Spark orders texts by their bytes. */
    private static String compare(Call call, List<String> a, String operator) {
        return "(" + String.join(" " + operator + " ", collated(call, a)) + ")";
    }

    private static List<String> collated(Call call, List<String> a) {
        return call.arguments().getFirst().type() == Primitive.STRING
                ? a.stream().map(value -> "(" + value + " COLLATE \"C\")").toList()
                : a;
    }

    private static String in(List<String> a) {
        return a.size() == 1
                ? "false"
                : "(%s IN (%s))".formatted(a.getFirst(), String.join(", ", a.subList(1, a.size())));
    }

    /** Whole numbers and decimals fail on overflow in both; doubles do not in Spark. */
    private static String arithmetic(Call call, List<String> a) {
        var type = call.type();
        if (call.function() == Function.DIVIDE) {
            throw refused(call, "a / b in a function of the catalog");
        }
        if (type == Primitive.BYTE || type == Primitive.FLOAT || type == Primitive.DOUBLE) {
            throw refused(call, "arithmetic of " + type.sql() + " in a function of the catalog");
        }
        var isDecimal =
                type instanceof Decimal
                        || call.arguments().stream().anyMatch(e -> e.type() instanceof Decimal);
        if (isDecimal && call.function() == Function.INTEGRAL_DIVIDE) {
            throw refused(call, "a div b of decimals in a function of the catalog");
        }
        var result =
                switch (call.function()) {
                    case ADD -> "(" + a.get(0) + " + " + a.get(1) + ")";
                    case SUBTRACT -> "(" + a.get(0) + " - " + a.get(1) + ")";
                    case MULTIPLY -> "(" + a.get(0) + " * " + a.get(1) + ")";
                    case INTEGRAL_DIVIDE -> "(" + a.get(0) + " / " + a.get(1) + ")";
                    case REMAINDER -> "(" + a.get(0) + " % " + a.get(1) + ")";
                    case NEGATE -> "(- " + a.get(0) + ")";
                    default -> "abs(" + a.get(0) + ")";
                };
        return isDecimal || call.function() == Function.INTEGRAL_DIVIDE
                ? cast(result, type)
                : result;
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

    static String function(String name, List<String> arguments) {
        return name + "(" + String.join(", ", arguments) + ")";
    }

    static String cast(String value, DataType type) {
        return "CAST(" + value + " AS " + type(type) + ")";
    }

    private static String literal(DataType type, @Nullable String text) {
        if (text == null) {
            return cast("NULL", type);
        }
        return switch (type) {
            case Primitive.STRING -> text(text) + "::text";
            case Primitive.BINARY -> cast(text("\\x" + text), type);
            case Primitive.DATE -> date(Long.parseLong(text));
            case Primitive.TIMESTAMP ->
                    "(timestamptz '1970-01-01 00:00:00+00' + " + interval(text) + ")";
            case Primitive.TIMESTAMP_NTZ ->
                    "(timestamp '1970-01-01 00:00:00' + " + interval(text) + ")";
            default -> cast(text(text), type);
        };
    }

    /** In two parts, since Postgres multiplies intervals in floating point. */
    private static String interval(String micros) {
        var all = Long.parseLong(micros);
        return "interval '%d seconds' + interval '%d microseconds'"
                .formatted(Math.floorDiv(all, 1_000_000L), Math.floorMod(all, 1_000_000L));
    }

    private static String date(long day) {
        return "(date '1970-01-01' + %d)".formatted(LocalDate.ofEpochDay(day).toEpochDay());
    }

    /** A string constant, whatever the session's settings for back-slashes are. */
    static String text(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new LakemillException(
                    ErrorCode.UNIMPLEMENTED,
                    "Postgres has no texts with the character of code 0",
                    "leave it out of the function");
        }
        var quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'";
        return text.indexOf('\\') >= 0 ? "E" + quoted : quoted;
    }

    static String name(Call call) {
        var form = call.function().forms().getFirst();
        return form.matches("[a-z0-9_]+") ? form + "()" : form;
    }

    static LakemillException refused(Call call, String what) {
        return refused(call.position(), what, LIST);
    }

    private static LakemillException refused(Expression at, String what) {
        return at instanceof Call call
                ? refused(call, what)
                : new LakemillException(ErrorCode.UNIMPLEMENTED, what + " is not supported", LIST);
    }

    /**
     * @param what as a noun phrase
     */
    static LakemillException refused(SourcePosition position, String what, String hint) {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED, position + ": " + what + " is not supported", hint);
    }
}
