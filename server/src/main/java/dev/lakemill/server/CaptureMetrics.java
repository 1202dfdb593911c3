package dev.lakemill.server;

import dev.lakemill.capture.Capture;
import dev.lakemill.capture.CaptureStatus;

/** What is measured of the capture of state tables. */
final class CaptureMetrics {
    private CaptureMetrics() {}

    static void add(Metrics metrics, Capture capture) {
        metrics.gauge(
                "lakemill_capture_streaming",
                "1 while changes of state tables are read",
                () -> capture.status().state() == CaptureStatus.State.STREAMING ? 1 : 0);
        metrics.gauge(
                "lakemill_capture_lag_bytes",
                "of its log that Postgres keeps for the replication slot",
                () -> capture.lagBytes().orElse(0));
        metrics.counter(
                "lakemill_capture_changes",
                "changes of state tables written to histories",
                () -> capture.status().changes());
        metrics.gauge(
                "lakemill_capture_commit_to_delta_seconds",
                "from the commit in Postgres to Delta, of the last commit",
                () -> capture.status().commitToDeltaMillis() / 1e3);
    }
}
