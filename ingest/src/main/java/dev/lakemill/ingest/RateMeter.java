package dev.lakemill.ingest;

/**
 * How far somebody is ahead of a rate. Safe for use by many threads.
 *
 * <p>The generic cell rate algorithm (ITU-T I.371): each request moves the instant at which all of
 * it would have come at the rate; whoever is more than a second ahead of that waits.
 */
final class RateMeter {
    private static final long SECOND_NANOS = 1_000_000_000L;

    private final String what;
    private final RateLimits.Rate rate;

    /** Guarded by {@code this}: when everything so far is due at the rate. */
    private long dueNanos;

    private boolean used;

    /**
     * @param what sends at the rate, for people
     */
    RateMeter(String what, RateLimits.Rate rate) {
        this.what = what;
        this.rate = rate;
    }

    /** Counts a request. */
    synchronized void sent(int rows, int bytes, long nowNanos) {
        if (!used || dueNanos - nowNanos < 0) {
            dueNanos = nowNanos;
            used = true;
        }
        dueNanos +=
                Math.max(nanos(rows, rate.rowsPerSecond()), nanos(bytes, rate.bytesPerSecond()));
    }

    private static long nanos(int count, long perSecond) {
        return perSecond == 0 ? 0 : (long) ((double) count / perSecond * SECOND_NANOS);
    }

    /** How long the next request has to wait; zero or less for not at all. */
    synchronized long waitNanos(long nowNanos) {
        return used ? dueNanos - nowNanos - SECOND_NANOS : 0;
    }

    @Override
    public String toString() {
        var rows = rate.rowsPerSecond() == 0 ? "" : rate.rowsPerSecond() + " rows";
        var bytes = rate.bytesPerSecond() == 0 ? "" : rate.bytesPerSecond() + " bytes";
        var both = rows.isEmpty() || bytes.isEmpty() ? rows + bytes : rows + " or " + bytes;
        return "%s may send %s a second".formatted(what, both);
    }
}
