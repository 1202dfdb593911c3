package dev.lakemill.bench;

import java.util.concurrent.CompletableFuture;

/** A server that takes rows and acknowledges them, as the ingest bench sees it. */
interface IngestPeer extends AutoCloseable {
    String name();

    /** Opens a producer of these rows, ready to send. One thread uses it. */
    Producer open(BenchRows rows) throws Exception;

    /** Waits until nothing is left to do of what was sent, so that the next one is undisturbed. */
    void settle() throws Exception;

    @Override
    void close();

    /** Sends rows; each future completes when its rows are acknowledged. */
    interface Producer extends AutoCloseable {
        CompletableFuture<Void> sendRow();

        /** {@link IngestLoad#BATCH_ROWS} rows in the largest unit that the peer knows. */
        CompletableFuture<Void> sendBatch();

        @Override
        void close();
    }
}
