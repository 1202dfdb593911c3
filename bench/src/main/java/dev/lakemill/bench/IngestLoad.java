package dev.lakemill.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A way of sending rows: so many producers, each waiting for the acknowledgement of one row before
 * it sends the next; or one producer that keeps batches of rows in flight.
 */
record IngestLoad(int producers, boolean batched, BenchRows rows) {
    static final int BATCH_ROWS = 100;
    static final int BATCHES_IN_FLIGHT = 64;

    /** Every way of sending rows of this size. */
    static List<IngestLoad> all(BenchRows rows) {
        return List.of(
                new IngestLoad(1, false, rows),
                new IngestLoad(8, false, rows),
                new IngestLoad(64, false, rows),
                new IngestLoad(1, true, rows));
    }

    /** Its part of a figure's name. */
    String label() {
        return (batched ? "batched" : String.valueOf(producers)) + rows.size().label();
    }

    private int rowsPerMessage() {
        return batched ? BATCH_ROWS : 1;
    }

    /**
     * What one run found. Where nothing was acknowledged within the measured time, the times are
     * NaN.
     *
     * @param rowsPerSecond acknowledged; of a load that is not batched, acknowledgements
     * @param longestGapMillis between two acknowledgements, of those gaps that touch the measured
     *     time
     * @param rows acknowledged in all, also before and after the measured time
     */
    record Result(
            double p50Micros,
            double p99Micros,
            double p999Micros,
            double rowsPerSecond,
            double longestGapMillis,
            long rows) {}

    /** When one producer's messages were sent and acknowledged, from the measured time's start. */
    private static final class Samples {
        private final long fromNanos;
        private long[] sentNanos = new long[1 << 14];
        private long[] ackedNanos = new long[1 << 14];
        private int count;

        Samples(long fromNanos) {
            this.fromNanos = fromNanos;
        }

        synchronized void add(long sent, long acked) {
            if (count == sentNanos.length) {
                sentNanos = Arrays.copyOf(sentNanos, count * 2);
                ackedNanos = Arrays.copyOf(ackedNanos, count * 2);
            }
            sentNanos[count] = sent - fromNanos;
            ackedNanos[count++] = acked - fromNanos;
        }

        LongStream acked() {
            return Arrays.stream(ackedNanos, 0, count);
        }

        /** What those took that were acknowledged within the measured time. */
        LongStream tookNanos(long measuredNanos) {
            return IntStream.range(0, count)
                    .filter(i -> ackedNanos[i] >= 0 && ackedNanos[i] <= measuredNanos)
                    .mapToLong(i -> ackedNanos[i] - sentNanos[i]);
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
                producers.add(peer.open(rows));
            }
            var from = System.nanoTime() + warmUpMillis * 1_000_000;
            var to = from + measuredMillis * 1_000_000;
            var samples = send(producers, from, to);
            return result(samples, measuredMillis * 1_000_000);
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
            var samples = new Samples(from);
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
            samples.add(sent, System.nanoTime());
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
                            samples.add(sent, System.nanoTime());
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

    private Result result(List<Samples> all, long measuredNanos) {
        var took = all.stream().flatMapToLong(s -> s.tookNanos(measuredNanos)).sorted().toArray();
        var acked = all.stream().flatMapToLong(Samples::acked).sorted().toArray();
        return new Result(
                micros(took, 500),
                micros(took, 990),
                micros(took, 999),
                took.length * rowsPerMessage() / (measuredNanos / 1e9),
                longestGapNanos(acked, measuredNanos) / 1e6,
                (long) acked.length * rowsPerMessage());
    }

    private static double micros(long[] sorted, int perMille) {
        return sorted.length == 0
                ? Double.NaN
                : sorted[(int) (sorted.length * (long) perMille / 1_000)] / 1e3;
    }

    /** Of sorted times; where none is outside the measured time, its ends count as some. */
    private static long longestGapNanos(long[] acked, long measuredNanos) {
        var previous = acked.length == 0 ? 0 : Math.min(acked[0], 0);
        long longest = 0;
        for (var time : acked) {
            if (time > 0 && previous < measuredNanos) {
                longest = Math.max(longest, time - previous);
            }
            previous = time;
        }
        return Math.max(longest, measuredNanos - previous);
    }
}
