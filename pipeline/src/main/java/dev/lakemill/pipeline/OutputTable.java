package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.Rows;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;

/** An output in Delta, whose commits carry the number of the batch they reach. */
interface OutputTable {
    /** The batch of the last commit; empty before the first. */
    OptionalLong committed();

    /** The batch of the last commit that is at most {@code batch}; empty when there is none. */
    OptionalLong committedAt(long batch);

    /** Appends; nothing happens when the batch was committed already. */
    void append(List<Rows> rows, long batch);

    /** Replaces the content; nothing happens when the batch was committed already. */
    void replace(Iterator<Rows> rows, long batch);

    /** The table as it was when its last commit was at most {@code batch}. */
    DeltaSnapshot snapshotAt(long batch);

    DeltaSnapshot snapshot();

    /**
     * Has vacuum leave what a recovery from {@code batch}, the last complete round, loads, and the
     * round's own snapshot, however long ago the round was.
     */
    void keep(DeltaSnapshot snapshot, long batch);
}
