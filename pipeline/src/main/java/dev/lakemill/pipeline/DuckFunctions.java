package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prints calls of scalar functions: the whole whitelist, each in the DuckDB form that equals
 * Spark's ANSI mode. The switch has no default, so a function that a plan can say is printed or
 * refused here on purpose.
 *
 * <p>Where a form repeats an argument, DuckDB computes it once (common subexpressions).
 */
final class DuckFunctions {
    private final DuckExpressions values;

    DuckFunctions(DuckExpressions values) {
        this.values = values;
    }

    /** DuckDB compares fields by their names, Spark by their places. */
    private static void refuseOtherNames(Call call) {
        var isComparison =
                switch (call.function()) {
                    case EQUAL,
                            NULL_SAFE_EQUAL,
                            LESS,
                            LESS_OR_EQUAL,
                            GREATER,
                            GREATER_OR_EQUAL,
                            IN,
                            ARRAY_CONTAINS,
                            ARRAY_POSITION,
                            ARRAY_REMOVE,
                            ARRAYS_OVERLAP ->
                            true;
                    default -> false;
                };
        if (isComparison
                && call.arguments().stream()
                                .filter(a -> DuckTypes.holdsStruct(a.type()))
                                .map(a -> DuckTypes.name(a.type()).replaceAll("\\[\\]$", ""))
                                .distinct()
                                .count()
                        > 1) {
            throw DuckRefusal.of(
                    call.position(),
                    "comparing structs whose fields have different names",
                    "name the fields alike, or compare them one by one");
        }
    }

