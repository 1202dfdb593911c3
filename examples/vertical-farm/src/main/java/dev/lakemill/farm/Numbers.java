package dev.lakemill.farm;

import java.util.Arrays;
import java.util.List;

/** A growing list of numbers, eight bytes each. */
final class Numbers {
    private long[] numbers = new long[16];
    private int count;

    void add(long number) {
        if (count == numbers.length) {
            numbers = Arrays.copyOf(numbers, count * 2);
        }
        numbers[count++] = number;
    }

    List<Long> list() {
        return Arrays.stream(numbers, 0, count).boxed().toList();
    }
}
