package dev.lakemill.sync;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.Changes;
import dev.lakemill.feed.GroupBatch;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Stands where a pipeline would: a real feed with real Delta tables behind it, and beside them what
 * the outputs hold, as plain values. Closing checks that no rows leaked.
 */
final class TestPipeline implements AutoCloseable {
    private static final TableName SOURCE = TableName.parse("farm.bronze.source");

    /** One output: what it holds, and what changed in it since the last batch. */
    private record Output(
            TableSchema schema,
            DeltaTable delta,
            List<List<@Nullable Object>> content,
            List<List<@Nullable Object>> inserted,
            List<List<@Nullable Object>> deleted) {}

    private final BufferAllocator allocator = new RootAllocator();
    private final String name;
    private final Map<TableName, Output> outputs = new HashMap<>();
    private final GroupFeed feed;
    private long batch;

    TestPipeline(
            String name, Path folder, Map<TableName, TableSchema> schemas, long bufferedBytesMax) {
        this.name = name;
        this.feed = new GroupFeed(name, bufferedBytesMax);
        schemas.forEach((table, schema) -> outputs.put(table, output(schema, folder, table)));
    }

    private Output output(TableSchema schema, Path folder, TableName table) {
        var delta =
                DeltaTable.create(
                        folder.resolve(table.toString()),
                        schema,
                        DeltaConfig.DEFAULT,
                        allocator,
                        Clock.systemUTC());
        return new Output(schema, delta, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }

    GroupFeed feed() {
        return feed;
    }

    String name() {
        return name;
    }

    List<List<@Nullable Object>> content(TableName table) {
        return output(table).content();
    }

    TestPipeline insert(TableName table, @Nullable Object... row) {
        var values = new ArrayList<@Nullable Object>(Arrays.asList(row));
        output(table).inserted().add(values);
        output(table).content().add(values);
        return this;
    }

    /** Deletes a row that is there, whole; one that came in the same batch never came. */
    TestPipeline delete(TableName table, List<@Nullable Object> row) {
        if (!output(table).content().remove(row)) {
            throw new IllegalArgumentException("no row " + row);
        }
        if (!output(table).inserted().remove(row)) {
            output(table).deleted().add(row);
        }
        return this;
    }

    private Output output(TableName table) {
        return Objects.requireNonNull(outputs.get(table));
    }

    /** What was inserted and deleted since the last one becomes the next batch. */
    long publish() {
        var changes = new HashMap<TableName, Changes>();
        outputs.forEach(
                (table, output) -> {
                    if (!output.inserted().isEmpty() || !output.deleted().isEmpty()) {
                        changes.put(table, changes(output));
                    }
                });
        batch++;
        feed.publish(
                new GroupBatch(batch, now(), Map.of(SOURCE, batch * 10), batch * 1_000, changes));
        return batch;
    }

    private Changes changes(Output output) {
        var changes =
                new Changes(
                        TestRows.of(output.schema(), output.inserted(), allocator),
                        TestRows.of(output.schema(), output.deleted(), allocator));
        output.inserted().clear();
        output.deleted().clear();
        return changes;
    }

    /** A round: all outputs stand in Delta as they are now. */
    void commit() {
        var snapshots = new HashMap<TableName, DeltaSnapshot>();
        outputs.forEach((table, output) -> snapshots.put(table, replaced(output)));
        feed.committed(
                new GroupFeed.Round(
                        batch, now(), Map.of(SOURCE, batch * 10), batch * 1_000, snapshots));
    }

    private DeltaSnapshot replaced(Output output) {
        // Lazily: rows of a repeated commit are never taken.
        var rows =
                Stream.of(output.content())
                        .map(content -> TestRows.of(output.schema(), content, allocator));
        output.delta().replace(rows.iterator(), new Txn("test/" + name, batch));
        return output.delta().snapshot();
    }

    private Instant now() {
        return Instant.ofEpochSecond(1_800_000_000L + batch);
    }

    @Override
    public void close() {
        feed.close();
        outputs.values().forEach(output -> output.delta().close());
        allocator.close();
    }
}
