package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;

/**
 * Says whether computing an expression may fail for some row: then it must not be computed for rows
 * that a condition before it has ruled out. In doubt it may.
 */
final class DuckFailures {
    private DuckFailures() {}

    static boolean possible(Expression expression) {
        return Relations.deep(expression).anyMatch(DuckFailures::mayFail);
    }

    private static boolean mayFail(Expression expression) {
        return switch (expression) {
            case Expression.Call call -> mayFail(call);
            case Expression.Cast cast ->
                    !cast.tried() && !isWidening(cast.value().type(), cast.type());
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

    private static boolean mayFail(Expression.Call call) {
        return switch (call.function()) {
            case DIVIDE, INTEGRAL_DIVIDE, REMAINDER, PMOD ->
                    DuckFunctions.constant(call.arguments().getLast())
                            .filter(divisor -> Double.parseDouble(divisor) != 0)
                            .isEmpty();
            // With a constant it overflows at the ends of the type only, where Spark fails too.
            case ADD, SUBTRACT, MULTIPLY ->
                    !DuckTypes.isFloating(call.type())
                            && call.arguments().stream().allMatch(DuckFailures::hasColumn);
            case RAISE_ERROR,
                    PREDICT,
                    AI_QUERY,
                    JAVA,
                    MAKE_DATE,
                    SPLIT_PART,
                    FORMAT_NUMBER,
                    UPPER,
                    LOWER,
                    ILIKE ->
                    true;
            default -> false;
        };
    }

    private static boolean hasColumn(Expression expression) {
        return Relations.deep(expression).anyMatch(Expression.Reference.class::isInstance);
    }

    private static boolean isWidening(DataType from, DataType to) {
        if (to == Primitive.STRING || from.equals(to)) {
            return true;
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
