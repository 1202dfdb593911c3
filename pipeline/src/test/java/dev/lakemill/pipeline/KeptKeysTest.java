package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.BloomFilter;
import dev.lakemill.types.Rows;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;

final class KeptKeysTest {
    private static final double KEY_BYTES = 3.7;

    @Test
    void noFilterIsLargeAndAllTogetherAreLimited() {
        try (var allocator = new RootAllocator()) {
            var room = new KeptKeys.Room(4_000, 16_000);
            var first = keys(room);
            var second = keys(room);
            add(allocator, first, 9_000);
            assertThat(first.isIncomplete()).isFalse();
            add(allocator, second, 9_000);
            assertThat(second.isIncomplete()).isTrue();
            assertThat(room.left()).isZero();
            var sizes = new ArrayList<>(sizes(first));
            sizes.addAll(sizes(second));
            assertThat(sizes).allMatch(bytes -> bytes < 4_000 * KEY_BYTES);
            assertThat(sizes.stream().mapToLong(Long::longValue).sum())
                    .isLessThan((long) (16_000 * KEY_BYTES));
            second.free();
            assertThat(second.filters()).isEmpty();
            add(allocator, first, 12_000);
            assertThat(first.isIncomplete()).isFalse();
        }
    }

    @Test
    void theKeysOfAllFiltersAreFound() {
        try (var allocator = new RootAllocator()) {
            var keys = keys(new KeptKeys.Room(1_000, 16_000));
            add(allocator, keys, 9_000);
            keys.undone();
            var schema = TestRows.schema("id BIGINT");
            var asked = List.of(row(0L), row(4_500L), row(8_999L), row(100_000L));
            try (var rows = TestRows.rows(allocator, schema, asked)) {
                assertThat(keys.known(rows, first(4)).doubtful().stream()).containsExactly(0, 1, 2);
            }
        }
    }

    @Test
    void newTextsOfAnyLengthAreKnownToBeNew() {
        var schema = TestRows.schema("id STRING");
        var rule = new Rule.Test.Unique(List.of("id"));
        try (var allocator = new RootAllocator()) {
            for (var prefix : List.of("c-", "c-a", "c-ab", "c-abc")) {
                var keys = KeptKeys.of(schema, rule, KeptKeys.Room.usual()).orElseThrow();
                try (var kept = TestRows.rows(allocator, schema, texts(prefix, 10_000));
                        var fresh = TestRows.rows(allocator, schema, texts(prefix, 15_000))) {
                    add(keys, kept);
                    assertThat(keys.known(kept, first(5_000)).doubles().cardinality())
                            .isEqualTo(5_000);
                    keys.undone();
                    assertThat(keys.known(kept, first(5_000)).doubtful().cardinality())
                            .isEqualTo(5_000);
                    assertThat(keys.known(fresh, first(5_000)).doubtful().cardinality())
                            .isLessThan(10);
                }
            }
        }
    }

    @Test
    void whatIsSentTwiceIsKnownWithoutALook() {
        var schema = TestRows.schema("a STRING, b STRING, c BOOLEAN, d DECIMAL(20,2)");
        var rule = new Rule.Test.Unique(List.of("a", "b", "c", "d"));
        try (var allocator = new RootAllocator()) {
            var keys = KeptKeys.of(schema, rule, KeptKeys.Room.usual()).orElseThrow();
            var one = row("x", null, true, new BigDecimal("1.50"));
            var others =
                    List.of(
                            row(null, "x", true, new BigDecimal("1.50")),
                            row("x", "", true, new BigDecimal("1.50")),
                            row("x", null, false, new BigDecimal("1.50")),
                            row("x", null, null, new BigDecimal("1.50")),
                            row("x", null, true, new BigDecimal("1.51")));
            try (var kept = TestRows.rows(allocator, schema, List.of(one));
                    var twice = TestRows.rows(allocator, schema, List.of(one, one));
                    var fresh = TestRows.rows(allocator, schema, others)) {
                assertThat(keys.known(twice, first(2)).doubles().stream()).containsExactly(1);
                add(keys, kept);
                assertThat(keys.known(twice, first(2)).doubles().stream()).containsExactly(0, 1);
                var known = keys.known(fresh, first(others.size()));
                assertThat(known.doubles().isEmpty()).isTrue();
                assertThat(known.doubtful().isEmpty()).isTrue();
            }
        }
    }

    private static void add(KeptKeys keys, Rows rows) {
        var all = first(rows.count());
        keys.add(keys.known(rows, all), all);
    }

    private static BitSet first(int rows) {
        var first = new BitSet();
        first.set(0, rows);
        return first;
    }

    private static List<TestRows.Row> texts(String prefix, int from) {
        return IntStream.range(from, from + 5_000).mapToObj(n -> row(prefix + n)).toList();
    }

    private static KeptKeys keys(KeptKeys.Room room) {
        var rule = new Rule.Test.Unique(List.of("id"));
        return KeptKeys.of(TestRows.schema("id BIGINT"), rule, room).orElseThrow();
    }

    private static void add(BufferAllocator allocator, KeptKeys keys, long count) {
        var values = new ArrayList<TestRows.Row>();
        for (long id = 0; id < count; id++) {
            values.add(row(id));
        }
        try (var rows = TestRows.rows(allocator, TestRows.schema("id BIGINT"), values)) {
            add(keys, rows);
        }
    }

    private static List<Long> sizes(KeptKeys keys) {
        return keys.filters().stream().map(KeptKeysTest::sizeBytes).toList();
    }

    private static long sizeBytes(BloomFilter<Long> filter) {
        var bytes = new ByteArrayOutputStream();
        try {
            filter.writeTo(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.size();
    }
}
