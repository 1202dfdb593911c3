package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;

/**
 * Prints CEIL, FLOOR and ROUND.
 *
 * <p>Spark rounds a double by its shortest decimal text, half away from zero: round(1.005, 2) is
 * 1.01, although the double lies below. DuckDB prints the same shortest text, so where it matters
 * the way leads over that.
 */
final class DuckRounding {
    private final Call call;
    private final String value;

    DuckRounding(Call call, List<String> arguments) {
        this.call = call;
        this.value = arguments.getFirst();
    }

    String print() {
        return switch (call.function()) {
            case CEIL -> whole("ceil");
            case FLOOR -> whole("floor");
            case ROUND -> round();
            default -> throw new IllegalArgumentException("not rounding: " + call.function());
        };
    }

    private String whole(String function) {
        var from = DuckFunctions.argumentType(call, 0);
        if (DuckTypes.isIntegral(from)) {
            return DuckTypes.cast(value, call.type());
        }
        var plain = DuckTypes.cast(function + "(" + value + ")", call.type());
        if (from instanceof Decimal || isWithinBigint()) {
            return plain;
        }
        // As Java narrows: NaN is 0, what is too large is the largest.
        return "(CASE WHEN isnan(%1$s) THEN %2$s WHEN %1$s >= 9223372036854775808 THEN %3$s WHEN %1$s <= -9223372036854775808 THEN %4$s ELSE %5$s END)"
                .formatted(
                        value,
                        DuckExpressions.literal(Primitive.LONG, "0"),
                        DuckExpressions.literal(Primitive.LONG, Long.toString(Long.MAX_VALUE)),
                        DuckExpressions.literal(Primitive.LONG, Long.toString(Long.MIN_VALUE)),
                        plain);
    }

    private boolean isWithinBigint() {
        return call.arguments().getFirst() instanceof Call inner
                && DuckNumbers.isFraction(inner)
                && inner.arguments().getFirst() instanceof Expression.Cast dividend
                && DuckTypes.isIntegral(dividend.value().type());
    }

    private String round() {
        var digits = Integer.parseInt(DuckFunctions.constant(call, 1, "round() to digits"));
        var from = DuckFunctions.argumentType(call, 0);
        if (DuckTypes.isIntegral(from) && digits >= 0) {
            return value;
        }
        if (digits < 0 || digits > 20) {
            throw DuckRefusal.of(
                    call.position(),
                    "round() to %d digits after the point".formatted(digits),
                    "round to 0 to 20 digits");
        }
        return from instanceof Decimal
                ? DuckTypes.cast(value, call.type())
                : roundFloating(from, digits);
    }

    private String roundFloating(DataType from, int digits) {
        var wide = from == Primitive.FLOAT ? DuckTypes.cast(value, Primitive.DOUBLE) : value;
        var text =
                "CAST(CAST(CAST(CAST(%s AS VARCHAR) AS DECIMAL(38,%d)) AS VARCHAR) AS DOUBLE)"
                        .formatted(wide, digits);
        var rounded =
                "(CASE WHEN NOT isfinite(%1$s) OR abs(%1$s) >= 1e16 THEN %1$s WHEN %2$s THEN round(%3$s) / %4$s + 0 ELSE %5$s END)"
                        .formatted(
                                wide,
                                isFarFromHalf(wide, digits),
                                shifted(wide, digits),
                                power(digits),
                                text);
        return from == Primitive.FLOAT ? DuckTypes.cast(rounded, Primitive.FLOAT) : rounded;
    }

    /**
     * Whether a double lies so far from the half of a digit that its text lies on the same side:
     * farther than the error of shifting its point, which is 2^-53 of it, and of its shortest text,
     * which is no more. Then binary arithmetic rounds as the text would, ten times as fast.
     */
    static String isFarFromHalf(String value, int digits) {
        return "abs(abs(%1$s - trunc(%1$s)) - 0.5) > abs(%1$s) * 2e-15"
                .formatted(shifted(value, digits));
    }

    private static String shifted(String value, int digits) {
        return digits == 0 ? value : "(" + value + " * " + power(digits) + ")";
    }

    private static String power(int digits) {
        return DuckExpressions.literal(Primitive.DOUBLE, "1e" + digits);
    }
}
