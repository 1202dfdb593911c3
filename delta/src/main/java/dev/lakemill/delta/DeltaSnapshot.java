package dev.lakemill.delta;

import dev.lakemill.types.TableSchema;
import java.util.List;
import java.util.OptionalLong;

/** A table at one version; never changes. SKELETON: the signatures are agreed; bodies follow. */
public final class DeltaSnapshot {
    DeltaSnapshot() {}

    public long version() {
        throw new UnsupportedOperationException("skeleton");
    }

    public TableSchema schema() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The last committed transaction version of an application, as of this version. */
    public OptionalLong transaction(String application) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Live rows, from the statistics of the files. */
    public long rowCount() {
        throw new UnsupportedOperationException("skeleton");
    }

    public int fileCount() {
        throw new UnsupportedOperationException("skeleton");
    }

    public long sizeBytes() {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * Reads all rows, in commit order.
     *
     * @param columns names to read, in this order; empty for all
     */
    public DeltaReader read(List<String> columns) {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * Reads the rows whose position is in {@code (after, to]}, in order of position. Files outside
     * are skipped by their position range.
     */
    public DeltaReader readPositions(long after, long to) {
        throw new UnsupportedOperationException("skeleton");
    }
}
