package dev.lakemill.farm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;

/** Gives each element once per round, in a new order every round. */
final class Rounds<T> {
    private final List<T> elements;
    private final RandomGenerator random;
    private int at;

    Rounds(List<T> elements, RandomGenerator random) {
        this.elements = new ArrayList<>(elements);
        this.random = random;
        this.at = elements.size();
    }

    T next() {
        if (at == elements.size()) {
            for (int i = elements.size() - 1; i > 0; i--) {
                Collections.swap(elements, i, random.nextInt(i + 1));
            }
            at = 0;
        }
        return elements.get(at++);
    }
}
