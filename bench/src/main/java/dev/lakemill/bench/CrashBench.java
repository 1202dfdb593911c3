package dev.lakemill.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * kill -9 of the server at random moments under load, again and again, then every row is counted.
 *
 * <p>The simulators live through it all: they reconnect and send again what was not acknowledged.
 * {@code --seconds} is the longest a server lives. A crash must lose no acknowledged row, double
 * none beyond what the client itself sent again, and leave Postgres equal to Gold.
 */
final class CrashBench {
    private static final Duration READY_TIMEOUT = Duration.ofSeconds(90);
    private static final int RATE = 2_000;
    private static final long SEED = 20_261_122;

    private CrashBench() {}

    static Report run(BenchOptions options) throws IOException, InterruptedException {
        var report = new Report.Builder();
        var data = Folders.temporary("lakemill-crash");
        var settings =
                Map.of(
                        "LAKEMILL_GRPC_PORT", String.valueOf(Ports.free()),
                        "LAKEMILL_HTTP_PORT", String.valueOf(Ports.free()),
                        "LAKEMILL_POSTGRES_PORT", String.valueOf(Ports.free()));
        try {
            crash(options, data, settings, report);
        } finally {
            Folders.delete(data);
        }
        return report.build();
    }

    private static void crash(
            BenchOptions options, Path data, Map<String, String> settings, Report.Builder report)
            throws IOException, InterruptedException {
        var project = Root.folder().resolve("examples/vertical-farm");
        var random = new Random(SEED);
        var server = ServerProcess.start(project, data, settings);
        server.awaitReady(READY_TIMEOUT);
        var readySeconds = new double[options.rounds()];
        try (var simulators =
                SimulatorProcess.start(
                        server,
                        data.resolve("truth.json"),
                        event -> {},
                        List.of("--rate", String.valueOf(RATE), "--history-hours", "1"))) {
            for (int round = 0; round < options.rounds(); round++) {
                Thread.sleep(500 + random.nextInt(options.seconds() * 1_000));
                server.kill();
                server = ServerProcess.start(project, data, settings);
                readySeconds[round] = server.awaitReady(READY_TIMEOUT);
                System.err.printf(
                        "round %d of %d: ready again after %.1f s%n",
                        round + 1, options.rounds(), readySeconds[round]);
            }
            Thread.sleep(2_000);
            var truth = simulators.stop();
            server.awaitCaughtUp();
            var verification = new Verification(data, report);
            verification.running(
                    server.get("/api/status"), server.get("/api/pipelines/farm/audit"));
            report.check("server_drained", server.stop() == 0);
            verification.stopped(truth);
            report.figure("rounds", options.rounds());
            report.figure("rows_sent", truth.rows());
            report.figure("resent_rows", truth.resentRows());
            report.figure("ready_again_seconds_median", median(readySeconds));
        } finally {
            server.close();
        }
    }

    private static double median(double[] values) {
        var sorted = values.clone();
        java.util.Arrays.sort(sorted);
        return sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    }
}
