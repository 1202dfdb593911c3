package dev.lakemill.feed;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.TableName;

/** The rows of one ingested table: in memory first, Delta behind. SKELETON. */
public final class TableFeed {
    /**
     * @param bufferedBytesMax what the feed keeps in memory; who is further behind reads Delta
     */
    public TableFeed(TableName table, DeltaTable delta, long bufferedBytesMax) {}

    /** Hands rows on to all readers; retains what it keeps. Positions must ascend. */
    public void publish(TableBatch batch) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The position of the newest row handed on (or found in Delta at start). */
    public long position() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** A reader of all rows whose position is above {@code after}. */
    public TableReader reader(long after) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Runs {@code wake} whenever rows were published; it must not block. */
    public void onPublish(Runnable wake) {
        throw new UnsupportedOperationException("skeleton");
    }
}
