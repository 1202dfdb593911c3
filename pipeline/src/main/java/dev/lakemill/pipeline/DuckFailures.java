package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Says whether computing an expression may fail for some row: then it must not be computed for rows
 * that a condition before it has ruled out. In doubt it may.
 */
final class DuckFailures {
    /** What gives a value, or NULL, for any arguments. */
    private static final Set<Function> SURE =
            EnumSet.of(
                    Function.AND,
                    Function.OR,
                    Function.NOT,
                    Function.EQUAL,
                    Function.NULL_SAFE_EQUAL,
                    Function.LESS,
                    Function.LESS_OR_EQUAL,
                    Function.GREATER,
                    Function.GREATER_OR_EQUAL,
                    Function.IN,
                    Function.IS_NULL,
                    Function.IS_NOT_NULL,
                    Function.IS_NAN,
                    Function.COALESCE,
                    Function.GREATEST,
                    Function.LEAST,
                    Function.NANVL,
                    Function.CURRENT_USER,
                    Function.IS_MEMBER,
                    Function.TRY_ADD,
                    Function.TRY_SUBTRACT,
                    Function.TRY_MULTIPLY,
                    Function.TRY_DIVIDE,
                    Function.BIT_AND,
                    Function.BIT_OR,
                    Function.BIT_XOR,
                    Function.BIT_NOT,
                    Function.SHIFT_LEFT,
                    Function.SHIFT_RIGHT,
                    Function.BIT_COUNT,
                    Function.CEIL,
                    Function.FLOOR,
                    Function.ROUND,
                    Function.SQRT,
                    Function.CBRT,
                    Function.EXP,
                    Function.LN,
                    Function.LOG10,
                    Function.LOG2,
                    Function.POWER,
                    Function.SIGN,
                    Function.SIN,
                    Function.COS,
                    Function.TAN,
                    Function.ASIN,
                    Function.ACOS,
                    Function.ATAN,
                    Function.ATAN2,
                    Function.DEGREES,
                    Function.RADIANS,
                    Function.SINH,
                    Function.COSH,
                    Function.TANH,
                    Function.HYPOT,
                    Function.FACTORIAL,
                    Function.RINT,
                    Function.CONCAT,
                    Function.CONCAT_WS,
                    Function.LENGTH,
                    Function.OCTET_LENGTH,
                    Function.SUBSTRING,
                    Function.TRIM,
                    Function.TRIM_LEFT,
                    Function.TRIM_RIGHT,
                    Function.REPLACE,
                    Function.TRANSLATE,
                    Function.REVERSE,
                    Function.STARTS_WITH,
                    Function.ENDS_WITH,
                    Function.CONTAINS,
                    Function.LOCATE,
                    Function.LIKE,
                    Function.RLIKE,
                    Function.REGEXP_REPLACE,
                    Function.REGEXP_EXTRACT,
                    Function.ASCII,
                    Function.CHR,
                    Function.BIT_LENGTH,
                    Function.SOUNDEX,
                    Function.LEVENSHTEIN,
                    Function.SUBSTRING_INDEX,
                    Function.FIND_IN_SET,
                    Function.BASE64,
                    Function.UNHEX,
                    Function.BIN,
                    Function.SHA1,
                    Function.GET_JSON_OBJECT,
                    Function.MD5,
                    Function.SHA2,
                    Function.HEX,
                    Function.NOW,
                    Function.CURRENT_DATE,
                    Function.YEAR,
                    Function.QUARTER,
                    Function.MONTH,
                    Function.DAY,
                    Function.DAY_OF_WEEK,
                    Function.WEEKDAY,
                    Function.DAY_OF_YEAR,
                    Function.WEEK_OF_YEAR,
                    Function.HOUR,
                    Function.MINUTE,
                    Function.SECOND,
                    Function.SECOND_WITH_FRACTION,
                    Function.DATE_TRUNC,
                    Function.TRUNC,
                    Function.DATE_DIFF,
                    Function.LAST_DAY,
                    Function.UNIX_DATE,
                    Function.UNIX_SECONDS,
                    Function.UNIX_MILLIS,
                    Function.UNIX_MICROS,
                    Function.TIMESTAMP_SUBTRACT,
                    Function.TIMESTAMP_DIFF,
                    Function.DATE_FORMAT,
                    Function.NEXT_DAY,
                    Function.MONTHS_BETWEEN,
                    Function.ARRAY,
                    Function.STRUCT,
                    Function.MAP_KEYS,
                    Function.MAP_VALUES,
                    Function.MAP_ENTRIES,
                    Function.MAP_VALUE,
                    Function.TRY_ELEMENT,
                    Function.TRY_ELEMENT_AT,
                    Function.ARRAY_POSITION,
                    Function.ARRAY_MIN,
                    Function.ARRAY_MAX,
                    Function.SORT_ARRAY,
                    Function.ARRAY_JOIN,
                    Function.FLATTEN,
                    Function.ARRAY_REMOVE,
                    Function.ARRAY_DISTINCT,
                    Function.ARRAYS_OVERLAP,
                    Function.TRANSFORM,
                    Function.FILTER,
                    Function.EXISTS,
                    Function.FORALL,
                    Function.SIZE,
                    Function.ARRAY_CONTAINS);

