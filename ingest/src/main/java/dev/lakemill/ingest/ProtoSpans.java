package dev.lakemill.ingest;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * Where the values of a message's fields stand: per field a chain of spans, in the order of the
 * wire. Used again for each message; not thread-safe.
 */
final class ProtoSpans {
    static final int NONE = -1;

    private final int[] first;
    private final int[] last;
    private int[] next = new int[16];
    private int[] from = new int[16];

    /** The span's end, and whether it had a length before it in the lowest bit. */
    private long[] to = new long[16];

    private int count;
    private byte[] bytes = new byte[0];

    ProtoSpans(int fields) {
        first = new int[fields];
        last = new int[fields];
    }

    void clear(byte[] message) {
        bytes = message;
        count = 0;
        Arrays.fill(first, NONE);
        Arrays.fill(last, NONE);
    }

    void add(int field, int spanFrom, int spanTo, boolean isLength) {
        if (count == next.length) {
            next = Arrays.copyOf(next, 2 * count);
            from = Arrays.copyOf(from, 2 * count);
            to = Arrays.copyOf(to, 2 * count);
        }
        if (first[field] == NONE) {
            first[field] = count;
        } else {
            next[last[field]] = count;
        }
        last[field] = count;
        next[count] = NONE;
        from[count] = spanFrom;
        to[count] = ((long) spanTo << 1) | (isLength ? 1 : 0);
        count++;
    }

    byte[] bytes() {
        return bytes;
    }

    /** The field's first span, or {@link #NONE}. */
    int first(int field) {
        return first[field];
    }

    int last(int field) {
        return last[field];
    }

    int next(int span) {
        return next[span];
    }

    int from(int span) {
        return from[span];
    }

    int to(int span) {
        return (int) (to[span] >> 1);
    }

    boolean isLength(int span) {
        return (to[span] & 1) == 1;
    }

    /** All values of a field behind one another: of messages, that is their merger. */
    byte[] merged(int field) {
        var merged = new ByteArrayOutputStream();
        for (int span = first[field]; span != NONE; span = next[span]) {
            merged.write(bytes, from[span], to(span) - from[span]);
        }
        return merged.toByteArray();
    }
}
