package dev.lakemill.farm;

/**
 * Says how many rows are due, so that they flow at a steady rate. After a pause it makes up for 50
 * milliseconds at most: what was missed before is never sent in a burst.
 */
final class Pacer {
    private static final double MADE_UP_SECONDS_MAX = 0.05;

    private final double rowsPerSecond;
    private long lastNanos;
    private double credit;

    Pacer(double rowsPerSecond, long startNanos) {
        this.rowsPerSecond = rowsPerSecond;
        this.lastNanos = startNanos;
    }

    /** Rows due since the call before. */
    int due(long nowNanos) {
        var most = Math.max(1, rowsPerSecond * MADE_UP_SECONDS_MAX);
        credit = Math.min(most, credit + rowsPerSecond * (nowNanos - lastNanos) / 1e9);
        lastNanos = nowNanos;
        var due = (int) credit;
        credit -= due;
        return due;
    }
}
