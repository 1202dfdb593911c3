package dev.lakemill.bench;

import java.util.concurrent.TimeUnit;

/**
 * When the events of an open loop are due: evenly from its start on, however late the ones before
 * were. One thread uses it.
 */
final class Pace {
    private final long startNanos = System.nanoTime();
    private final double perSecond;
    private long events;

    Pace(double perSecond) {
        this.perSecond = perSecond;
    }

    /** Waits until the next event is due. Returns when that was, by {@link System#nanoTime}. */
    long awaitNext() throws InterruptedException {
        var due = startNanos + (long) (events++ * 1e9 / perSecond);
        TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
        return due;
    }
}
