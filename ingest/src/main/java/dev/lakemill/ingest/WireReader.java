package dev.lakemill.ingest;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads protobuf's wire format out of a range of bytes. Never reads past the range: a value that
 * would is refused. Not thread-safe; used again and again.
 */
final class WireReader {
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Of 8 bytes the bits that say that another byte follows. */
    private static final long HIGHS = 0x8080808080808080L;

    private byte[] bytes = new byte[0];
    private int at;
    private int end;
    private int wireType;

    WireReader on(byte[] bytes, int from, int to) {
        this.bytes = bytes;
        this.at = from;
        this.end = to;
        return this;
    }

    boolean hasMore() {
        return at < end;
    }

    byte[] bytes() {
        return bytes;
    }

    int at() {
        return at;
    }

    /** Narrows the range to the nested message whose length comes next. Returns the old end. */
    int beginNested() {
        int length = length();
        int outerEnd = end;
        end = at + length;
        return outerEnd;
    }

    /** Widens the range again. */
    void endNested(int outerEnd) {
        end = outerEnd;
    }

    /** Reads a varint that mostly has one byte. */
    long varint() {
        if (at < end && bytes[at] >= 0) {
            return bytes[at++];
        }
        return longVarint();
    }

    /** Reads a varint that mostly has more than one byte: up to 8 of them at once. */
    long longVarint() {
        int from = at;
        if (bytes.length - from >= Long.BYTES) {
            // Bytes behind the range may be among these, but not among those that count.
            long eight = (long) LONG.get(bytes, from);
            long stops = ~eight & HIGHS;
            int after = from + (Long.numberOfTrailingZeros(stops) >>> 3) + 1;
            if (stops != 0 && after <= end) {
                at = after;
                return gather(eight & (stops ^ (stops - 1)));
            }
        }
        return varintByByte();
    }

    /**
     * Moves the low 7 bits of 8 bytes together: those of 2 bytes, of 4, then all. Long.compress
     * does it in one step, but slowly where the processor has no quick instruction for it.
     */
    private static long gather(long bytes) {
        long twos = (bytes & 0x007F007F007F007FL) | (bytes & 0x7F007F007F007F00L) >>> 1;
        long fours = (twos & 0x00003FFF00003FFFL) | (twos & 0x3FFF00003FFF0000L) >>> 2;
        return (fours & 0x000000000FFFFFFFL) | (fours & 0x0FFFFFFF00000000L) >>> 4;
    }

    /** Of 9 or 10 bytes, at the end of the bytes, or cut short. */
    private long varintByByte() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (at >= end) {
                throw cutShort();
            }
            byte b = bytes[at++];
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw RefusedRow.value("holds a varint of more than 10 bytes", HINT);
    }

    /** A field's number and wire type, as {@code number << 3 | wire type}. */
    int tag() {
        long tag = varint();
        if (tag < 8 || tag > 0xFFFFFFFFL) {
            throw RefusedRow.value("holds %d where a field begins".formatted(tag), HINT);
        }
        wireType = (int) tag & 7;
        return (int) tag;
    }

    /** Of the tag that was read last. */
    int wireType() {
        return wireType;
    }

    int fixed32() {
        need(Integer.BYTES);
        int value = (int) INT.get(bytes, at);
        at += Integer.BYTES;
        return value;
    }

    long fixed64() {
        need(Long.BYTES);
        long value = (long) LONG.get(bytes, at);
        at += Long.BYTES;
        return value;
    }

    /** Reads a length; that many bytes are there. */
    int length() {
        long length = varint();
        if (length < 0 || length > end - at) {
            throw cutShort();
        }
        return (int) length;
    }

    void skip(int count) {
        at += count;
    }

    private void need(int count) {
        if (end - at < count) {
            throw cutShort();
        }
    }

    private static final String HINT = "send bytes that the descriptor's type serialized";

    private static RefusedRow cutShort() {
        return RefusedRow.value("ends in the middle of a field", HINT);
    }
}
