package dev.lakemill.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A way of sending rows: so many producers, each waiting for the acknowledgement of one row before
 * it sends the next; or one producer that keeps batches of rows in flight.
 */
record IngestLoad(int producers, boolean batched) {
    static final int ROW_BYTES = 200;
    static final int BATCH_ROWS = 100;
    static final int BATCHES_IN_FLIGHT = 64;
    static final List<IngestLoad> ALL =
            List.of(
                    new IngestLoad(1, false),
                    new IngestLoad(8, false),
                    new IngestLoad(64, false),
                    new IngestLoad(1, true));

    /** Its part of a figure's name. */
    String label() {
        return batched ? "batched" : String.valueOf(producers);
    }

    /**
     * What one run found.
     *
     * @param rowsPerSecond acknowledged; of a load that is not batched, acknowledgements
     * @param rows acknowledged in all, also before and after the measured time
     */
    record Result(double p50Micros, double p99Micros, double rowsPerSecond, long rows) {}

    /** Times from sending to acknowledgement; samples that come too early do not count. */
    private static final class Samples {
        private final long fromNanos;
        private final long toNanos;
        private long[] nanos = new long[1 << 14];
        private int count;
        private long rows;

        Samples(long fromNanos, long toNanos) {
            this.fromNanos = fromNanos;
            this.toNanos = toNanos;
        }

        synchronized void add(long sentNanos, long ackedNanos, int rowsAcked) {
            rows += rowsAcked;
            if (ackedNanos - fromNanos < 0 || ackedNanos - toNanos > 0) {
                return;
            }
            if (count == nanos.length) {
                nanos = java.util.Arrays.copyOf(nanos, count * 2);
            }
            nanos[count++] = ackedNanos - sentNanos;
        }
    }

    /**
     * Sends for a while, the first part of it unmeasured.
     *
     * @param warmUpMillis before the measured time
     */
    Result run(IngestPeer peer, long warmUpMillis, long measuredMillis) throws Exception {
        var producers = new ArrayList<IngestPeer.Producer>();
        try {
            for (int i = 0; i < this.producers; i++) {
                producers.add(peer.open());
            }
            var from = System.nanoTime() + warmUpMillis * 1_000_000;
            var to = from + measuredMillis * 1_000_000;
            var samples = send(producers, from, to);
            return result(samples, measuredMillis / 1e3);
        } finally {
            producers.forEach(IngestPeer.Producer::close);
        }
    }

    private List<Samples> send(List<IngestPeer.Producer> producers, long from, long to)
            throws Exception {
        var failure = new AtomicReference<Exception>();
        var threads = new ArrayList<Thread>();
        var all = new ArrayList<Samples>();
        for (var producer : producers) {
            var samples = new Samples(from, to);
            all.add(samples);
            threads.add(Thread.startVirtualThread(() -> send(producer, samples, to, failure)));
        }
        for (var thread : threads) {
            thread.join();
        }
        var first = failure.get();
        if (first != null) {
            throw first;
        }
        return all;
    }

    private void send(
            IngestPeer.Producer producer,
            Samples samples,
            long to,
            AtomicReference<Exception> failure) {
        try {
            if (batched) {
                sendBatches(producer, samples, to);
            } else {
                sendRows(producer, samples, to);
            }
        } catch (ExecutionException | RuntimeException e) {
            failure.compareAndSet(null, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure.compareAndSet(null, e);
        }
    }

    private static void sendRows(IngestPeer.Producer producer, Samples samples, long to)
            throws InterruptedException, ExecutionException {
        for (var sent = System.nanoTime(); sent - to < 0; sent = System.nanoTime()) {
            producer.sendRow().get();
            samples.add(sent, System.nanoTime(), 1);
        }
    }

    private static void sendBatches(IngestPeer.Producer producer, Samples samples, long to)
            throws InterruptedException, ExecutionException {
        var window = new Semaphore(BATCHES_IN_FLIGHT);
        var lost = new AtomicLong();
        var last = CompletableFuture.<Void>completedFuture(null);
        while (System.nanoTime() - to < 0) {
            window.acquire();
            var sent = System.nanoTime();
            last = producer.sendBatch();
            last.whenComplete(
                    (_, error) -> {
                        if (error == null) {
                            samples.add(sent, System.nanoTime(), BATCH_ROWS);
                        } else {
                            lost.incrementAndGet();
                        }
                        window.release();
                    });
        }
        last.get();
        window.acquire(BATCHES_IN_FLIGHT);
        if (lost.get() > 0) {
            throw new IllegalStateException(lost + " batches were not acknowledged");
        }
    }

    private Result result(List<Samples> all, double seconds) {
        var sorted =
                all.stream()
                        .flatMapToLong(s -> java.util.Arrays.stream(s.nanos, 0, s.count))
                        .sorted()
                        .toArray();
        if (sorted.length == 0) {
            throw new IllegalStateException("nothing was acknowledged within the measured time");
        }
        return new Result(
                sorted[sorted.length / 2] / 1e3,
                sorted[(int) (sorted.length * 99L / 100)] / 1e3,
                sorted.length * (batched ? BATCH_ROWS : 1) / seconds,
                all.stream().mapToLong(s -> s.rows).sum());
    }
}
