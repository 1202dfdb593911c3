package dev.lakemill.sync;

import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.HeldFiles;
import dev.lakemill.delta.SnapshotDifference;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;

/**
 * A version of a Delta table.
 *
 * @param position up to which it has rows of the log; its version where no log is
 * @param older gives other versions of the same table
 * @param files of the version, until this is closed
 */
public record DeltaSourceSnapshot(
        DeltaSnapshot delta, long position, LongFunction<DeltaSnapshot> older, HeldFiles files)
        implements SourceSnapshot {
    public DeltaSourceSnapshot(
            DeltaSnapshot delta, long position, LongFunction<DeltaSnapshot> older) {
        this(delta, position, older, HeldFiles.of(List.of(delta)));
    }

    @Override
    public long version() {
        return delta.version();
    }

    @Override
    public Instant committedAt() {
        return delta.committedAt();
    }

    @Override
    public long rowCount() {
        return delta.rowCount();
    }

    @Override
    public DeltaReader read() {
        return delta.read(List.of());
    }

    @Override
    public Optional<SnapshotDifference> since(long version) {
        return Optional.of(delta.since(older.apply(version)));
    }

    @Override
    public void close() {
        files.close();
    }
}
