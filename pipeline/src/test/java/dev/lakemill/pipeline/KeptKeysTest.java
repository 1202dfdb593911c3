package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.BloomFilter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;

final class KeptKeysTest {
    private static final double KEY_BYTES = 2.5;

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
            var schema = TestRows.schema("id BIGINT");
            var asked = List.of(row(0L), row(4_500L), row(8_999L), row(100_000L));
            try (var rows = TestRows.rows(allocator, schema, asked)) {
                assertThat(keys.doubtful(rows, 4).stream()).containsExactly(0, 1, 2);
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
                    keys.add(kept);
                    assertThat(keys.doubtful(kept, 5_000).cardinality()).isEqualTo(5_000);
                    assertThat(keys.doubtful(fresh, 5_000).cardinality()).isLessThan(10);
                }
            }
        }
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
            keys.add(rows);
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
