package dev.lakemill.ingest;

import java.util.Comparator;
import java.util.List;

/** All rates that one stream has to keep. Safe for use by many threads. */
record Pace(List<RateMeter> meters) {
    /** As fast as there is room. */
    static final Pace FREE = new Pace(List.of());

    void sent(int rows, int bytes, long nowNanos) {
        for (var meter : meters) {
            meter.sent(rows, bytes, nowNanos);
        }
    }

    /** How long the next request has to wait; zero for not at all. */
    long waitNanos(long nowNanos) {
        long wait = 0;
        for (var meter : meters) {
            wait = Math.max(wait, meter.waitNanos(nowNanos));
        }
        return wait;
    }

    /** What is said when the wait is too long. */
    Refusal refusal() {
        long now = System.nanoTime();
        var slowest =
                meters.stream()
                        .max(Comparator.comparingLong(meter -> meter.waitNanos(now)))
                        .orElseThrow();
        return Refusal.limit(slowest.toString(), "send slower; ingest.* in lakemill.yml limits it");
    }
}