    String print(Call call) {
        var isLazy = call.function() == Function.AND || call.function() == Function.OR;
        List<String> a = isLazy ? List.of() : values.print(call.arguments());
        refuseOtherNames(call);
        return switch (call.function()) {
            case AND -> lazy(call, "WHEN NOT %s THEN false");
            case OR -> lazy(call, "WHEN %s THEN true");
            case NOT -> "(NOT " + a.getFirst() + ")";
            case EQUAL -> infix(a, "=");
            case NULL_SAFE_EQUAL -> infix(a, "IS NOT DISTINCT FROM");
            case LESS -> infix(a, "<");
            case LESS_OR_EQUAL -> infix(a, "<=");
            case GREATER -> infix(a, ">");
            case GREATER_OR_EQUAL -> infix(a, ">=");
            case IN -> in(a);
            case IS_NULL -> "(" + a.getFirst() + " IS NULL)";
            case IS_NOT_NULL -> "(" + a.getFirst() + " IS NOT NULL)";
            case IS_NAN -> "coalesce(isnan(%s), false)".formatted(a.getFirst());
            case COALESCE -> function("coalesce", a);
            case GREATEST -> function("greatest", a);
            case LEAST -> function("least", a);
            case NANVL -> "(CASE WHEN isnan(%1$s) THEN %2$s ELSE %1$s END)".formatted(two(a));
            case PREDICT -> predict(call, a);
            case AI_QUERY -> asked(call, a);
            case JAVA -> java(call, a);
            case RAISE_ERROR -> "CAST(error(%s) AS %s)".formatted(a.getFirst(), type(call));
            case CURRENT_USER -> values.caller(call).user();
            case IS_MEMBER ->
                    "coalesce(list_contains(%s, %s), false)"
                            .formatted(values.caller(call).groups(), a.getFirst());
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, INTEGRAL_DIVIDE, REMAINDER, PMOD, NEGATE, ABS ->
                    new DuckNumbers(call, a).print();
            case TRY_ADD, TRY_SUBTRACT, TRY_MULTIPLY, TRY_DIVIDE ->
                    new DuckNumbers(call, a).printTried();
            case BIT_AND -> infix(a, "&");
            case BIT_OR -> infix(a, "|");
            case BIT_XOR -> function("xor", a);
            case BIT_NOT -> "(~" + a.getFirst() + ")";
            case SHIFT_LEFT -> shift("shiftleft", call, a);
            case SHIFT_RIGHT -> shift("shiftright", call, a);
            case BIT_COUNT ->
                    DuckTypes.cast(
                            "bit_count(%s)".formatted(DuckTypes.cast(a.getFirst(), Primitive.LONG)),
                            Primitive.INTEGER);
            case CEIL, FLOOR, ROUND -> new DuckRounding(call, a).print();
            case SQRT, CBRT, EXP, SIN, COS, TAN, ASIN, ACOS, ATAN, DEGREES, RADIANS ->
                    function(call.function().name().toLowerCase(Locale.ROOT), a);
            case SINH, COSH, TANH, HYPOT, RINT -> function(JavaFunctions.name(call.function()), a);
            case FACTORIAL ->
                    "(CASE WHEN %1$s BETWEEN 0 AND 20 THEN CAST(factorial(%1$s) AS BIGINT) END)"
                            .formatted(a.getFirst());
            case ATAN2 -> function("atan2", a);
            case POWER -> function("pow", a);
            case LN -> positive("ln", a);
            case LOG10 -> positive("log10", a);
            case LOG2 -> positive("log2", a);
            case SIGN -> sign(a.getFirst());
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
                    SPLIT_PART,
                    ASCII,
                    CHR,
                    BIT_LENGTH,
                    SOUNDEX,
                    LEVENSHTEIN,
                    SUBSTRING_INDEX,
                    FIND_IN_SET,
                    SPLIT,
                    BASE64,
                    UNHEX,
                    BIN,
                    SHA1,
                    GET_JSON_OBJECT,
                    MD5,
                    SHA2,
                    HEX,
                    FORMAT_NUMBER ->
                    new DuckTexts(call, a).print();
            case LIKE, ILIKE, RLIKE, REGEXP_REPLACE, REGEXP_EXTRACT ->
                    new DuckPatterns(call, a).print();
            case NOW -> values.now();
            case CURRENT_DATE -> DuckTypes.cast(values.now(), Primitive.DATE);
            case YEAR,
                    QUARTER,
                    MONTH,
                    DAY,
                    DAY_OF_WEEK,
                    WEEKDAY,
                    DAY_OF_YEAR,
                    WEEK_OF_YEAR,
                    HOUR,
                    MINUTE,
                    SECOND,
                    SECOND_WITH_FRACTION,
                    DATE_TRUNC,
                    TRUNC,
                    DATE_ADD,
                    DATE_SUB,
                    DATE_DIFF,
                    ADD_MONTHS,
                    LAST_DAY,
                    MAKE_DATE,
                    UNIX_DATE,
                    DATE_FROM_UNIX_DATE,
                    UNIX_SECONDS,
                    UNIX_MILLIS,
                    UNIX_MICROS,
                    TIMESTAMP_SECONDS,
                    TIMESTAMP_MILLIS,
                    TIMESTAMP_MICROS,
                    TIMESTAMP_ADD_MICROS,
                    TIMESTAMP_ADD_MONTHS,
                    TIMESTAMP_SUBTRACT,
                    TIMESTAMP_DIFF,
                    DATE_FORMAT,
                    NEXT_DAY,
                    MONTHS_BETWEEN ->
                    new DuckTimes(call, a).print();
            case ARRAY -> DuckTypes.cast(function("list_value", a), call.type());
            case SIZE -> DuckTypes.cast(function("len", a), Primitive.INTEGER);
            case ARRAY_CONTAINS -> arrayContains(a);
            case STRUCT,
                    MAP,
                    MAP_FROM_ARRAYS,
                    MAP_KEYS,
                    MAP_VALUES,
                    MAP_ENTRIES,
                    MAP_VALUE,
                    ELEMENT,
                    TRY_ELEMENT,
                    ELEMENT_AT,
                    TRY_ELEMENT_AT,
                    ARRAY_POSITION,
                    ARRAY_MIN,
                    ARRAY_MAX,
                    SORT_ARRAY,
                    SLICE,
                    ARRAY_JOIN,
                    FLATTEN,
                    SEQUENCE,
                    ARRAY_REPEAT,
                    ARRAY_REMOVE,
                    ARRAY_DISTINCT,
                    ARRAYS_OVERLAP,
                    TRANSFORM,
                    FILTER,
                    EXISTS,
                    FORALL ->
                    new DuckNested(call, a).print();
        };
    }

    private static String java(Call call, List<String> arguments) {
        var given = Stream.of(DuckExpressions.text(call.position().toString()));
        return function(
                JarFunctions.function(constant(call.arguments().getFirst()).orElseThrow()),
                Stream.concat(given, arguments.stream().skip(1)).toList());
    }

