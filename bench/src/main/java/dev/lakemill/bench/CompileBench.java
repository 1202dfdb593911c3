package dev.lakemill.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;

/**
 * Deploys of a pipeline of 30 tables in a real server: the first one, for which the compiler's
 * process starts; edits while it is there; and what 100 deploys leave in the server's memory.
 *
 * <p>{@code --rounds} is how many edits are timed.
 */
final class CompileBench {
    private static final Duration READY_TIMEOUT = Duration.ofSeconds(90);

    /** The server keeps the compiler for two minutes after the last text. */
    private static final Duration IDLE_TIMEOUT = Duration.ofSeconds(150);

    private static final Duration TAKE_OVER_TIMEOUT = Duration.ofSeconds(60);
    private static final int TEN = 10;
    private static final int DEPLOYS = 100;
    private static final double COLD_MS_MAX = 5_000;
    private static final double EDIT_MS_MAX = 500;

    /** Of the server's memory, that 100 deploys may seem to take: what the collector left lying. */
    private static final double GROWTH_MAX = 1.1;

    private final ServerProcess server;
    private final Path text;
    private int edits;

    private CompileBench(ServerProcess server, Path text) {
        this.server = server;
        this.text = text;
    }

    static Report run(BenchOptions options) throws IOException, InterruptedException {
        var project = Folders.temporary("lakemill-compile");
        var report = new Report.Builder();
        try {
            var text = Files.createDirectory(project.resolve("pipelines")).resolve("t.sql");
            Files.writeString(text, "CREATE TABLE c.first.t (id BIGINT);");
            Files.writeString(
                    project.resolve("lakemill.yml"),
                    "pipelines:\n  - name: c\n    folder: pipelines\n");
            var settings =
                    Map.of(
                            "LAKEMILL_GRPC_PORT", "0",
                            "LAKEMILL_HTTP_PORT", "0",
                            "LAKEMILL_POSTGRES_PORT", "0");
            try (var server = ServerProcess.start(project, project.resolve("data"), settings)) {
                server.awaitReady(READY_TIMEOUT);
                new CompileBench(server, text).run(options.rounds(), report);
            }
        } finally {
            Folders.delete(project);
        }
        return report.build();
    }

    private void run(int rounds, Report.Builder report) throws IOException, InterruptedException {
        server.await(IDLE_TIMEOUT, "without a compiler's process", () -> !hasCompiler());
        report.check("the_compiler_ends_when_idle", true);
        var cold = deploy();
        report.figure("deploy_30_tables_cold_ms", cold);
        report.check("deploy_of_30_tables_within_5_s", cold <= COLD_MS_MAX);
        var millis = new double[rounds];
        for (var i = 0; i < rounds; i++) {
            millis[i] = deploy();
        }
        Arrays.sort(millis);
        var median = millis[rounds / 2];
        report.figure("edit_ms_median", median);
        report.figure("edit_ms_max", millis[rounds - 1]);
        report.check("edit_within_500_ms", median <= EDIT_MS_MAX);
        var before = server.residentMb();
        for (var i = 0; i < DEPLOYS; i++) {
            deploy();
        }
        var after = server.residentMb();
        report.figure("server_mb_before_100_deploys", before);
        report.figure("server_mb_after_100_deploys", after);
        report.check("100_deploys_leave_the_memory_as_it_was", after <= GROWTH_MAX * before);
    }

    private boolean hasCompiler() {
        return ProcessHandle.of(server.pid()).stream()
                .flatMap(ProcessHandle::descendants)
                .anyMatch(p -> p.info().commandLine().orElse("").contains("CompilerMain"));
    }

    /** Writes the text with one view changed; returns milliseconds until it runs. */
    private double deploy() throws IOException, InterruptedException {
        Files.writeString(text, text(++edits));
        var rest = server.rest();
        var began = System.nanoTime();
        var answer = rest.post("/api/pipelines/c/refresh", Map.of());
        if (!answer.ok()) {
            throw new IOException("edit %d: %s".formatted(edits, answer.body()));
        }
        if (!answer.body().path("message").asText().contains("runs")) {
            server.await(TAKE_OVER_TIMEOUT, "at the new text", this::runs);
        }
        return (System.nanoTime() - began) / 1e6;
    }

    /** Not while new tables are computed from the first row, of which there is none. */
    private boolean runs() {
        try {
            var pipeline = server.get("/api/status").path("pipelines").path(0);
            return pipeline.path("rebuild").isEmpty()
                    && pipeline.path("state").asText().equals("RUNNING");
        } catch (IOException e) {
            return false;
        }
    }

    /** Ten ingested tables, ten streaming tables with rules, ten views; one changes by edit. */
    private static String text(int edit) {
        var text = new StringBuilder();
        for (var i = 0; i < TEN; i++) {
            text.append(
                    """
                    CREATE TABLE c.bronze.t%1$d (id BIGINT, grams DECIMAL(12,2), at TIMESTAMP);
                    CREATE OR REFRESH STREAMING TABLE c.silver.t%1$d (
                      CONSTRAINT heavy EXPECT (grams > 0) ON VIOLATION QUARANTINE)
                    AS SELECT id, grams, at FROM STREAM(c.bronze.t%1$d);
                    CREATE OR REFRESH MATERIALIZED VIEW c.gold.v%1$d AS
                    SELECT id, count(*) AS n, sum(grams) AS grams FROM c.silver.t%1$d
                    WHERE grams > %2$d GROUP BY id;
                    """
                            .formatted(i, i == 0 ? edit : 0));
        }
        return text.toString();
    }
}
