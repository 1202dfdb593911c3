package dev.lakemill.sync;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * Decimals in Postgres's binary form (numeric_recv in the server's source, numeric.c): the number
 * of base-10000 digits, the weight of the first, the sign, the scale, then the digits.
 */
final class NumericBinary {
    private static final int NEGATIVE = 0x4000;
    private static final BigInteger BASE = BigInteger.valueOf(10_000);

    /** 38 decimal digits, split at the decimal point. */
    private static final int DIGITS_MAX = 12;

    private NumericBinary() {}

    /** Appends the value, without its length. The scale is at least 0. */
    static void put(BigDecimal value, ByteArray out) {
        var scale = value.scale();
        var groupsAfterPoint = (scale + 3) / 4;
        var aligned = value.abs().setScale(4 * groupsAfterPoint).unscaledValue();
        var digits = new short[DIGITS_MAX];
        var first = digits(aligned, digits);
        var last = DIGITS_MAX;
        while (last > first && digits[last - 1] == 0) {
            last--;
        }
        var count = last - first;
        out.putShort(count);
        out.putShort(count == 0 ? 0 : DIGITS_MAX - groupsAfterPoint - first - 1);
        out.putShort(value.signum() < 0 ? NEGATIVE : 0);
        out.putShort(scale);
        for (var i = first; i < last; i++) {
            out.putShort(digits[i]);
        }
    }

    /** Fills the digits from the end and returns where the first one that is not 0 stands. */
    private static int digits(BigInteger value, short[] digits) {
        var at = DIGITS_MAX;
        var rest = value;
        while (rest.bitLength() > 63) {
            var parts = rest.divideAndRemainder(BASE);
            digits[--at] = parts[1].shortValue();
            rest = parts[0];
        }
        for (var small = rest.longValue(); small > 0; small /= 10_000) {
            digits[--at] = (short) (small % 10_000);
        }
        return at;
    }
}