    private DuckFailures() {}

    static boolean possible(Expression expression) {
        return Relations.deep(expression).anyMatch(DuckFailures::mayFail);
    }

    /**
     * The parts of a condition that must all hold, to be computed in any order: a part that may
     * fail has those before it with it.
     */
    static List<Expression> parts(Expression condition) {
        var conjuncts = MaintenancePlan.conjuncts(condition);
        return IntStream.range(0, conjuncts.size())
                .mapToObj(
                        i ->
                                possible(conjuncts.get(i))
                                        ? MaintenanceSql.and(conjuncts.subList(0, i + 1))
                                        : conjuncts.get(i))
                .toList();
    }

    private static boolean mayFail(Expression expression) {
        return switch (expression) {
            case Expression.Call call -> mayFail(call);
            case Expression.Cast cast -> mayFail(cast);
            case Expression.Reference _,
                    Expression.Literal _,
                    Expression.Case _,
                    Expression.Field _,
                    Expression.ScalarSubquery _,
                    Expression.Exists _,
                    Expression.InSubquery _ ->
                    false;
        };
    }

    /** Also a try_cast to a timestamp, where only Spark could tell the value. */
    private static boolean mayFail(Expression.Cast cast) {
        return cast.tried()
                ? DuckTypes.isTimestamp(cast.type())
                : !isWidening(cast.value().type(), cast.type());
    }

    private static boolean mayFail(Expression.Call call) {
        return switch (call.function()) {
            case DIVIDE, INTEGRAL_DIVIDE, REMAINDER, PMOD ->
                    DuckFunctions.constant(call.arguments().getLast())
                            .filter(divisor -> Double.parseDouble(divisor) != 0)
                            .isEmpty();
            // With a constant it overflows at the ends of the type only, where Spark fails too.
            case ADD,
                    SUBTRACT,
                    MULTIPLY,
                    DATE_ADD,
                    DATE_SUB,
                    ADD_MONTHS,
                    TIMESTAMP_ADD_MICROS,
                    TIMESTAMP_ADD_MONTHS ->
                    !DuckTypes.isFloating(call.type())
                            && call.arguments().stream().allMatch(DuckFailures::hasColumn);
            case NEGATE, ABS -> DuckTypes.isIntegral(call.type());
            // What is too long, and an expression that is none.
            case LPAD, RPAD, REPEAT, ARRAY_REPEAT, SPLIT -> hasColumn(call.arguments().get(1));
            default -> !SURE.contains(call.function());
        };
    }

    private static boolean hasColumn(Expression expression) {
        return Relations.deep(expression).anyMatch(Expression.Reference.class::isInstance);
    }

    private static boolean isWidening(DataType from, DataType to) {
        if (to == Primitive.STRING || from.equals(to)) {
            // The bytes need not be a text.
            return from != Primitive.BINARY || to == Primitive.BINARY;
        }
        if (from instanceof Decimal narrow && to instanceof Decimal wide) {
            return wide.scale() >= narrow.scale()
                    && wide.precision() - wide.scale() >= narrow.precision() - narrow.scale();
        }
        if (DuckTypes.isIntegral(from)) {
            return to == Primitive.LONG
                    || DuckTypes.isFloating(to)
                    || (to instanceof Decimal decimal
                            && decimal.precision() - decimal.scale() >= 19);
        }
        var toDouble = to == Primitive.DOUBLE || to == Primitive.FLOAT;
        return isTime(from) ? isTime(to) : toDouble && from != Primitive.STRING;
    }

    private static boolean isTime(DataType type) {
        return type == Primitive.DATE || DuckTypes.isTimestamp(type);
    }
}
