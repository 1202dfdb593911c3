package dev.lakemill.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Durable acknowledgements, four peers in one run: a raw gRPC echo (the floor), Lakemill, and Kafka
 * that syncs every message, with a client for each producer and with one client for all. The matrix
 * adds Kafka as it comes, Postgres by COPY and by INSERT, larger rows, and Lakemill at a distance
 * and on a slow disk.
 *
 * <p>A durable acknowledgement takes at least an echo and a sync of the disk, one after the other,
 * so one producer also meets an echo that does just that.
 *
 * <p>Every server is a process of its own; all clients are this one. Rounds are interleaved, each
 * with the peers in another order, and medians over the rounds are told. Kafka's better figure is
 * the one that Lakemill is compared with.
 */
final class IngestBench {
    private static final long WARM_UP_MILLIS = 1_000;
    private static final long FIRST_WARM_UP_MILLIS = 2_000;
    private static final String UNACKED = "nothing was acknowledged within the measured time";

    /** By load; the peers of one take turns. */
    private final List<List<Series>> byLoad;

    private long lakemillRows;

    /** A peer under a load, and its results by round. */
    private record Series(IngestPeer peer, IngestLoad load, List<IngestLoad.Result> results) {
        Series(IngestPeer peer, IngestLoad load) {
            this(peer, load, new ArrayList<>());
        }

        String name() {
            return peer.name() + "_" + load.label();
        }

        double median(ToDoubleFunction<IngestLoad.Result> what) {
            return Report.median(results.stream().map(what::applyAsDouble).toList());
        }

        double rowsPerSecond() {
            return median(IngestLoad.Result::rowsPerSecond);
        }
    }

    private IngestBench(List<List<Series>> byLoad) {
        this.byLoad = byLoad;
    }

    /**
     * @param matrix every peer and size of rows, instead of those that are quick
     */
    static Report run(BenchOptions options, boolean matrix) throws Exception {
        var folder = Folders.temporary("lakemill-bench-ingest");
        try (var peers = new IngestPeers(folder)) {
            var loads = IngestLoad.all(BenchRows.make(BenchRows.Size.SMALL));
            var bench = new IngestBench(matrix ? matrix(peers, loads) : few(peers, loads));
            bench.warmUp();
            for (int round = 0; round < options.rounds(); round++) {
                bench.round(round, options.seconds() * 1_000L);
            }
            return bench.report(peers.lakemill(), matrix);
        } finally {
            Folders.delete(folder);
        }
    }

    private static List<List<Series>> few(IngestPeers peers, List<IngestLoad> loads)
            throws Exception {
        var byLoad = series(peers, loads);
        byLoad.getFirst().add(new Series(peers.durableEcho(), loads.getFirst()));
        return byLoad;
    }

    private static List<List<Series>> series(IngestPeers peers, List<IngestLoad> loads) {
        var byLoad = new ArrayList<List<Series>>();
        for (var load : loads) {
            var all = peers.compared().stream().map(peer -> new Series(peer, load)).toList();
            byLoad.add(new ArrayList<>(all));
        }
        return byLoad;
    }

    private static List<List<Series>> matrix(IngestPeers peers, List<IngestLoad> small)
            throws Exception {
        peers.addOthers();
        var large = IngestLoad.all(BenchRows.make(BenchRows.Size.LARGE));
        var byLoad = few(peers, small);
        byLoad.addAll(series(peers, large));
        byLoad.add(List.of(new Series(peers.onSlowDisk(), small.get(2))));
        byLoad.add(List.of(new Series(peers.distant(), large.getLast())));
        return byLoad;
    }

    /** By small rows alone: larger ones take the same ways. */
    private void warmUp() throws Exception {
        for (var series : all()) {
            if (series.load().rows().size() == BenchRows.Size.SMALL) {
                measure(series, FIRST_WARM_UP_MILLIS, 200);
            }
        }
    }

    private List<Series> all() {
        return byLoad.stream().flatMap(List::stream).toList();
    }

    private void round(int round, long millis) throws Exception {
        for (var turns : byLoad) {
            for (int i = 0; i < turns.size(); i++) {
                var series = turns.get((i + round) % turns.size());
                var result = measure(series, WARM_UP_MILLIS, millis);
                series.results().add(result);
                System.err.printf(
                        "round %d, load %s, %s: p50 %,.0f us, p99 %,.0f us, %,.0f rows/s,"
                                + " longest gap %,.0f ms%n",
                        round + 1,
                        series.load().label(),
                        series.peer().name(),
                        result.p50Micros(),
                        result.p99Micros(),
                        result.rowsPerSecond(),
                        result.longestGapMillis());
            }
        }
    }

    private IngestLoad.Result measure(Series series, long warmUpMillis, long millis)
            throws Exception {
        var result = series.load().run(series.peer(), warmUpMillis, millis);
        series.peer().settle();
        if (series.peer() instanceof LakemillPeer) {
            lakemillRows += result.rows();
        }
        return result;
    }

    private Report report(LakemillPeer lakemill, boolean matrix) throws Exception {
        var report = new Report.Builder();
        var bronzeRows = lakemill.bronzeRows();
        report.check("lakemill_keeps_every_row_once", bronzeRows == lakemillRows);
        report.figure("lakemill_rows_acked", lakemillRows);
        report.figure("lakemill_rows_bronze", bronzeRows);
        var p50 = find("lakemill_1").median(IngestLoad.Result::p50Micros);
        var echo = find("echo_1").median(IngestLoad.Result::p50Micros);
        figure(report, "p50_vs_echo_1", p50 / echo);
        var durable = find("durable_echo_1").median(IngestLoad.Result::p50Micros);
        figure(report, "p50_vs_durable_echo_1", p50 / durable);
        figure(
                report,
                "acks_vs_durable_kafka_8",
                find("lakemill_8").rowsPerSecond()
                        / Math.max(
                                find("kafka_8").rowsPerSecond(),
                                find("kafka_shared_8").rowsPerSecond()));
        report.figure("batched_rows_per_second", find("lakemill_batched").rowsPerSecond());
        if (matrix) {
            var distant = find("lakemill_10ms_rtt_batched_1kb").rowsPerSecond();
            report.figure("mb_per_second_10ms_rtt", distant * BenchRows.Size.LARGE.bytes() / 1e6);
            report.figure(
                    "acks_per_second_slow_disk_64", find("lakemill_slow_disk_64").rowsPerSecond());
        }
        all().forEach(series -> figures(report, series));
        return report.build();
    }

    private Series find(String name) {
        return all().stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
    }

    private static void figures(Report.Builder report, Series series) {
        var name = series.name();
        figure(report, name + "_p50_us", series.median(IngestLoad.Result::p50Micros));
        figure(report, name + "_p99_us", series.median(IngestLoad.Result::p99Micros));
        figure(report, name + "_p999_us", series.median(IngestLoad.Result::p999Micros));
        report.figure(
                name + (series.load().batched() ? "_rows_per_second" : "_acks_per_second"),
                series.rowsPerSecond());
        if (series.peer() instanceof LakemillPeer) {
            report.figure(
                    name + "_longest_gap_ms",
                    series.results().stream()
                            .mapToDouble(IngestLoad.Result::longestGapMillis)
                            .max()
                            .orElseThrow());
        }
    }

    private static void figure(Report.Builder report, String name, double value) {
        if (Double.isFinite(value)) {
            report.figure(name, value);
        } else {
            report.missing(name, UNACKED);
        }
    }
}
