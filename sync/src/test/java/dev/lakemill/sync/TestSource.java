package dev.lakemill.sync;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/** A real Delta table that a test writes. Closing checks that no rows leaked. */
final class TestSource implements SyncSource, AutoCloseable {
    private static final String LOG = "test-log";

    private final BufferAllocator allocator = new RootAllocator();
    private final TableName name;
    private final DeltaTable delta;
    private final @Nullable TableFeed feed;
    private volatile TableSchema schema;
    private volatile @Nullable Error broken;
    private final AtomicInteger snapshotsLeft = new AtomicInteger(Integer.MAX_VALUE);
    private long transaction;
    private long position;

    TestSource(Path folder, TableName name, TableSchema schema, boolean isFed) {
        this.name = name;
        this.schema = schema;
        this.delta =
                DeltaTable.create(
                        folder.resolve(name.toString()),
                        schema,
                        DeltaConfig.DEFAULT,
                        allocator,
                        Clock.systemUTC());
        this.feed = isFed ? new TableFeed(name, delta, LOG, 1 << 20) : null;
    }

    /** Appends rows as one file and version. */
    long append(Row... rows) {
        try (var batch = TestRows.of(schema, values(rows), allocator)) {
            return delta.append(List.of(batch), new long[0], new Txn("test", ++transaction))
                    .version();
        }
    }

    /** Makes the table hold these rows and no others. */
    long replace(Row... rows) {
        var batch = TestRows.of(schema, values(rows), allocator);
        return delta.replace(List.of(batch).iterator(), new Txn("test", ++transaction)).version();
    }

    /** Takes all rows away that have the values of these columns, and appends rows. */
    long upsert(TableSchema keys, Row gone, Row... rows) {
        try (var key = TestRows.of(keys, values(gone), allocator);
                var batch = TestRows.of(schema, values(rows), allocator)) {
            return delta.upsert(batch, key, new Txn("test", ++transaction)).version();
        }
    }

    /** Rows of the feed that Delta does not have. */
    long publish(Row... rows) {
        var batch = TestRows.of(schema, values(rows), allocator);
        position += rows.length;
        if (feed == null) {
            throw new IllegalStateException("not fed");
        }
        try (var published = new TableBatch(batch, lastPositions(rows.length), 1_000)) {
            feed.publish(published);
        }
        return position;
    }

    /** Delta gets the rows that were published last. */
    void land(Row... rows) {
        try (var batch = TestRows.of(schema, values(rows), allocator)) {
            delta.append(List.of(batch), lastPositions(rows.length), new Txn(LOG, position));
        }
    }

    private long[] lastPositions(int count) {
        return LongStream.rangeClosed(position - count + 1, position).toArray();
    }

    /** Deletes what nobody needs; returns how many files are left. */
    int vacuum() {
        return delta.vacuum(Duration.ZERO).filesAfter();
    }

    void widen(TableSchema wider) {
        delta.widen(wider);
        schema = wider;
    }

    /** No more memory for rows than is taken now, until it is taken back. */
    void limitMemory(boolean isLimited) {
        allocator.setLimit(isLimited ? allocator.getAllocatedMemory() : Long.MAX_VALUE);
    }

    /** What the next look at the table ends in. */
    void breakOnce(Error error) {
        broken = error;
    }

    boolean isBroken() {
        return broken != null;
    }

    /** After so many snapshots more, the next one ends in an error, once. */
    void breakSnapshotBehind(int snapshots) {
        snapshotsLeft.set(snapshots);
    }

    boolean isSnapshotToBreak() {
        return snapshotsLeft.get() != Integer.MAX_VALUE;
    }

    /** Values in the order of the columns. */
    record Row(List<@Nullable Object> values) {}

    static Row row(@Nullable Object... values) {
        return new Row(Arrays.asList(values));
    }

    private static List<List<@Nullable Object>> values(Row... rows) {
        return Stream.of(rows).map(Row::values).toList();
    }

    @Override
    public TableName name() {
        return name;
    }

    @Override
    public TableSchema schema() {
        return schema;
    }

    @Override
    public SourceSnapshot snapshot() {
        if (isSnapshotToBreak() && snapshotsLeft.getAndDecrement() == 0) {
            snapshotsLeft.set(Integer.MAX_VALUE);
            throw new OutOfMemoryError("for a test");
        }
        var newest = delta.snapshot();
        var log = feed == null ? newest.version() : newest.transaction(LOG).orElse(0);
        return new DeltaSourceSnapshot(newest, log, delta::snapshot);
    }

    @Override
    public boolean hasNewer(long version) {
        var error = broken;
        if (error != null) {
            broken = null;
            throw error;
        }
        return delta.snapshot().version() != version;
    }

    @Override
    public Optional<TableFeed> feed() {
        return Optional.ofNullable(feed);
    }

    @Override
    public void close() {
        if (feed != null) {
            feed.close();
        }
        delta.close();
        allocator.close();
    }
}
