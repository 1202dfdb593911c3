package dev.lakemill.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A share of the highest batched rate, held for minutes. Latency counts from when a batch was due,
 * so a server that stops for a while is charged for all that came due meanwhile.
 */
final class SoakSteady {
    private static final double SHARE = 0.8;
    private static final long HIGHEST_WARM_UP_MILLIS = 5_000;
    private static final long HIGHEST_MILLIS = 5_000;

    /** Of the last minute, with the acknowledgements that are due at its end. */
    private static final long LAST_MINUTES_MAX = 2;

    private final SoakNode node;
    private final int count;
    private final List<Minute> minutes = new ArrayList<>();

    /** What a minute showed, by the acknowledgements that came in it. */
    private record Minute(double p50Ms, double p99Ms, double residentMb) {}

    private SoakSteady(SoakNode node, SoakOptions options) {
        this.node = node;
        this.count = options.minutes();
    }

    static void run(SoakNode node, SoakOptions options, Report.Builder report) throws Exception {
        new SoakSteady(node, options).run(report);
    }

    private void run(Report.Builder report) throws Exception {
        var highest =
                new IngestLoad(1, true, SoakNode.ROWS)
                        .run(node.peer(), HIGHEST_WARM_UP_MILLIS, HIGHEST_MILLIS);
        node.peer().settle();
        var rate = SHARE * highest.rowsPerSecond();
        System.err.printf(
                "steady: %,.0f rows/s at most, %,.0f for %d min%n",
                highest.rowsPerSecond(), rate, count);
        var started = System.nanoTime();
        var rows = hold(rate);
        var seconds = (System.nanoTime() - started) / 1e9;
        node.peer().settle();
        report.check("every_row_is_in_bronze", node.bronze().rowCount() == highest.rows() + rows);
        report.figure("steady_highest_rows_per_second", highest.rowsPerSecond());
        report.figure("steady_rows_per_second", rows / seconds);
        figures(report);
    }

    /** Returns how many rows were sent and acknowledged. */
    private long hold(double rowsPerSecond) throws Exception {
        var latencies = new Latencies();
        try (var producer = node.peer().open(SoakNode.ROWS)) {
            var started = System.nanoTime();
            var sending =
                    new PacedBatches(producer, rowsPerSecond)
                            .start(
                                    Duration.ofMinutes(count),
                                    (due, acked, _) -> latencies.add(acked - due));
            for (int i = 1; i < count; i++) {
                awaitUntil(started + TimeUnit.MINUTES.toNanos(i), sending);
                minutes.add(minute(i, latencies));
            }
            var rows = sending.get(LAST_MINUTES_MAX, TimeUnit.MINUTES);
            minutes.add(minute(count, latencies));
            return rows;
        }
    }

    /** Throws what ended the sending early. */
    private static void awaitUntil(long nanos, Future<Long> sending)
            throws InterruptedException, ExecutionException {
        try {
            sending.get(nanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException _) {
            // It goes on, as it should.
        }
    }

    private Minute minute(int number, Latencies latencies) {
        var sorted = latencies.takeSortedMs();
        var minute =
                new Minute(
                        Freshness.percentile(sorted, 0.5),
                        Freshness.percentile(sorted, 0.99),
                        node.peer().server().residentMb());
        System.err.printf(
                "steady, minute %d of %d: p50 %,.1f ms, p99 %,.1f ms, %,.0f MB%n",
                number, count, minute.p50Ms(), minute.p99Ms(), minute.residentMb());
        return minute;
    }

    private void figures(Report.Builder report) {
        var first = minutes.getFirst();
        var last = minutes.getLast();
        report.figure("steady_p50_ms_first_minute", first.p50Ms());
        report.figure("steady_p50_ms_last_minute", last.p50Ms());
        report.figure("steady_p99_ms_first_minute", first.p99Ms());
        report.figure("steady_p99_ms_last_minute", last.p99Ms());
        report.figure("steady_p99_drift", last.p99Ms() / first.p99Ms());
        report.figure("steady_rss_mb_first_minute", first.residentMb());
        report.figure("steady_rss_mb_last_minute", last.residentMb());
    }
}
