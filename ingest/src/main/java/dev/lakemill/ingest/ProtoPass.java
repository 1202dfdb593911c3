package dev.lakemill.ingest;

import com.google.protobuf.UnsafeByteOperations;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Checks in one pass, without noting where values stand, that the bytes of a message may pass into
 * the log: fields in the order of their numbers, each once, as serializers write them, and values
 * without parts that fit. At anything else, and at whatever is wrong, it gives up, and the message
 * is read the long way. So it never decides that a message is bad. Immutable.
 */
final class ProtoPass {
    private static final byte WHOLE = 0;
    private static final byte RANGE = 1;
    private static final byte FIXED = 2;
    private static final byte TEXT = 3;
    private static final byte BYTES = 4;

    private static final int VARINT_BYTES_MAX = 10;
    private static final long HIGHS = 0x8080808080808080L;
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** By field in order of number, as are all below: its tag on the wire. */
    private final int[] tags;

    private final boolean[] required;
    private final byte[] kinds;
    private final long[] min;
    private final long[] max;

    private ProtoPass(int fields) {
        tags = new int[fields];
        required = new boolean[fields];
        kinds = new byte[fields];
        min = new long[fields];
        max = new long[fields];
    }

    /** Null when messages of these fields, in order of number, may not pass so. */
    static @Nullable ProtoPass of(ProtoField[] fields) {
        var pass = new ProtoPass(fields.length);
        for (int i = 0; i < fields.length; i++) {
            var type = fields[i].simple();
            if (type == null) {
                return null;
            }
            pass.set(i, fields[i], type);
        }
        return pass;
    }

    private void set(int i, ProtoField field, ProtoType.Simple type) {
        required[i] = field.required;
        switch (type) {
            case ProtoType.Simple.Varint v -> {
                kinds[i] = v.min() == Long.MIN_VALUE && v.max() == Long.MAX_VALUE ? WHOLE : RANGE;
                tags[i] = field.number << 3 | RowWriter.VARINT;
                min[i] = v.min();
                max[i] = v.max();
            }
            case ProtoType.Simple.Fixed f -> {
                kinds[i] = FIXED;
                var wide = f.bytes() == Long.BYTES;
                tags[i] = field.number << 3 | (wide ? RowWriter.FIXED64 : RowWriter.FIXED32);
                min[i] = f.bytes();
            }
            case ProtoType.Simple.Text _ -> {
                kinds[i] = TEXT;
                tags[i] = field.number << 3 | RowWriter.LENGTH;
            }
            case ProtoType.Simple.Bytes _ -> {
                kinds[i] = BYTES;
                tags[i] = field.number << 3 | RowWriter.LENGTH;
            }
        }
    }

    /** False when it gives up. */
    boolean check(byte[] bytes, int from, int to) {
        int at = from;
        int field = -1;
        while (at < to) {
            int tag = bytes[at++];
            if (tag < 0) {
                if (at >= to || bytes[at] <= 0) {
                    return false;
                }
                tag = (tag & 0x7F) | bytes[at++] << 7;
            }
            field = field(tag, field + 1);
            if (field < 0) {
                return false;
            }
            at = value(field, bytes, at, to);
            if (at < 0) {
                return false;
            }
        }
        return at == to && optionalFrom(field + 1);
    }

    /** The first field from one on that has the tag; -1 for none, or when it skips a required. */
    private int field(int tag, int from) {
        for (int i = from; i < tags.length; i++) {
            if (tags[i] == tag) {
                return i;
            }
            if (required[i]) {
                return -1;
            }
        }
        return -1;
    }

    private boolean optionalFrom(int field) {
        for (int i = field; i < required.length; i++) {
            if (required[i]) {
                return false;
            }
        }
        return true;
    }

    /** Where the value ends; -1 to give up. */
    private int value(int field, byte[] bytes, int at, int to) {
        return switch (kinds[field]) {
            case WHOLE -> afterVarint(bytes, at, to);
            case RANGE -> afterVarint(field, bytes, at, to);
            case FIXED -> at + (int) min[field];
            default -> afterLength(kinds[field] == TEXT, bytes, at, to);
        };
    }

    private static int afterVarint(byte[] bytes, int at, int to) {
        if (to - at >= Long.BYTES) {
            long stops = ~(long) LONG.get(bytes, at) & HIGHS;
            if (stops != 0) {
                return at + (Long.numberOfTrailingZeros(stops) >>> 3) + 1;
            }
        }
        int last = Math.min(to, at + VARINT_BYTES_MAX);
        for (int i = at; i < last; i++) {
            if (bytes[i] >= 0) {
                return i + 1;
            }
        }
        return -1;
    }

    private int afterVarint(int field, byte[] bytes, int from, int to) {
        int at = from;
        long value = 0;
        for (int shift = 0; shift < 64 && at < to; shift += 7) {
            byte b = bytes[at++];
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value >= min[field] && value <= max[field] ? at : -1;
            }
        }
        return -1;
    }

    private static int afterLength(boolean text, byte[] bytes, int from, int to) {
        int at = from;
        int length = 0;
        for (int shift = 0; shift < 28 && at < to; shift += 7) {
            byte b = bytes[at++];
            length |= (b & 0x7F) << shift;
            if (b >= 0) {
                return length <= to - at && (!text || isText(bytes, at, length)) ? at + length : -1;
            }
        }
        return -1;
    }

    private static boolean isText(byte[] bytes, int from, int length) {
        int at = from;
        int to = from + length;
        long highs = 0;
        for (; to - at >= Long.BYTES; at += Long.BYTES) {
            highs |= (long) LONG.get(bytes, at);
        }
        for (; at < to; at++) {
            highs |= bytes[at];
        }
        return (highs & HIGHS) == 0
                || UnsafeByteOperations.unsafeWrap(bytes, from, length).isValidUtf8();
    }
}
