package dev.lakemill.sync;

import dev.lakemill.delta.SnapshotDifference;
import java.time.Instant;
import java.util.Optional;

/** A source at one version, to be closed. Used by one thread. */
public interface SourceSnapshot extends SourceRows, AutoCloseable {
    long version();

    /** Up to which position of the log it has rows; where no log is, a number that rises. */
    long position();

    /** When its newest rows were committed. */
    Instant committedAt();

    /**
     * What changed since an older version; empty where only all rows are known. NOT_FOUND when that
     * version is gone, or when the table was made anew since.
     */
    Optional<SnapshotDifference> since(long version);

    @Override
    default void close() {}
}
