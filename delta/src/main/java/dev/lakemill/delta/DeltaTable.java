package dev.lakemill.delta;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.TableManager;
import io.delta.kernel.exceptions.TableAlreadyExistsException;
import io.delta.kernel.utils.CloseableIterable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.arrow.memory.BufferAllocator;

/**
 * A Delta table at a location, with this process as its only row writer.
 *
 * <p>Commits of one table are serialized inside; reads run beside them on immutable snapshots.
 * Other processes may read it at any time, and may maintain it (Spark's OPTIMIZE): a commit that
 * they win is made again on top of theirs. All methods may be called from any thread.
 *
 * <p>A failed write leaves at most an orphan file, which {@link #vacuum} deletes, and can be
 * repeated with the same {@link Txn}: UNAVAILABLE when the disk is full or failing,
 * FAILED_PRECONDITION when the folder cannot be written, INVALID_ARGUMENT when the rows do not fit
 * the schema (a null in a NOT NULL column among them).
 */
public final class DeltaTable implements AutoCloseable {
    /** Outcome of a commit. */
    public sealed interface Commit {
        /** The version of the table after the commit. */
        long version();

        record Done(long version) implements Commit {}

        /** The txn was there already (or a later one): nothing was written. */
        record Repeated(long version) implements Commit {}
    }

    /** What compaction or vacuum did. */
    public record Maintenance(int filesBefore, int filesAfter, long bytesFreed) {}

    private final TableContext table;
    private final TableLog log;
    private final TableWriter writer;
    private final Checkpoints checkpoints;
    private final Upserts upserts;
    private final ReentrantLock maintenance = new ReentrantLock();
    private final ReentrantLock upserting = new ReentrantLock();

    private DeltaTable(TableContext table) {
        this.table = table;
        this.log = new TableLog(table);
        this.writer = new TableWriter(table, log);
        this.upserts = new Upserts(table, log, writer);
        this.checkpoints = new Checkpoints(table, log);
        log.onCheckpointDue(checkpoints::runSoon);
    }

    /** Makes the table's folder and version 0. ALREADY_EXISTS when there is a table. */
    public static DeltaTable create(
            Path location,
            TableSchema schema,
            DeltaConfig config,
            BufferAllocator allocator,
            Clock clock) {
        return create(TableContext.of(location, config, allocator, clock, new LocalDisk()), schema);
    }

