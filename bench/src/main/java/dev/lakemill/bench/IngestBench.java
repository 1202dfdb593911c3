package dev.lakemill.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Durable acknowledgements, four peers in one run: a raw gRPC echo (the floor), Lakemill, and Kafka
 * that syncs every message, with a client for each producer and with one client for all.
 *
 * <p>Every server is a process of its own; all clients are this one. Rounds are interleaved, each
 * with the peers in another order, and medians over the rounds are told. Kafka's better figure is
 * the one that Lakemill is compared with.
 */
final class IngestBench {
    private static final long WARM_UP_MILLIS = 1_000;
    private static final long FIRST_WARM_UP_MILLIS = 2_000;

    private final List<IngestPeer> peers;
    private final Map<String, List<IngestLoad.Result>> results = new HashMap<>();
    private long lakemillRows;

    private IngestBench(List<IngestPeer> peers) {
        this.peers = peers;
    }

    static Report run(BenchOptions options) throws Exception {
        var folder = Folders.temporary("lakemill-bench-ingest");
        var rows = BenchRows.make();
        try (var echo = EchoPeer.start(rows);
                var lakemill = LakemillPeer.start(folder.resolve("lakemill"), rows);
                var kafka = KafkaPeer.start(folder.resolve("kafka"), rows);
                var kafkaShared = kafka.sharing()) {
            var bench = new IngestBench(List.of(echo, lakemill, kafka, kafkaShared));
            bench.warmUp();
            for (int round = 0; round < options.rounds(); round++) {
                bench.round(round, options.seconds() * 1_000L);
            }
            return bench.report(lakemill);
        } finally {
            Folders.delete(folder);
        }
    }

    private void warmUp() throws Exception {
        for (var peer : peers) {
            for (var load : IngestLoad.ALL) {
                measure(peer, load, FIRST_WARM_UP_MILLIS, 200);
            }
        }
    }

    private void round(int round, long millis) throws Exception {
        for (var load : IngestLoad.ALL) {
            for (int i = 0; i < peers.size(); i++) {
                var peer = peers.get((i + round) % peers.size());
                var result = measure(peer, load, WARM_UP_MILLIS, millis);
                results.computeIfAbsent(key(peer.name(), load), _ -> new ArrayList<>()).add(result);
                System.err.printf(
                        "round %d, load %s, %s: p50 %,.0f us, p99 %,.0f us, %,.0f rows/s%n",
                        round + 1,
                        load.label(),
                        peer.name(),
                        result.p50Micros(),
                        result.p99Micros(),
                        result.rowsPerSecond());
            }
        }
    }

    private IngestLoad.Result measure(
            IngestPeer peer, IngestLoad load, long warmUpMillis, long millis) throws Exception {
        var result = load.run(peer, warmUpMillis, millis);
        peer.settle();
        if (peer instanceof LakemillPeer) {
            lakemillRows += result.rows();
        }
        return result;
    }

    private Report report(LakemillPeer lakemill) throws Exception {
        var report = new Report.Builder();
        var one = IngestLoad.ALL.getFirst();
        var eight = IngestLoad.ALL.get(1);
        var batched = IngestLoad.ALL.getLast();
        var bronzeRows = lakemill.bronzeRows();
        report.check("lakemill_keeps_every_row_once", bronzeRows == lakemillRows);
        report.figure("lakemill_rows_acked", lakemillRows);
        report.figure("lakemill_rows_bronze", bronzeRows);
        report.figure(
                "p50_vs_echo_1",
                median("lakemill", one, IngestLoad.Result::p50Micros)
                        / median("echo", one, IngestLoad.Result::p50Micros));
        report.figure(
                "acks_vs_durable_kafka_8",
                rowsPerSecond("lakemill", eight)
                        / Math.max(
                                rowsPerSecond("kafka", eight),
                                rowsPerSecond("kafka_shared", eight)));
        report.figure("batched_rows_per_second", rowsPerSecond("lakemill", batched));
        for (var load : IngestLoad.ALL) {
            for (var peer : peers) {
                figures(report, peer.name(), load);
            }
        }
        return report.build();
    }

    private void figures(Report.Builder report, String peer, IngestLoad load) {
        var prefix = key(peer, load);
        report.figure(prefix + "_p50_us", median(peer, load, IngestLoad.Result::p50Micros));
        report.figure(prefix + "_p99_us", median(peer, load, IngestLoad.Result::p99Micros));
        report.figure(
                prefix + (load.batched() ? "_rows_per_second" : "_acks_per_second"),
                rowsPerSecond(peer, load));
    }

    private double rowsPerSecond(String peer, IngestLoad load) {
        return median(peer, load, IngestLoad.Result::rowsPerSecond);
    }

    private double median(String peer, IngestLoad load, ToDoubleFunction<IngestLoad.Result> what) {
        var found = results.getOrDefault(key(peer, load), List.of());
        var sorted = found.stream().mapToDouble(what).sorted().toArray();
        if (sorted.length == 0) {
            throw new IllegalStateException("no round was run");
        }
        return sorted[sorted.length / 2];
    }

    private static String key(String peer, IngestLoad load) {
        return peer + "_" + load.label();
    }
}
