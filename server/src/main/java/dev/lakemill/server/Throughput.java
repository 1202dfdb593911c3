package dev.lakemill.server;

import java.util.ArrayDeque;
import java.util.function.LongSupplier;

/** Rows a second, as the mean of the last seconds, from a counter that only goes up. */
final class Throughput implements AutoCloseable {
    private static final int WINDOW_SECONDS = 5;

    /** The counter at an instant of System.nanoTime. */
    private record Sample(long atNanos, long rows) {}

    private final LongSupplier rows;
    private final ArrayDeque<Sample> samples = new ArrayDeque<>();
    private final Sample first;
    private final Thread sampler;

    Throughput(LongSupplier rows) {
        this.rows = rows;
        this.first = sample();
        this.sampler = Thread.ofVirtual().name("throughput").start(this::run);
    }

    /** Over the window. */
    synchronized double rowsPerSecond() {
        var oldest = samples.peekFirst();
        return oldest == null ? 0 : between(oldest, sample());
    }

    /** Over the whole life of this process. */
    double rowsPerSecondMean() {
        return between(first, sample());
    }

    @Override
    public void close() {
        sampler.interrupt();
    }

    private void run() {
        try {
            while (true) {
                synchronized (this) {
                    samples.addLast(sample());
                    if (samples.size() > WINDOW_SECONDS) {
                        samples.removeFirst();
                    }
                }
                Thread.sleep(1_000);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private Sample sample() {
        return new Sample(System.nanoTime(), rows.getAsLong());
    }

    private static double between(Sample from, Sample to) {
        var seconds = (to.atNanos() - from.atNanos()) / 1e9;
        return seconds <= 0 ? 0 : (to.rows() - from.rows()) / seconds;
    }
}
