package dev.lakemill.sync;

import dev.lakemill.delta.SnapshotDifference;
import dev.lakemill.feed.TableBatch;
import java.util.List;

/** How a source went on since what its tables show. */
sealed interface Advance {
    /** The table is compared with all of it. */
    record Whole(SourceRows rows) implements Advance {}

    /**
     * Files went and came.
     *
     * @param all rows that there are now, for when what changed is too large for memory
     */
    record Difference(SnapshotDifference difference, SourceRows all) implements Advance {}

    /** Rows came. */
    record Appended(List<TableBatch> batches) implements Advance {}
}
