package dev.lakemill.delta;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Numbers different numbers in the order in which they come. Not thread-safe. */
final class NumberDictionary {
    private static final int SLOTS_MIN = 256;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    /** Differs, so that nobody can send numbers that all share a slot. */
    private final long seed = ThreadLocalRandom.current().nextLong();

    /** Open addressing: 1 + the id of a number, or 0. Their count is a power of two. */
    private int[] slots = new int[SLOTS_MIN];

    private long[] values = new long[SLOTS_MIN / 2];
    private int size;

    int size() {
        return size;
    }

    /** By id. */
    long[] values() {
        return values;
    }

    /** Finds or gives the ids of numbers, each at the same index. */
    void ids(long[] numbers, int from, int to, int[] ids) {
        for (int i = from; i < to; i++) {
            ids[i] = i > from && numbers[i] == numbers[i - 1] ? ids[i - 1] : id(numbers[i]);
        }
    }

    private int id(long number) {
        int mask = slots.length - 1;
        int slot = slot(number) & mask;
        while (slots[slot] != 0) {
            int id = slots[slot] - 1;
            if (values[id] == number) {
                return id;
            }
            slot = (slot + 1) & mask;
        }
        int id = size++;
        values[id] = number;
        slots[slot] = size;
        if (size == values.length) {
            grow();
        }
        return id;
    }

    private int slot(long number) {
        long product = (number ^ seed) * MIX;
        return (int) (product >>> 32);
    }

    /** Leaves half of the slots empty. */
    private void grow() {
        values = Arrays.copyOf(values, size * 2);
        slots = new int[size * 4];
        int mask = slots.length - 1;
        for (int id = 0; id < size; id++) {
            int slot = slot(values[id]) & mask;
            while (slots[slot] != 0) {
                slot = (slot + 1) & mask;
            }
            slots[slot] = id + 1;
        }
    }
}
