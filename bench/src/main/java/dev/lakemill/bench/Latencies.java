package dev.lakemill.bench;

import java.util.Arrays;

/** Gathers times until somebody takes them. Safe for use by many threads. */
final class Latencies {
    private long[] nanos = new long[1 << 14];
    private int count;

    synchronized void add(long latencyNanos) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, count * 2);
        }
        nanos[count++] = latencyNanos;
    }

    /** Those since the last call in milliseconds, ascending; at least one. */
    double[] takeSortedMs() {
        var taken = take();
        if (taken.length == 0) {
            throw new IllegalStateException("nothing was acknowledged within the measured time");
        }
        return Arrays.stream(taken).mapToDouble(time -> time / 1e6).sorted().toArray();
    }

    private synchronized long[] take() {
        var taken = Arrays.copyOf(nanos, count);
        count = 0;
        return taken;
    }
}
