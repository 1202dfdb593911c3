package dev.lakemill.pipeline;

import dev.lakemill.types.DataType.Decimal;
import java.util.Locale;

/**
 * Divides decimals as Spark does: exact to 38 digits after the point, rounded half up there, then
 * rounded half up to the scale of the result.
 *
 * <p>With a = A / 10^s1 and b = B / 10^s2 the result's digits are Q = A * 10^(s + s2 - s1) / B,
 * rounded; everything runs in HUGEINT. The first rounding changes the second only where B has more
 * than 38 - s digits: then a quotient that misses the half by less than half of 10^-38 is lifted to
 * it, which the longer form does too.
 */
final class DuckDivision {
    private static final int DIGITS_MAX = 38;

    private final Decimal dividend;
    private final Decimal divisor;
    private final Decimal result;

    DuckDivision(Decimal dividend, Decimal divisor, Decimal result) {
        this.dividend = dividend;
        this.divisor = divisor;
        this.result = result;
    }

    /** Fails on a division by zero, unless the dividend is NULL. */
    String print(String left, String right) {
        var shift = result.scale() + divisor.scale() - dividend.scale();
        if (dividend.precision() + Math.max(0, shift) > DIGITS_MAX
                || divisor.precision() + Math.max(0, -shift) > DIGITS_MAX) {
            return inJava("/", left, right, result);
        }
        var numerator = scaled(digits(left, dividend), Math.max(0, shift));
        var denominator = scaled(digits(right, divisor), Math.max(0, -shift));
        var quotient =
                divisor.precision() <= DIGITS_MAX - result.scale()
                        ? rounded(numerator, denominator)
                        : roundedTwice(numerator, denominator);
        var sign = "(sign(%s) * sign(%s))".formatted(left, right);
        return DuckTypes.cast(
                "CAST(%s * %s AS DECIMAL(38,0)) * %s".formatted(sign, quotient, unit()), result);
    }

    /** What needs more digits than DuckDB has, by way of the operands' texts. */
    static String inJava(String operator, String left, String right, Decimal result) {
        return DuckTypes.cast(
                "%s(CAST(%s AS VARCHAR), '%s%d:' || CAST(%s AS VARCHAR))"
                        .formatted(JavaFunctions.DECIMAL, left, operator, result.scale(), right),
                result);
    }

    /** |N| / |D| rounded half up, with D's half added first; N + D/2 stays within HUGEINT. */
    private static String rounded(String numerator, String denominator) {
        return "((abs(%1$s) + abs(%2$s) // 2) // abs(%2$s))".formatted(numerator, denominator);
    }

    private String roundedTwice(String numerator, String denominator) {
        var rest = "(abs(%s) %% abs(%s))".formatted(numerator, denominator);
        return "(abs(%1$s) // abs(%2$s) + CASE WHEN abs(%2$s) - %3$s - %3$s <= abs(%2$s) // %4$s THEN 1 ELSE 0 END)"
                .formatted(numerator, denominator, rest, power(DIGITS_MAX - result.scale()));
    }

    private static String scaled(String digits, int shift) {
        return shift == 0 ? digits : "(" + digits + " * " + power(shift) + ")";
    }

    /** The digits of a decimal as a HUGEINT: its value times ten to its scale. */
    static String digits(String value, Decimal type) {
        if (type.scale() == 0) {
            return "CAST(" + value + " AS HUGEINT)";
        }
        if (type.precision() + type.scale() <= DIGITS_MAX) {
            return "CAST(CAST(%s AS DECIMAL(38,%d)) * %s AS HUGEINT)"
                    .formatted(value, type.scale(), decimalPower(type.scale()));
        }
        // The text of a decimal has all the digits behind the point.
        return "CAST(replace(CAST(%s AS VARCHAR), '.', '') AS HUGEINT)".formatted(value);
    }

    /** One unit of the last digit, to put the point into a whole number. */
    private String unit() {
        return "CAST('0.%s1' AS DECIMAL(%d,%d))"
                .formatted("0".repeat(result.scale() - 1), result.scale(), result.scale());
    }

    private static String power(int exponent) {
        return String.format(Locale.ROOT, "CAST('1%s' AS HUGEINT)", "0".repeat(exponent));
    }

    private static String decimalPower(int exponent) {
        return "CAST('1%s' AS DECIMAL(%d,0))".formatted("0".repeat(exponent), exponent + 1);
    }
}
