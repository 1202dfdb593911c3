package dev.lakemill.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * First the engine alone: {@link BatchBench}. Then micro-batches of the farm's whole pipeline (four
 * feeds, rules, every Gold view) in a real server at a rising rate: how long a batch takes, over
 * the state of 24 hours of history.
 *
 * <p>{@code --rounds} is how many seconds each rate runs.
 */
final class PipelineBench {
    private static final Duration READY_TIMEOUT = Duration.ofSeconds(90);
    private static final int ENGINE_BATCHES = 101;
    private static final int[] RATES = {500, 2_000, 8_000};

    private PipelineBench() {}

    static Report run(BenchOptions options) throws IOException, InterruptedException {
        var report = new Report.Builder();
        var folder = Folders.temporary("lakemill-batch");
        try {
            BatchBench.run(folder, ENGINE_BATCHES, report);
        } finally {
            Folders.delete(folder);
        }
        for (var rate : RATES) {
            measure(options, rate, report);
        }
        return report.build();
    }

    private static void measure(BenchOptions options, int rate, Report.Builder report)
            throws IOException, InterruptedException {
        var data = Folders.temporary("lakemill-pipeline");
        var settings =
                Map.of(
                        "LAKEMILL_GRPC_PORT", "0",
                        "LAKEMILL_HTTP_PORT", "0",
                        "LAKEMILL_POSTGRES_PORT", "0");
        var project = Root.folder().resolve("examples/vertical-farm");
        try (var server = ServerProcess.start(project, data, settings)) {
            server.awaitReady(READY_TIMEOUT);
            var historyDone = new java.util.concurrent.CountDownLatch(1);
            try (var simulators =
                    SimulatorProcess.start(
                            server,
                            data.resolve("truth.json"),
                            event -> {
                                if (event.path("type").asText().equals("progress")
                                        && event.path("done").asLong()
                                                >= event.path("total").asLong()) {
                                    historyDone.countDown();
                                }
                            },
                            List.of("--rate", String.valueOf(rate)))) {
                historyDone.await();
                Thread.sleep(3_000);
                var batches = watch(server, options.rounds());
                report.figure("batch_ms_p50_at_" + rate + "_rows_per_second", at(batches, 0.5));
                report.figure("batch_ms_p99_at_" + rate + "_rows_per_second", at(batches, 0.99));
                report.check("batches_ran", !batches.isEmpty());
                simulators.stop();
            }
        } finally {
            Folders.delete(data);
        }
    }

    /** The duration of each batch that could be seen by asking often. */
    private static List<Double> watch(ServerProcess server, int seconds)
            throws IOException, InterruptedException {
        var durations = new ArrayList<Double>();
        long seen = -1;
        var started = System.nanoTime();
        while (System.nanoTime() - started < seconds * 1_000_000_000L) {
            var pipeline = server.get("/api/status").get("pipelines").get(0);
            if (pipeline.get("batch").asLong() != seen) {
                seen = pipeline.get("batch").asLong();
                durations.add(pipeline.get("batch_ms").asDouble());
            }
            Thread.sleep(50);
        }
        durations.sort(null);
        return durations;
    }

    private static double at(List<Double> sorted, double share) {
        return sorted.isEmpty()
                ? Double.NaN
                : sorted.get((int) Math.min(sorted.size() - 1, sorted.size() * share));
    }
}