    static DeltaTable create(TableContext table, TableSchema schema) {
        if (schema.indexOf(TableContext.POSITION).isPresent()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "column name '%s' is reserved".formatted(TableContext.POSITION),
                    "name the column otherwise");
        }
        try {
            table.disk().createFolder(table.logFolder());
            table.disk().syncFolder(table.location());
            table.disk().syncFolder(table.location().resolveSibling(""));
            TableManager.buildCreateTableTransaction(
                            table.name(), KernelTypes.kernel(schema), TableLog.ENGINE)
                    .withTableProperties(TableProperties.ofNewTable(table.config()))
                    .withDataLayoutSpec(KernelTypes.layout(table.config().layout()))
                    .withMaxRetries(0)
                    .build(table.engine())
                    .commit(table.engine(), CloseableIterable.emptyIterable());
        } catch (RuntimeException e) {
            if (e instanceof TableAlreadyExistsException || TableLog.isConflict(e)) {
                throw alreadyExists(table, e);
            }
            throw Failures.of("creation", table.location(), e);
        } catch (IOException e) {
            throw Failures.of("creation", table.location(), e);
        }
        return new DeltaTable(table);
    }

    private static LakemillException alreadyExists(TableContext table, RuntimeException cause) {
        return new LakemillException(
                ErrorCode.ALREADY_EXISTS,
                "there is a Delta table at %s already".formatted(table.location()),
                "open it, or choose another location",
                cause);
    }

    /** Opens an existing table. NOT_FOUND when there is none. */
    public static DeltaTable open(
            Path location, DeltaConfig config, BufferAllocator allocator, Clock clock) {
        return open(TableContext.of(location, config, allocator, clock, new LocalDisk()));
    }

    static DeltaTable open(TableContext table) {
        checkExists(table);
        return new DeltaTable(table);
    }

    /**
     * The newest snapshot of a table that is another's: nothing is written to it, as {@link #open}
     * does. NOT_FOUND when there is none.
     */
    public static DeltaSnapshot read(Path location, BufferAllocator allocator) {
        return read(foreign(location, allocator));
    }

    /** The same at a version. NOT_FOUND when it is gone or not there yet. */
    public static DeltaSnapshot read(Path location, long version, BufferAllocator allocator) {
        var table = foreign(location, allocator);
        return TableLog.at(table, read(table), version);
    }

    private static DeltaSnapshot read(TableContext table) {
        checkExists(table);
        var newest = TableLog.load(table);
        TableProperties.checkSupported(newest);
        return new DeltaSnapshot(table, newest);
    }

    private static TableContext foreign(Path location, BufferAllocator allocator) {
        return TableContext.of(
                location, DeltaConfig.DEFAULT, allocator, Clock.systemUTC(), new LocalDisk());
    }

    private static void checkExists(TableContext table) {
        if (!exists(table.location())) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no Delta table at %s".formatted(table.location()),
                    "create it, or mend the location");
        }
    }

    public static boolean exists(Path location) {
        var log = location.resolve("_delta_log");
        if (!Files.isDirectory(log)) {
            return false;
        }
        try (var files = Files.newDirectoryStream(log, "*.{json,parquet}")) {
            return files.iterator().hasNext();
        } catch (IOException e) {
            throw Failures.reading(log, e);
        }
    }

    /**
     * Appends the rows as one Parquet file (zstd, with column statistics) in one commit. Without
     * rows, only the transaction is noted.
     *
     * @param rows stay the caller's to close
     * @param positions one position per row, ascending, over all batches; written as the physical
     *     column {@code _position} of the Parquet file, which is not part of the table's schema, so
     *     that no other reader sees it; empty for tables without positions
     */
    public Commit append(List<Rows> rows, long[] positions, Txn txn) {
        return writer.append(rows, positions, txn);
    }

    /**
     * Appends any number of rows in one commit, as files of about the target size.
     *
     * @param rows each batch that is taken is closed here; none is taken when the commit is a
     *     repeated one
     */
    public Commit append(Iterator<Rows> rows, Txn txn) {
        return writer.append(rows, txn);
    }

    /**
     * Takes the rows of some keys away and adds rows, in one commit. Files that held such a row are
     * written anew without it; see {@link Upserts}.
     *
     * @param rows of the table's schema; stay the caller's to close
     * @param keys of rows that go: columns of the table that are never NULL, under their names;
     *     stay the caller's to close
     * @throws LakemillException UNIMPLEMENTED for a partitioned table
     */
    public Commit upsert(Rows rows, Rows keys, Txn txn) {
        upserting.lock();
        try {
            return upserts.run(rows, keys, txn);
        } finally {
            upserting.unlock();
        }
    }

    /** The newest rows of some keys, which the caller closes; keys as in {@link #upsert}. */
    public List<Rows> find(Rows keys) {
        upserting.lock();
        try {
            return upserts.find(keys);
        } finally {
            upserting.unlock();
        }
    }

    /**
     * Replaces the whole content in one commit: new files added, all old files removed.
     *
     * @param rows each batch that is taken is closed here; none is taken when the commit is a
     *     repeated one
     */
    public Commit replace(Iterator<Rows> rows, Txn txn) {
        return writer.replace(snapshot().schema(), rows, txn);
    }

    /**
     * The same, with other columns from then on: whoever reads sees the old table or the new one.
     *
     * @param schema has the partition columns
     */
    public Commit replace(TableSchema schema, Iterator<Rows> rows, Txn txn) {
        if (snapshot().clusteredBy().stream().anyMatch(c -> schema.indexOf(c).isEmpty())) {
            cluster(List.of());
        }
        return writer.replace(schema, rows, txn);
    }

    /**
     * Gives the table the columns, in one commit: those that it has, of the same types or of wider
     * ones ({@link dev.lakemill.types.TypeWidening}), and others that may be NULL, which the rows
     * that it has are then. Nothing happens when it has them all. After a wider type, readers need
     * Delta's table feature {@code typeWidening}.
     *
     * @throws LakemillException FAILED_PRECONDITION for another change
     */
    public void widen(TableSchema schema) {
        log.widen(schema);
    }

    /**
     * Says by which columns whoever rewrites files is to sort; none for not at all.
     *
     * @throws LakemillException FAILED_PRECONDITION for a table that is partitioned
     */
    public void cluster(List<String> columns) {
        log.cluster(columns);
    }

    /** The newest snapshot. Cheap: the commit chain is kept in memory. */
    public DeltaSnapshot snapshot() {
        return log.newest();
    }

    /** The snapshot at a version. NOT_FOUND when it is gone or not there yet. */
    public DeltaSnapshot snapshot(long version) {
        return log.at(version);
    }

    /**
     * The newest snapshot whose last transaction of {@code application} is at most {@code
     * txnVersion}: how a recovery steps back over a commit that its siblings do not have yet.
     */
    public DeltaSnapshot snapshotAt(String application, long txnVersion) {
        return log.snapshotAt(application, txnVersion);
    }

    /**
     * Has vacuum and the cleaning of the log leave a snapshot whole, and the one that {@link
     * #snapshotAt} gives for a transaction, until the next call: a recovery may go back to them,
     * however long ago they were.
     *
     * @param snapshot not newer than the other
     */
    public void keep(DeltaSnapshot snapshot, Txn txn) {
        log.keep(snapshot, txn);
    }

    /** The last committed transaction version of an application. */
    public OptionalLong transaction(String application) {
        return log.newest().transaction(application);
    }

    /**
     * Joins adjacent small files in commit order, dataChange=false; positions stay. Files of other
     * writers are left alone. Runs beside appends; one compaction or vacuum at a time.
     */
    public Maintenance compact() {
        maintenance.lock();
        try {
            return new Compaction(table, log, writer).run();
        } finally {
            maintenance.unlock();
        }
    }

    /**
     * Deletes data files that no snapshot within {@code retention} needs, and orphans of that age;
     * none that somebody reads, or that is to be kept.
     *
     * @param retention at most the configured file retention, which the log remembers removed files
     *     for; INVALID_ARGUMENT otherwise
     */
    public Maintenance vacuum(Duration retention) {
        maintenance.lock();
        try {
            return new Vacuum(table, log).run(retention);
        } finally {
            maintenance.unlock();
        }
    }

    /** Writes a checkpoint now and cleans expired log files. */
    public void checkpoint() {
        checkpoints.run();
    }

    public TableSchema schema() {
        return log.newest().schema();
    }

    public Path location() {
        return table.location();
    }

    /** Waits for a checkpoint that is being written. Snapshots and readers stay usable. */
    @Override
    public void close() {
        checkpoints.close();
    }
}
