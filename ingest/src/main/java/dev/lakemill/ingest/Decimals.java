package dev.lakemill.ingest;

import dev.lakemill.types.DataType;
import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * Decimals in the log: the unscaled value as two's complement, little-endian, in as few bytes as
 * hold it (1 to 16), with the length before it.
 */
final class Decimals {
    private static final int TEXT_CHARACTERS_MAX = 200;

    private Decimals() {}

    static BigDecimal parse(String text, DataType.Decimal type) {
        if (text.length() <= TEXT_CHARACTERS_MAX) {
            try {
                return new BigDecimal(text.strip());
            } catch (NumberFormatException e) {
                // Told below, as what is too long is.
            }
        }
        throw RefusedRow.value(
                "takes %s, found %s".formatted(type.sql(), RefusedRow.shown(text)),
                "write digits, for example 12.50");
    }

    /** Writes the value; it is never rounded. */
    static void write(BigDecimal value, DataType.Decimal type, RowWriter out) {
        // Checked in digits first: setScale on 1E+999999999 would build all of them.
        long wholeDigits = (long) value.precision() - value.scale();
        if (value.signum() != 0 && wholeDigits > type.precision() - type.scale()) {
            throw RefusedRow.value(
                    "takes %s, found a number with more digits before the point"
                            .formatted(type.sql()),
                    "it has at most %d".formatted(type.precision() - type.scale()));
        }
        var fitting = value.scale() > type.scale() ? value.stripTrailingZeros() : value;
        if (value.signum() != 0 && fitting.scale() > type.scale()) {
            throw RefusedRow.value(
                    "takes %s, found a number with more digits after the point"
                            .formatted(type.sql()),
                    "round it to %d".formatted(type.scale()));
        }
        write(
                value.signum() == 0
                        ? BigInteger.ZERO
                        : fitting.setScale(type.scale()).unscaledValue(),
                out);
    }

    private static void write(BigInteger unscaled, RowWriter out) {
        int length = unscaled.bitLength() / 8 + 1;
        out.varint(length);
        if (length <= Long.BYTES) {
            long rest = unscaled.longValue();
            for (int i = 0; i < length; i++) {
                out.oneByte((int) (rest >> (8 * i)));
            }
        } else {
            var bigEndian = unscaled.toByteArray();
            for (int i = bigEndian.length - 1; i >= 0; i--) {
                out.oneByte(bigEndian[i]);
            }
        }
    }
}
