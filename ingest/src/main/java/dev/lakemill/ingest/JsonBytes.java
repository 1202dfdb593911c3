package dev.lakemill.ingest;

import com.google.protobuf.UnsafeByteOperations;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads the tokens of {@link JsonPass} out of a range of bytes. What it does not read at once it
 * answers with false, at any place. Not thread-safe; used again and again.
 *
 * <p>Text is looked through eight bytes at a time (Lamport, "Multiple byte processing with
 * full-word instructions", 1975). Numbers of few digits are exact products or quotients of exact
 * floating-point numbers (Clinger, "How to read floating point numbers accurately", 1990); Java
 * reads the others.
 */
final class JsonBytes {
    static final byte[] TRUE = "true".getBytes(StandardCharsets.US_ASCII);
    static final byte[] FALSE = "false".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NULL = "null".getBytes(StandardCharsets.US_ASCII);

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGHS = 0x8080808080808080L;

    private static final int DIGITS_MAX = 18;
    private static final int NUMBER_BYTES_MAX = 40;
    static final int TIME_CHARACTERS_MAX = 64;
    private static final double[] POWERS = new double[23];
    private static final float[] FLOAT_POWERS = new float[11];

    static {
        for (int i = 0; i < POWERS.length; i++) {
            POWERS[i] = Double.parseDouble("1e" + i);
        }
        for (int i = 0; i < FLOAT_POWERS.length; i++) {
            FLOAT_POWERS[i] = Float.parseFloat("1e" + i);
        }
    }

    private byte[] bytes = new byte[0];
    private int at;
    private int end;

    private int numberFrom;
    private boolean negative;
    private long digits;
    private int digitCount;
    private int exponent;
    private int textFrom;
    private int textTo;
    private final char[] characters = new char[TIME_CHARACTERS_MAX];

    JsonBytes on(byte[] record, int from, int to) {
        bytes = record;
        at = from;
        end = to;
        return this;
    }

    private void space() {
        while (at < end
                && (bytes[at] == ' '
                        || bytes[at] == '\n'
                        || bytes[at] == '\r'
                        || bytes[at] == '\t')) {
            at++;
        }
    }

    boolean isAtEnd() {
        space();
        return at == end;
    }

    /** Goes behind a character if it is the next. */
    boolean skip(char wanted) {
        if (at < end && bytes[at] <= ' ') {
            space();
        }
        if (at < end && bytes[at] == wanted) {
            at++;
            return true;
        }
        return false;
    }

    /** Goes behind a word or a key if it is the next. */
    boolean skip(byte[] wanted) {
        if (at < end && bytes[at] <= ' ') {
            space();
        }
        int to = at + wanted.length;
        if (to <= end && Arrays.equals(bytes, at, to, wanted, 0, wanted.length)) {
            at = to;
            return true;
        }
        return false;
    }

    boolean skipNull() {
        if (at < end && bytes[at] <= ' ') {
            space();
        }
        return at < end && bytes[at] == 'n' && skip(NULL);
    }

    /** Reads a whole number of at most 18 digits; otherwise stays where it is. */
    boolean integer() {
        if (!mantissa() || isNumberByte()) {
            at = numberFrom;
            return false;
        }
        return true;
    }

    /** What {@link #integer} read. */
    long whole() {
        return negative ? -digits : digits;
    }

    private boolean isNumberByte() {
        return at < end && (bytes[at] == '.' || (bytes[at] | 0x20) == 'e');
    }

    /** Sign and digits before the point. */
    private boolean mantissa() {
        space();
        numberFrom = at;
        negative = at < end && bytes[at] == '-';
        if (negative) {
            at++;
        }
        digits = 0;
        digitCount = 0;
        int from = at;
        digits();
        // JSON takes no zeros in front.
        return at > from && digitCount <= DIGITS_MAX && (at == from + 1 || bytes[from] != '0');
    }

    private void digits() {
        while (at < end) {
            int digit = bytes[at] - '0';
            if (digit < 0 || digit > 9) {
                return;
            }
            digits = digits * 10 + digit;
            digitCount += digits == 0 ? 0 : 1;
            at++;
        }
    }

    /** Reads a number, whose value {@link #asDouble} and {@link #asFloat} tell. */
    boolean decimal() {
        if (!mantissa() && at == numberFrom) {
            return false;
        }
        exponent = 0;
        if (!isNumberByte()) {
            // The full parser has -0 as whole number 0.
            return digitCount <= DIGITS_MAX && !(negative && digits == 0) && isWellFormed();
        }
        if (bytes[at] == '.') {
            int from = ++at;
            digits();
            exponent = from - at;
            if (exponent == 0) {
                return false;
            }
        }
        return power() && isWellFormed();
    }

    private boolean power() {
        if (at >= end || (bytes[at] | 0x20) != 'e') {
            return true;
        }
        at++;
        var below = at < end && bytes[at] == '-';
        if (at < end && (bytes[at] == '-' || bytes[at] == '+')) {
            at++;
        }
        int from = at;
        int power = 0;
        while (at < end && bytes[at] >= '0' && bytes[at] <= '9' && at - from < 4) {
            power = power * 10 + bytes[at++] - '0';
        }
        exponent += below ? -power : power;
        return at > from && !(at < end && bytes[at] >= '0' && bytes[at] <= '9');
    }

    /** Digits before the point, no zero in front of them, and not too long. */
    private boolean isWellFormed() {
        int from = negative ? numberFrom + 1 : numberFrom;
        return at - numberFrom <= NUMBER_BYTES_MAX
                && from < at
                && bytes[from] >= '0'
                && bytes[from] <= '9'
                && !(bytes[from] == '0'
                        && from + 1 < at
                        && bytes[from + 1] >= '0'
                        && bytes[from + 1] <= '9');
    }

    double asDouble() {
        if (digitCount <= DIGITS_MAX
                && digits <= 1L << 53
                && exponent > -POWERS.length
                && exponent < POWERS.length) {
            double value =
                    exponent < 0
                            ? (double) digits / POWERS[-exponent]
                            : (double) digits * POWERS[exponent];
            return negative ? -value : value;
        }
        return Double.parseDouble(number());
    }

    float asFloat() {
        if (digitCount <= DIGITS_MAX
                && digits <= 1L << 24
                && exponent > -FLOAT_POWERS.length
                && exponent < FLOAT_POWERS.length) {
            float value =
                    exponent < 0
                            ? (float) digits / FLOAT_POWERS[-exponent]
                            : (float) digits * FLOAT_POWERS[exponent];
            return negative ? -value : value;
        }
        return Float.parseFloat(number());
    }

    private String number() {
        return new String(bytes, numberFrom, at - numberFrom, StandardCharsets.ISO_8859_1);
    }

    /** Reads text without escapes that is valid UTF-8. */
    boolean text() {
        if (!skip('"')) {
            return false;
        }
        textFrom = at;
        while (end - at >= Long.BYTES) {
            long word = (long) LONG.get(bytes, at);
            long found = special(word);
            if (found != 0) {
                at += Long.numberOfTrailingZeros(found) >>> 3;
                return endText();
            }
            at += Long.BYTES;
        }
        return endText();
    }

    /** The highest bit of the first byte that is a quote, an escape, a control or not ASCII. */
    private static long special(long word) {
        long quote = word ^ ('"' * ONES);
        long escape = word ^ ('\\' * ONES);
        return (((quote - ONES) & ~quote)
                        | ((escape - ONES) & ~escape)
                        | ((word - ' ' * ONES) & ~word)
                        | word)
                & HIGHS;
    }

    private boolean endText() {
        boolean ascii = true;
        while (at < end && bytes[at] != '"') {
            byte b = bytes[at++];
            if (b == '\\' || (b >= 0 && b < ' ')) {
                return false;
            }
            ascii &= b >= 0;
        }
        textTo = at++;
        return textTo < end
                && (ascii
                        || UnsafeByteOperations.unsafeWrap(bytes, textFrom, textTo - textFrom)
                                .isValidUtf8());
    }

    byte[] bytes() {
        return bytes;
    }

    int textFrom() {
        return textFrom;
    }

    int textTo() {
        return textTo;
    }

    /** The text's bytes as characters; there are at most {@link #TIME_CHARACTERS_MAX}. */
    char[] textCharacters() {
        for (int i = 0; i < textTo - textFrom; i++) {
            characters[i] = (char) (bytes[textFrom + i] & 0xFF);
        }
        return characters;
    }
}
