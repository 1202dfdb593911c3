package dev.lakemill.bench;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * How long after its acknowledgement a row can be read from the Delta table by somebody who opens
 * it anew, again and again.
 *
 * <p>Rows are told apart by their number: one producer fills an empty table, so its n-th row is
 * there once a snapshot has n rows. How long a look takes, and the pause between two, is in it.
 */
final class SoakVisible {
    private static final int ROWS_PER_SECOND = 20_000;
    private static final Duration WARM_UP = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int PAUSE_MS = 20;

    private final SoakNode node;
    private final Duration time;
    private final long measuredFromNanos = System.nanoTime() + WARM_UP.toNanos();
    private final Queue<Acknowledged> unseen = new ConcurrentLinkedQueue<>();
    private final Latencies latencies = new Latencies();
    private int liveFiles;
    private int looks;

    /** A batch that is not in the table as far as is known. */
    private record Acknowledged(long atNanos, long rows) {}

    private SoakVisible(SoakNode node, SoakOptions options) {
        this.node = node;
        this.time = WARM_UP.plusSeconds(options.seconds());
    }

    static void run(SoakNode node, SoakOptions options, Report.Builder report) throws Exception {
        new SoakVisible(node, options).run(report);
    }

    private void run(Report.Builder report) throws Exception {
        System.err.printf("visible: %,d rows/s for %d s%n", ROWS_PER_SECOND, time.toSeconds());
        try (var producer = node.peer().open(SoakNode.ROWS)) {
            var sending =
                    new PacedBatches(producer, ROWS_PER_SECOND)
                            .start(
                                    time,
                                    (_, acked, rows) -> unseen.add(new Acknowledged(acked, rows)));
            read(sending);
            sending.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        var sorted = latencies.takeSortedMs();
        var p50 = Freshness.percentile(sorted, 0.5);
        var p95 = Freshness.percentile(sorted, 0.95);
        System.err.printf(
                "visible: p50 %,.0f ms, p95 %,.0f ms in %,d looks; %,d live files%n",
                p50, p95, looks, liveFiles);
        report.check("every_acknowledged_row_was_visible", unseen.isEmpty());
        report.figure("bronze_visible_ms_p50", p50);
        report.figure("bronze_visible_ms_p95", p95);
        report.figure("bronze_live_files", liveFiles);
    }

    /** Looks until everything that was sent is seen, or should have been. */
    private void read(Future<Long> sending) throws InterruptedException {
        var until = System.nanoTime() + time.plus(PATIENCE).toNanos();
        do {
            Thread.sleep(PAUSE_MS);
            look();
        } while ((!sending.isDone() || !unseen.isEmpty()) && System.nanoTime() - until < 0);
    }

    private void look() {
        var snapshot = node.bronze();
        var rows = snapshot.rowCount();
        var now = System.nanoTime();
        liveFiles = snapshot.fileCount();
        looks++;
        for (var next = unseen.peek(); next != null && next.rows() <= rows; next = unseen.peek()) {
            unseen.remove();
            if (next.atNanos() - measuredFromNanos >= 0) {
                latencies.add(Math.max(0, now - next.atNanos()));
            }
        }
    }
}
