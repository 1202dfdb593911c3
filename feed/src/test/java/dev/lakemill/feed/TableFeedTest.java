package dev.lakemill.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableFeedTest {
    private static final TableName NAME = TableName.parse("a.b.c");
    private static final TableSchema SCHEMA = TableSchema.of(Column.required("n", Primitive.LONG));
    private static final String LOG = "log/test";

    @TempDir private Path folder;
    private final RootAllocator allocator = new RootAllocator();
    private DeltaTable delta;

    @BeforeEach
    void create() {
        delta =
                DeltaTable.create(
                        folder.resolve("t"),
                        SCHEMA,
                        DeltaConfig.DEFAULT,
                        allocator,
                        Clock.systemUTC());
    }

    @AfterEach
    void nothingLeaks() {
        delta.close();
        assertThat(allocator.getAllocatedMemory()).isZero();
        allocator.close();
    }

    @Test
    void aReaderSeesWhatIsPublishedAfterItsPosition() {
        try (var feed = new TableFeed(NAME, delta, LOG, 1 << 20);
                var reader = feed.reader(2)) {
            publish(feed, 1, 2, 3, 4);
            assertThat(all(reader, Long.MAX_VALUE, 100)).containsExactly(3L, 4L);
            publish(feed, 5);
            assertThat(all(reader, Long.MAX_VALUE, 100)).containsExactly(5L);
            assertThat(reader.position()).isEqualTo(5);
        }
    }

    @Test
    void aPositionIsNeverSplit() {
        try (var feed = new TableFeed(NAME, delta, LOG, 1 << 20);
                var reader = feed.reader(0)) {
            publish(feed, 1, 1, 1, 2, 2, 3);
            assertThat(next(reader, Long.MAX_VALUE, 2)).containsExactly(1L, 1L, 1L);
            assertThat(next(reader, Long.MAX_VALUE, 2)).containsExactly(2L, 2L);
            assertThat(next(reader, 2, 2)).isEmpty();
            assertThat(next(reader, 3, 2)).containsExactly(3L);
        }
    }

    @Test
    void aReaderBehindMemoryReadsDeltaAndClimbsBack() {
        try (var feed = new TableFeed(NAME, delta, LOG, 1)) {
            for (int n = 1; n <= 20; n++) {
                publish(feed, n, n);
            }
            commit(1, 15);
            try (var reader = feed.reader(3)) {
                assertThat(all(reader, Long.MAX_VALUE, 4))
                        .as("memory has only the newest, Delta only up to 15")
                        .isEqualTo(twice(4, 15));
                commit(16, 19);
                assertThat(all(reader, Long.MAX_VALUE, 4)).isEqualTo(twice(16, 20));
                assertThat(reader.position()).isEqualTo(20);
            }
        }
    }

    @Test
    void aFailedReadOfDeltaLosesNothingAndIsRepeated() throws IOException {
        commit(1, 5);
        commit(6, 10);
        var first = dataFiles();
        commit(11, 15);
        var last = dataFiles().stream().filter(f -> !first.contains(f)).findFirst().orElseThrow();
        var aside = folder.resolve("aside");
        Files.move(last, aside);
        try (var feed = new TableFeed(NAME, delta, LOG, 1 << 20);
                var reader = feed.reader(0)) {
            assertThat(next(reader, Long.MAX_VALUE, 100)).isEqualTo(twice(1, 5));
            assertThatThrownBy(() -> next(reader, Long.MAX_VALUE, 100))
                    .isInstanceOf(LakemillException.class);
            assertThat(allocator.getAllocatedMemory()).isZero();
            Files.move(aside, last);
            assertThat(all(reader, Long.MAX_VALUE, 4)).isEqualTo(twice(6, 15));
        }
    }

    private List<Path> dataFiles() throws IOException {
        try (var files = Files.list(folder.resolve("t"))) {
            return files.filter(file -> file.toString().endsWith(".parquet")).toList();
        }
    }

    @Test
    void aFeedStartsWhereDeltaStands() {
        commit(1, 7);
        try (var feed = new TableFeed(NAME, delta, LOG, 1 << 20);
                var reader = feed.reader(5)) {
            assertThat(feed.position()).isEqualTo(7);
            assertThatThrownBy(() -> publish(feed, 7)).hasMessageContaining("not above 7");
            assertThat(all(reader, Long.MAX_VALUE, 100)).isEqualTo(twice(6, 7));
            publish(feed, 8);
            assertThat(all(reader, Long.MAX_VALUE, 100)).containsExactly(8L);
        }
    }

    @Test
    void anyMixOfBoundariesGivesEveryRowOnceInOrder() {
        for (int seed = 0; seed < 30; seed++) {
            anyMix(seed);
        }
    }

    private void anyMix(int seed) {
        var random = new Random(seed);
        try (var table =
                        DeltaTable.create(
                                folder.resolve("mix" + seed),
                                SCHEMA,
                                DeltaConfig.DEFAULT,
                                allocator,
                                Clock.systemUTC());
                var feed = new TableFeed(NAME, table, LOG, 1 + random.nextInt(400));
                var reader = feed.reader(0)) {
            var seen = new ArrayList<Long>();
            long committed = 0;
            for (int n = 1; n <= 60; n++) {
                publish(feed, n, n);
                if (random.nextInt(4) == 0) {
                    append(table, committed + 1, n);
                    committed = n;
                }
                if (random.nextBoolean()) {
                    seen.addAll(all(reader, 1 + random.nextInt(n), 1 + random.nextInt(6)));
                }
            }
            append(table, committed + 1, 60);
            seen.addAll(all(reader, Long.MAX_VALUE, 3));
            assertThat(seen).as("seed %d", seed).isEqualTo(twice(1, 60));
        }
    }

    /** Each position with two rows, as {@code publish(feed, n, n)} makes them. */
    private static List<Long> twice(long from, long to) {
        var rows = new ArrayList<Long>();
        for (long n = from; n <= to; n++) {
            rows.add(n);
            rows.add(n);
        }
        return rows;
    }

    private static List<Long> all(TableReader reader, long to, int rowsMax) {
        var seen = new ArrayList<Long>();
        for (var some = next(reader, to, rowsMax);
                !some.isEmpty();
                some = next(reader, to, rowsMax)) {
            seen.addAll(some);
        }
        return seen;
    }

    private static List<Long> next(TableReader reader, long to, int rowsMax) {
        var seen = new ArrayList<Long>();
        try (var batch = reader.poll(to, rowsMax)) {
            if (batch != null) {
                var vector = (BigIntVector) batch.rows().vector(0);
                for (int i = 0; i < vector.getValueCount(); i++) {
                    assertThat(batch.positions()[i]).isEqualTo(vector.get(i));
                    seen.add(vector.get(i));
                }
            }
        }
        return seen;
    }

    private void publish(TableFeed feed, long... positions) {
        try (var rows = rows(positions)) {
            feed.publish(new TableBatch(rows, positions, 1));
        }
    }

    private void commit(long from, long to) {
        append(delta, from, to);
    }

    private void append(DeltaTable table, long from, long to) {
        if (from > to) {
            return;
        }
        var positions = twice(from, to).stream().mapToLong(Long::longValue).toArray();
        try (var rows = rows(positions)) {
            table.append(List.of(rows), positions, new Txn(LOG, to));
        }
    }

    private Rows rows(long... values) {
        var rows = Rows.empty(SCHEMA, allocator);
        var vector = (BigIntVector) rows.vector(0);
        vector.allocateNew(values.length);
        for (int i = 0; i < values.length; i++) {
            vector.set(i, values[i]);
        }
        rows.root().setRowCount(values.length);
        return rows;
    }
}
