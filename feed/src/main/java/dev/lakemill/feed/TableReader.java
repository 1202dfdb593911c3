package dev.lakemill.feed;

import org.jspecify.annotations.Nullable;

/** One consumer's place in a {@link TableFeed}. One thread uses it.. */
public interface TableReader extends AutoCloseable {
    /**
     * The next rows with positions in {@code (position(), to]}, at most {@code rowsMax} (but never
     * part of one position); null when there are none now. The caller closes the batch. From memory
     * where they still are, otherwise from Delta, in the same order.
     */
    @Nullable TableBatch poll(long to, int rowsMax);

    /** The position up to which rows were returned. */
    long position();

    @Override
    void close();
}
