package dev.lakemill.delta;

import dev.lakemill.types.Rows;
import org.jspecify.annotations.Nullable;

/** Batches of a snapshot, one after the other; memory is one batch. One thread uses it. */
public interface DeltaReader extends AutoCloseable {
    /** The next batch, which the caller closes; null at the end. */
    @Nullable Rows next();

    /** Positions of the rows of the batch last returned; empty when read without positions. */
    long[] positions();

    @Override
    void close();
}
