package dev.lakemill.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FeedReadersTest {
    private static final TableName NAME = TableName.parse("a.b.c");
    private static final TableSchema SCHEMA = TableSchema.of(Column.required("n", Primitive.LONG));
    private static final String LOG = "log/test";

    @TempDir Path folder;

    @Test
    void aFailedReadLeaksNothingAndIsRepeated() throws IOException {
        try (var allocator = new RootAllocator();
                var delta =
                        DeltaTable.create(
                                folder.resolve("t"),
                                SCHEMA,
                                DeltaConfig.DEFAULT,
                                allocator,
                                Clock.systemUTC())) {
            append(delta, allocator, 1);
            append(delta, allocator, 2);
            var before = dataFiles();
            append(delta, allocator, 3);
            var last = dataFiles().stream().filter(f -> !before.contains(f)).findFirst();
            var aside = folder.resolve("aside");
            Files.move(last.orElseThrow(), aside);
            try (var feed = new TableFeed(NAME, delta, LOG, 1 << 20);
                    var readers = new FeedReaders()) {
                assertThrows(LakemillException.class, () -> readers.poll(NAME, feed, 0));
                assertEquals(0, allocator.getAllocatedMemory());
                Files.move(aside, last.orElseThrow());
                var batches = readers.poll(NAME, feed, 0);
                assertEquals(
                        List.of(1L, 2L, 3L),
                        batches.stream().map(TableBatch::lastPosition).toList());
                batches.forEach(TableBatch::close);
            }
        }
    }

    @Test
    void rowsOfManyBytesComeInParts() {
        var schema = TableSchema.of(Column.required("text", Primitive.STRING));
        try (var allocator = new RootAllocator();
                var delta =
                        DeltaTable.create(
                                folder.resolve("wide"),
                                schema,
                                DeltaConfig.DEFAULT,
                                allocator,
                                Clock.systemUTC());
                var feed = new TableFeed(NAME, delta, LOG, 64 << 20);
                var readers = new FeedReaders()) {
            for (var position = 1L; position <= 3; position++) {
                var rows = TestRows.of(schema, List.of(List.of("x".repeat(10 << 20))), allocator);
                try (var batch = new TableBatch(rows, new long[] {position}, 0)) {
                    feed.publish(batch);
                }
            }
            assertEquals(2, pollAndClose(readers, feed, 0));
            assertEquals(1, pollAndClose(readers, feed, 2));
        }
    }

    private static int pollAndClose(FeedReaders readers, TableFeed feed, long after) {
        var batches = readers.poll(NAME, feed, after);
        batches.forEach(TableBatch::close);
        return batches.size();
    }

    private static void append(DeltaTable delta, RootAllocator allocator, long position) {
        try (var rows = TestRows.of(SCHEMA, List.of(List.of(position)), allocator)) {
            delta.append(List.of(rows), new long[] {position}, new Txn(LOG, position));
        }
    }

    private List<Path> dataFiles() throws IOException {
        try (var files = Files.list(folder.resolve("t"))) {
            return files.filter(file -> file.toString().endsWith(".parquet")).toList();
        }
    }
}