    private static String asked(Call call, List<String> arguments) {
        var given = Stream.of(DuckExpressions.text(call.position().toString()));
        return function("ai_query", Stream.concat(given, arguments.stream()).toList());
    }

    private static String predict(Call call, List<String> arguments) {
        var given = Stream.of(DuckExpressions.text(call.position().toString()));
        return function(
                Predictor.function(ModelUse.of(call)),
                Stream.concat(given, arguments.stream().skip(2)).toList());
    }

    /**
     * Spark computes an operand only where those before it leave the answer open; DuckDB computes
     * all, but of a CASE only the branch it takes.
     */
    private String lazy(Call call, String form) {
        var operands = operands(call, call.function()).toList();
        var printed = values.print(operands);
        var plain = infix(printed, call.function().name());
        if (operands.stream().skip(1).noneMatch(DuckFailures::possible)) {
            return plain;
        }
        var known =
                printed.subList(0, printed.size() - 1).stream()
                        .map(form::formatted)
                        .collect(Collectors.joining(" "));
        return "(CASE %s ELSE %s END)".formatted(known, plain);
    }

    /** The operands of a chain of one operator. */
    private static Stream<Expression> operands(Expression expression, Function operator) {
        return expression instanceof Call call && call.function() == operator
                ? call.arguments().stream().flatMap(e -> operands(e, operator))
                : Stream.of(expression);
    }

    /** As Java shifts: by the lowest bits of the number of places. */
    private static String shift(String name, Call call, List<String> arguments) {
        return call.type() == Primitive.LONG
                ? function("lakemill_%s_bigint".formatted(name), longs(arguments))
                : function("lakemill_" + name, arguments);
    }

    private static List<String> longs(List<String> values) {
        return values.stream().map(v -> DuckTypes.cast(v, Primitive.LONG)).toList();
    }

    private static String type(Call call) {
        return DuckTypes.name(call.type());
    }

    static String infix(List<String> arguments, String operator) {
        return "(" + String.join(" " + operator + " ", arguments) + ")";
    }

    static String function(String name, List<String> arguments) {
        return name + "(" + String.join(", ", arguments) + ")";
    }

    private static Object[] two(List<String> arguments) {
        return new Object[] {arguments.get(0), arguments.get(1)};
    }

    private static String in(List<String> arguments) {
        return arguments.size() == 1
                ? "false"
                : "(%s IN (%s))"
                        .formatted(
                                arguments.getFirst(),
                                String.join(", ", arguments.subList(1, arguments.size())));
    }

    /** Spark's logarithm of zero and below is NULL. */
    private static String positive(String function, List<String> arguments) {
        return "(CASE WHEN %1$s <= 0 THEN NULL ELSE %2$s(%1$s) END)"
                .formatted(arguments.getFirst(), function);
    }

    private static String sign(String value) {
        return "(CASE WHEN isnan(%1$s) THEN %1$s WHEN %1$s > 0 THEN %2$s WHEN %1$s < 0 THEN %3$s ELSE %1$s END)"
                .formatted(
                        value,
                        DuckExpressions.literal(Primitive.DOUBLE, "1"),
                        DuckExpressions.literal(Primitive.DOUBLE, "-1"));
    }

    /** NULL when the element is not found but might be one of the NULLs. */
    private static String arrayContains(List<String> arguments) {
        return "(CASE WHEN list_contains(%1$s, %2$s) THEN true WHEN %2$s IS NULL OR len(%1$s) > list_count(%1$s) THEN NULL ELSE list_contains(%1$s, %2$s) END)"
                .formatted(two(arguments));
    }

    /** The text of an argument that must be a constant. */
    static String constant(Call call, int index, String what) {
        return constant(call.arguments().get(index))
                .orElseThrow(
                        () ->
                                DuckRefusal.of(
                                        call.position(),
                                        what + " that is not a constant",
                                        "write a constant"));
    }

    static Optional<String> constant(Expression expression) {
        return expression instanceof Expression.Literal literal
                ? Optional.ofNullable(literal.text())
                : Optional.empty();
    }

    static DataType argumentType(Call call, int index) {
        return call.arguments().get(index).type();
    }
}
