package dev.lakemill.delta;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Numbers different texts in the order in which they come. Not thread-safe. */
final class BytesDictionary {
    private static final int SLOTS_MIN = 256;
    private static final long MIX = 0x9E3779B97F4A7C15L;
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Differs, so that nobody can send texts that all share a slot. */
    private final long seed = ThreadLocalRandom.current().nextLong();

    /** Open addressing: 1 + the id of a text, or 0. Their count is a power of two. */
    private int[] slots = new int[SLOTS_MIN];

    /** By id, as {@code ends}. */
    private int[] hashes = new int[SLOTS_MIN / 2];

    /** Where the text ends in {@code content}; it begins where the one before ends. */
    private int[] ends = new int[SLOTS_MIN / 2];

    private byte[] content = new byte[SLOTS_MIN * 16];
    private int size;

    int size() {
        return size;
    }

    /** Where all texts stand, one behind the other. */
    byte[] content() {
        return content;
    }

    int start(int id) {
        return id == 0 ? 0 : ends[id - 1];
    }

    int end(int id) {
        return ends[id];
    }

    /** Finds or gives the id of a text. */
    int id(byte[] bytes, int from, int to) {
        int hash = hash(bytes, from, to);
        int mask = slots.length - 1;
        int slot = hash & mask;
        while (slots[slot] != 0) {
            int id = slots[slot] - 1;
            if (hashes[id] == hash
                    && Arrays.equals(content, start(id), ends[id], bytes, from, to)) {
                return id;
            }
            slot = (slot + 1) & mask;
        }
        add(hash, bytes, from, to);
        slots[slot] = size;
        if (size == ends.length) {
            grow();
        }
        return size - 1;
    }

    private void add(int hash, byte[] bytes, int from, int to) {
        int start = start(size);
        int end = Math.addExact(start, to - from);
        if (end > content.length) {
            content = Arrays.copyOf(content, (int) Math.min(Integer.MAX_VALUE - 8, 2L * end));
        }
        System.arraycopy(bytes, from, content, start, to - from);
        hashes[size] = hash;
        ends[size++] = end;
    }

    private int hash(byte[] bytes, int from, int to) {
        long even = seed + (to - from) * MIX;
        long odd = ~seed;
        int at = from;
        for (; to - at >= 2 * Long.BYTES; at += 2 * Long.BYTES) {
            even = mixed(even, (long) LONG.get(bytes, at));
            odd = mixed(odd, (long) LONG.get(bytes, at + Long.BYTES));
        }
        if (to - at >= Long.BYTES) {
            even = mixed(even, (long) LONG.get(bytes, at));
            at += Long.BYTES;
        }
        long rest = 0;
        for (; at < to; at++) {
            rest = (rest << 8) | (bytes[at] & 0xFF);
        }
        return (int) (mixed(mixed(even, odd), rest) >>> 32);
    }

    private static long mixed(long hash, long bytes) {
        long product = (hash ^ bytes) * MIX;
        return product ^ (product >>> 32);
    }

    /** Leaves half of the slots empty. */
    private void grow() {
        hashes = Arrays.copyOf(hashes, size * 2);
        ends = Arrays.copyOf(ends, size * 2);
        slots = new int[size * 4];
        int mask = slots.length - 1;
        for (int id = 0; id < size; id++) {
            int slot = hashes[id] & mask;
            while (slots[slot] != 0) {
                slot = (slot + 1) & mask;
            }
            slots[slot] = id + 1;
        }
    }
}
