package dev.lakemill.bench;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.Changes;
import dev.lakemill.feed.GroupBatch;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.sync.Sync;
import dev.lakemill.sync.SyncPlan;
import dev.lakemill.sync.SyncedTableSpec;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.VarCharVector;

/**
 * A real Postgres with one synced table of ten columns, fed by hand: {@code serving.items}, key
 * {@code id}, from 0.
 */
final class SyncedFixture implements AutoCloseable {
    static final TableName SOURCE = TableName.parse("bench.gold.items");
    static final TableName SYNCED = TableName.parse("bench.serving.items");
    static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("a", Primitive.LONG),
                    Column.nullable("b", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING),
                    Column.nullable("site", Primitive.STRING),
                    Column.nullable("note", Primitive.STRING),
                    Column.nullable("x", Primitive.DOUBLE),
                    Column.nullable("y", Primitive.DOUBLE),
                    Column.nullable("made_at", Primitive.TIMESTAMP),
                    Column.nullable("seen_at", Primitive.TIMESTAMP));
    private static final String APPLICATION = "bench";
    private static final int CHANGED_ROWS = 100;

    private final RootAllocator allocator = new RootAllocator();
    private final Path folder;
    private final Postgres postgres;
    private final GroupFeed feed = new GroupFeed("bench", 256L << 20);
    private final DeltaTable delta;
    private long batch;
    private long version;
    private final Sync sync;

    /** Everything but the synced table, which {@link #load} brings. */
    SyncedFixture() throws IOException {
        folder = Folders.temporary("lakemill-bench");
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("postgres"), 0));
        delta =
                DeltaTable.create(
                        folder.resolve("items"),
                        SCHEMA,
                        DeltaConfig.DEFAULT,
                        allocator,
                        Clock.systemUTC());
        sync = Sync.start(plan(), feed, postgres.ownerUnpooled());
    }

    Postgres postgres() {
        return postgres;
    }

    /** Loads rows 0 to {@code rows} from Delta; returns seconds until Postgres shows them. */
    double load(int rows) throws InterruptedException {
        batch++;
        var batches = new ArrayList<Rows>();
        for (int from = 0; from < rows; from += 50_000) {
            batches.add(rows(from, Math.min(rows, from + 50_000), 0));
        }
        delta.append(batches, new long[0], new Txn(APPLICATION, batch));
        batches.forEach(Rows::close);
        var startedNanos = System.nanoTime();
        feed.committed(
                new GroupFeed.Round(
                        batch, Instant.now(), Map.of(), 0, Map.of(SOURCE, delta.snapshot())));
        awaitBatch();
        return (System.nanoTime() - startedNanos) / 1e9;
    }

    /** Hands on a batch that changes rows {@code from} to {@code to}; does not wait for it. */
    void change(int from, int to) {
        publish(changes(from, to));
    }

    /** Rows {@code from} to {@code to}, changed, for {@link #publish}. */
    Changes changes(int from, int to) {
        version++;
        return new Changes(rows(from, to, version), rows(from, to, version - 1));
    }

    /** Hands on a batch; does not wait for it. */
    void publish(Changes changes) {
        batch++;
        feed.publish(new GroupBatch(batch, Instant.now(), Map.of(), 0, Map.of(SOURCE, changes)));
    }

    /** Batches handed on that Postgres does not show yet. */
    long batchesBehind() {
        return batch - sync.status().getFirst().batch();
    }

    /** Reads of a table that changes meanwhile. */
    interface Reads<T> {
        T read() throws SQLException, InterruptedException;
    }

    /** Runs while ten times a second the same {@value #CHANGED_ROWS} rows change. */
    <T> T whileChanging(Reads<T> reads) throws SQLException, InterruptedException {
        var writer =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        while (!Thread.interrupted()) {
                                            change(0, CHANGED_ROWS);
                                            Thread.sleep(100);
                                        }
                                    } catch (InterruptedException _) {
                                        Thread.currentThread().interrupt();
                                    }
                                });
        try {
            return reads.read();
        } finally {
            writer.interrupt();
            writer.join();
            awaitBatch();
        }
    }

    /** Waits until Postgres shows every batch handed on. */
    void awaitBatch() throws InterruptedException {
        while (sync.status().getFirst().batch() < batch) {
            Thread.sleep(1);
        }
    }

    @Override
    public void close() throws IOException {
        sync.close();
        feed.close();
        delta.close();
        postgres.close();
        Folders.delete(folder);
    }

    private static SyncPlan plan() {
        return new SyncPlan(
                "bench",
                List.of(new SyncedTableSpec(SYNCED, SOURCE, SCHEMA, List.of("id"), List.of())));
    }

    private Rows rows(int from, int to, long version) {
        var rows = Rows.empty(SCHEMA, allocator);
        var count = to - from;
        for (int column = 0; column < SCHEMA.size(); column++) {
            var vector = rows.vector(column);
            vector.setInitialCapacity(count);
            vector.allocateNew();
            for (int i = 0; i < count; i++) {
                set(vector, column, i, from + i, version);
            }
            vector.setValueCount(count);
        }
        rows.root().setRowCount(count);
        return rows;
    }

    private static void set(FieldVector vector, int column, int index, long id, long version) {
        switch (vector) {
            case BigIntVector v -> v.setSafe(index, column == 0 ? id : id * column + version);
            case Float8Vector v -> v.setSafe(index, id * 0.5 + version);
            case TimeStampMicroTZVector v ->
                    v.setSafe(index, 1_790_000_000_000_000L + id * 1_000 + version);
            case VarCharVector v ->
                    v.setSafe(
                            index,
                            ("value " + id % 1_000 + " of column " + column)
                                    .getBytes(StandardCharsets.UTF_8));
            default -> throw new IllegalStateException(vector.getClass().getName());
        }
    }
}
