package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.pipeline.TestRows.Row;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;

/** What changed between two small tables. */
final class RowDifferenceTest {
    private static final String DDL = "id BIGINT, name STRING, price DOUBLE, at TIMESTAMP";

    @Test
    void equalRowsAreCounted() {
        var a = row(1L, "a", 1.0, 5L);
        var b = row(2L, null, null, null);
        assertDifference(List.of(a, a, b), List.of(b, a, a), Map.of());
        assertDifference(List.of(a, a, b), List.of(a), Map.of(a, -1, b, -1));
        assertDifference(List.of(b), List.of(a, b, a, b), Map.of(a, 2, b, 1));
        assertDifference(List.of(), List.of(a), Map.of(a, 1));
        assertDifference(List.of(a), List.of(), Map.of(a, -1));
    }

    @Test
    void eachColumnTellsRowsApart() {
        var a = row(1L, "a", 1.0, 5L);
        for (var other :
                List.of(
                        row(2L, "a", 1.0, 5L),
                        row(1L, "b", 1.0, 5L),
                        row(1L, null, 1.0, 5L),
                        row(1L, "a", 1.5, 5L),
                        row(1L, "a", 1.0, 6L))) {
            assertDifference(List.of(a), List.of(other), Map.of(a, -1, other, 1));
        }
        var notANumber = row(1L, "a", Double.NaN, 5L);
        assertDifference(List.of(notANumber), List.of(notANumber), Map.of());
        var zero = row(1L, "a", 0.0, 5L);
        var minusZero = row(1L, "a", -0.0, 5L);
        assertDifference(List.of(zero), List.of(minusZero), Map.of(zero, -1, minusZero, 1));
    }

    @Test
    void randomTablesDifferByTheirCounts() {
        for (int seed = 0; seed < 200; seed++) {
            var random = new Random(seed);
            var before = table(random);
            var after = random.nextBoolean() ? table(random) : new ArrayList<>(before);
            Collections.shuffle(after, random);
            var weights = new HashMap<String, Integer>();
            after.forEach(r -> weights.merge(r.toString(), 1, Integer::sum));
            before.forEach(r -> weights.merge(r.toString(), -1, Integer::sum));
            weights.values().removeIf(weight -> weight == 0);
            assertThat(weights(before, after)).as("seed %d", seed).isEqualTo(weights);
        }
    }

    private static List<Row> table(Random random) {
        var rows = new ArrayList<Row>();
        for (int i = random.nextInt(60); i > 0; i--) {
            rows.add(
                    row(
                            (long) random.nextInt(4),
                            random.nextInt(3) == 0 ? null : "n" + random.nextInt(3),
                            random.nextInt(2) / 2.0,
                            null));
        }
        return rows;
    }

    private static void assertDifference(
            List<Row> before, List<Row> after, Map<Row, Integer> expected) {
        var texts = new HashMap<String, Integer>();
        expected.forEach((row, weight) -> texts.put(row.toString(), weight));
        assertThat(weights(before, after)).isEqualTo(texts);
    }

    private static Map<String, Integer> weights(List<Row> before, List<Row> after) {
        var weights = new HashMap<String, Integer>();
        var schema = TestRows.schema(DDL);
        try (var allocator = new RootAllocator();
                var old = TestRows.rows(allocator, schema, before);
                var now = TestRows.rows(allocator, schema, after);
                var changes = RowDifference.between(old, now)) {
            for (var text : TestRows.texts(changes.inserted())) {
                weights.merge(text, 1, Integer::sum);
            }
            for (var text : TestRows.texts(changes.deleted())) {
                weights.merge(text, -1, Integer::sum);
            }
            var names = new HashMap<String, String>();
            for (var rows : List.of(before, after)) {
                try (var asRows = TestRows.rows(allocator, schema, rows)) {
                    var written = TestRows.texts(asRows);
                    for (int i = 0; i < written.size(); i++) {
                        names.put(written.get(i), rows.get(i).toString());
                    }
                }
            }
            var named = new HashMap<String, Integer>();
            weights.forEach((text, weight) -> named.merge(names.get(text), weight, Integer::sum));
            return named;
        }
    }
}
