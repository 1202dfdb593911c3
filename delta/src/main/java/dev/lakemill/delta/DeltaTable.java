package dev.lakemill.delta;

import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import org.apache.arrow.memory.BufferAllocator;

/**
 * A Delta table at a location, with this process as its only row writer. SKELETON: the signatures
 * are agreed; bodies follow.
 *
 * <p>Commits of one table are serialized inside; reads run beside them on immutable snapshots.
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

    private DeltaTable() {}

    /** Makes the table's folder and version 0. ALREADY_EXISTS when there is a table. */
    public static DeltaTable create(
            Path location,
            TableSchema schema,
            DeltaConfig config,
            BufferAllocator allocator,
            Clock clock) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Opens an existing table. NOT_FOUND when there is none. */
    public static DeltaTable open(
            Path location, DeltaConfig config, BufferAllocator allocator, Clock clock) {
        throw new UnsupportedOperationException("skeleton");
    }

    public static boolean exists(Path location) {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * Appends the rows as one Parquet file (zstd, with column statistics) in one commit.
     *
     * @param positions one position per row, ascending, over all batches; written as the physical
     *     column {@code _position} of the Parquet file, which is not part of the table's schema, so
     *     that no other reader sees it; empty for tables without positions
     */
    public Commit append(List<Rows> rows, long[] positions, Txn txn) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Replaces the whole content in one commit: new files added, all old files removed. */
    public Commit replace(Iterator<Rows> rows, Txn txn) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The newest snapshot. Cheap: the commit chain is kept in memory. */
    public DeltaSnapshot snapshot() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The snapshot at a version. NOT_FOUND when it is gone or not there yet. */
    public DeltaSnapshot snapshot(long version) {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * The newest snapshot whose last transaction of {@code application} is at most {@code
     * txnVersion}: how a recovery steps back over a commit that its siblings do not have yet.
     */
    public DeltaSnapshot snapshotAt(String application, long txnVersion) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The last committed transaction version of an application. */
    public OptionalLong transaction(String application) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Joins adjacent small files in commit order, dataChange=false; positions stay. */
    public Maintenance compact() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Deletes data files that no snapshot within {@code retention} needs, and orphans. */
    public Maintenance vacuum(Duration retention) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Writes a checkpoint now and cleans expired log files. */
    public void checkpoint() {
        throw new UnsupportedOperationException("skeleton");
    }

    public TableSchema schema() {
        throw new UnsupportedOperationException("skeleton");
    }

    public Path location() {
        throw new UnsupportedOperationException("skeleton");
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException("skeleton");
    }
}
