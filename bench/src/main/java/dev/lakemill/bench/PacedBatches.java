package dev.lakemill.bench;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * An open loop of batches of {@link IngestLoad#BATCH_ROWS} rows at a steady rate, whether or not
 * the ones before are acknowledged; where the client takes no more, they are sent late.
 */
record PacedBatches(IngestPeer.Producer producer, double rowsPerSecond) {

    /** Hears of each batch, mostly on a network thread, which it must not block. */
    interface Observer {
        /**
         * @param dueNanos when it was to be sent, by {@link System#nanoTime}
         * @param rows sent up to and with this batch
         */
        void acknowledged(long dueNanos, long ackedNanos, long rows);
    }

    /** Starts a thread that sends for a while; gives the rows sent once all are acknowledged. */
    FutureTask<Long> start(Duration time, Observer observer) {
        var sending = new FutureTask<>(() -> send(time, observer));
        Thread.ofPlatform().name("paced-batches").daemon().start(sending);
        return sending;
    }

    private long send(Duration time, Observer observer)
            throws InterruptedException, ExecutionException {
        var until = System.nanoTime() + time.toNanos();
        var pace = new Pace(rowsPerSecond / IngestLoad.BATCH_ROWS);
        var last = CompletableFuture.<Void>completedFuture(null);
        long sent = 0;
        for (var due = pace.awaitNext(); System.nanoTime() - until < 0; due = pace.awaitNext()) {
            sent += IngestLoad.BATCH_ROWS;
            last = send(due, sent, observer);
        }
        last.get();
        return sent;
    }

    private CompletableFuture<Void> send(long dueNanos, long rows, Observer observer) {
        return producer.sendBatch()
                .thenRun(() -> observer.acknowledged(dueNanos, System.nanoTime(), rows));
    }
}
