package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Prints CEIL, FLOOR and ROUND.
 *
 * <p>Spark rounds a double by its shortest decimal text, half away from zero: round(1.005, 2) is
 * 1.01, although the double lies below.
 */
final class DuckRounding {
    private static final int DIGITS_MAX = 20;

    /** From here on a double has no digit behind the point. */
    private static final double TEXTS_MAX = 1e16;

    private static final double[] POWERS =
            IntStream.rangeClosed(0, DIGITS_MAX)
                    .mapToDouble(digits -> Double.parseDouble("1e" + digits))
                    .toArray();

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
        if (digits < 0 || digits > DIGITS_MAX) {
            throw DuckRefusal.of(
                    call.position(),
                    "round() to %d digits after the point".formatted(digits),
                    "round to 0 to %d digits".formatted(DIGITS_MAX));
        }
        return from instanceof Decimal
                ? DuckTypes.cast(value, call.type())
                : roundFloating(from, digits);
    }

    private String roundFloating(DataType from, int digits) {
        var wide = from == Primitive.FLOAT ? DuckTypes.cast(value, Primitive.DOUBLE) : value;
        var rounded =
                "%s(%s, %s)"
                        .formatted(
                                JavaFunctions.name(call.function()),
                                wide,
                                DuckExpressions.literal(
                                        Primitive.DOUBLE, Integer.toString(digits)));
        return from == Primitive.FLOAT ? DuckTypes.cast(rounded, Primitive.FLOAT) : rounded;
    }

    /**
     * A double rounded to digits behind the point. In Java it is written once; in DuckDB's SQL each
     * mention of the value would be computed again.
     */
    static double rounded(double value, double digits) {
        if (!Double.isFinite(value) || Math.abs(value) >= TEXTS_MAX) {
            return value;
        }
        var power = POWERS[(int) digits];
        var shifted = Math.abs(value) * power;
        var whole = Math.floor(shifted);
        var rest = shifted - whole;
        // Both the shifting and the shortest text are off by less.
        if (Math.abs(rest - 0.5) > shifted * 2e-15) {
            return Math.copySign((rest > 0.5 ? whole + 1 : whole) / power, value) + 0;
        }
        return new BigDecimal(Double.toString(value))
                .setScale((int) digits, RoundingMode.HALF_UP)
                .doubleValue();
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
