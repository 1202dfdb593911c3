package dev.lakemill.ingest;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes protobuf's wire format into a buffer that grows up to a limit. Not thread-safe.
 *
 * <p>Format: <a href="https://protobuf.dev/programming-guides/encoding/">protobuf.dev,
 * Encoding</a>.
 */
final class RowWriter {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int LENGTH = 2;
    static final int FIXED32 = 5;

    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int VARINT_BYTES_MAX = 10;

    private final int bytesMax;
    private byte[] bytes = new byte[1024];
    private int size;

    /** Values that a reader has to make room for. */
    private long cells;

    /** Beyond {@code bytesMax} bytes the request is refused. */
    RowWriter(int bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Forgets what was written. */
    void clear() {
        size = 0;
        cells = 0;
        if (bytes.length > (1 << 20)) {
            bytes = new byte[1024];
        }
    }

    /** Forgets what was written behind a place. */
    void truncate(int newSize) {
        size = newSize;
    }

    /** Has a reader read what was written from a place on. */
    void read(WireReader in, int from) {
        in.on(bytes, from, size);
    }

    /** Counts values of rows or elements; beyond {@link Cells#REQUEST_MAX} refuses the request. */
    void count(long moreCells) {
        cells += moreCells;
        Cells.check(cells);
    }

    int size() {
        return size;
    }

    /** What was written from a place on, a character for each byte. */
    String since(int from) {
        return new String(bytes, from, size - from, StandardCharsets.ISO_8859_1);
    }

    byte[] toByteArray() {
        return Arrays.copyOf(bytes, size);
    }

    void tag(int field, int wireType) {
        varint((long) field << 3 | wireType);
    }

    void varint(long value) {
        reserve(VARINT_BYTES_MAX);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[size++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
    }

    void fixed32(int value) {
        reserve(Integer.BYTES);
        INT.set(bytes, size, value);
        size += Integer.BYTES;
    }

    void fixed64(long value) {
        reserve(Long.BYTES);
        LONG.set(bytes, size, value);
        size += Long.BYTES;
    }

    void oneByte(int value) {
        reserve(1);
        bytes[size++] = (byte) value;
    }

    void bytes(byte[] source, int from, int to) {
        reserve(to - from);
        System.arraycopy(source, from, bytes, size, to - from);
        size += to - from;
    }

    /** Begins something whose length stands before it; ended by {@link #endLength}. */
    int beginLength() {
        reserve(1);
        size++;
        return size;
    }

    /** Writes the length before what was written since {@code begin}, moving it when need be. */
    void endLength(int begin) {
        int length = size - begin;
        int lengthBytes = varintBytes(length);
        if (lengthBytes > 1) {
            reserve(lengthBytes - 1);
            System.arraycopy(bytes, begin, bytes, begin + lengthBytes - 1, length);
        }
        size = begin - 1;
        varint(length);
        size += length;
    }

    /**
     * Writes text as UTF-8, with its length before it.
     *
     * @return false, with nothing written, when a surrogate stands alone
     */
    boolean text(char[] characters, int from, int length) {
        int begin = beginLength();
        int to = from + length;
        reserve(length);
        for (int i = from; i < to; i++) {
            char c = characters[i];
            reserve(4);
            if (c < 0x80) {
                bytes[size++] = (byte) c;
            } else if (c < 0x800) {
                bytes[size++] = (byte) (0xC0 | (c >> 6));
                bytes[size++] = (byte) (0x80 | (c & 0x3F));
            } else if (!Character.isSurrogate(c)) {
                bytes[size++] = (byte) (0xE0 | (c >> 12));
                bytes[size++] = (byte) (0x80 | ((c >> 6) & 0x3F));
                bytes[size++] = (byte) (0x80 | (c & 0x3F));
            } else if (i + 1 < to && Character.isSurrogatePair(c, characters[i + 1])) {
                supplementary(Character.toCodePoint(c, characters[++i]));
            } else {
                size = begin - 1;
                return false;
            }
        }
        endLength(begin);
        return true;
    }

    private void supplementary(int codePoint) {
        bytes[size++] = (byte) (0xF0 | (codePoint >> 18));
        bytes[size++] = (byte) (0x80 | ((codePoint >> 12) & 0x3F));
        bytes[size++] = (byte) (0x80 | ((codePoint >> 6) & 0x3F));
        bytes[size++] = (byte) (0x80 | (codePoint & 0x3F));
    }

    static int varintBytes(int value) {
        return value == 0 ? 1 : (38 - Integer.numberOfLeadingZeros(value)) / 7;
    }

    private void reserve(int more) {
        if (bytes.length - size >= more) {
            return;
        }
        long needed = (long) size + more;
        if (needed > bytesMax) {
            throw Refusal.badRequest(
                    "the request is larger than %d bytes in the log".formatted(bytesMax),
                    "send fewer rows in one request");
        }
        bytes = Arrays.copyOf(bytes, (int) Math.min(bytesMax, Math.max(2L * bytes.length, needed)));
    }
}
