package dev.lakemill.server;

import dev.lakemill.ingest.IngestTotals;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/** What is measured of ingest and the front door. */
final class NodeMetrics {
    private NodeMetrics() {}

    static void add(Metrics metrics, Supplier<IngestTotals> totals, DoubleSupplier connections) {
        metrics.counter("lakemill_rows_durable", "rows acknowledged", () -> totals.get().rows());
        metrics.gauge(
                "lakemill_log_bytes",
                "of the write-ahead log, not yet in Delta",
                () -> totals.get().logBytes());
        metrics.gauge(
                "lakemill_streams_open", "producers' streams", () -> totals.get().streamsOpen());
        metrics.gauge(
                "lakemill_streams_stalled",
                "of them wait for room or their rate",
                () -> totals.get().streamsStalled());
        metrics.gauge("lakemill_postgres_connections", "clients at the front door", connections);
    }
}
