package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The vertical farm in processes of its own: server, simulators, and this one, which watches as an
 * independent reader and checks every row at the end.
 */
final class Demo implements AutoCloseable {
    /**
     * @param data kept between runs unless {@code fresh}
     * @param seconds live; 0 until Ctrl-C
     * @param rate rows a second
     */
    record Options(
            Path project,
            Path data,
            int seconds,
            int rate,
            long seed,
            int historyHours,
            boolean fresh) {}

    private static final Duration READY_TIMEOUT = Duration.ofMinutes(5);
    private static final int SIMULATORS_TIMEOUT_SECONDS = 300;
    private static final Duration SCORES_TIMEOUT = Duration.ofMinutes(3);
    private static final int SCORES_PAUSE_MS = 250;

    private final Options options;
    private final PrintWriter out;
    private final Report.Builder report = new Report.Builder();
    private final CountDownLatch interrupted = new CountDownLatch(1);
    private final CountDownLatch finished = new CountDownLatch(1);
    private final boolean terminal = isTerminal();

    /** Once Postgres has caught up with the history, which comes faster than any live rate. */
    private volatile boolean live;

    private double liveSeconds;
    private double serverMbMax;
    private double postgresMbMax;

    Demo(Options options, PrintWriter out) {
        this.options = options;
        this.out = out;
    }

    /** Runs to the end; every check and figure of the report is measured in this run. */
    Report run() throws IOException, InterruptedException {
        var drain = new Thread(this::drainOnInterrupt, "drain");
        Runtime.getRuntime().addShutdownHook(drain);
        if (options.fresh()) {
            Folders.delete(options.data());
        }
        var first = !Files.exists(options.data().resolve("tables"));
        out.println("1/4 starting the server (data in " + options.data() + ")");
        var smtpPort = Ports.free();
        var settings =
                Map.of(
                        "LAKEMILL_AGENTS_SMTP_URL",
                        "smtp://127.0.0.1:" + smtpPort,
                        "LAKEMILL_AGENTS_MAIL_FROM",
                        "procurement@farm.example");
        try (var server = ServerProcess.start(options.project(), options.data(), settings)) {
            report.figure("ready_seconds", server.awaitReady(READY_TIMEOUT));
            var truth = live(server, smtpPort, first);
            check(server, truth);
        }
        return report.build();
    }

    /** Lets the process end that somebody has interrupted: the report is told. */
    @Override
    public void close() {
        finished.countDown();
    }

    private Truth live(ServerProcess server, int smtpPort, boolean first)
            throws IOException, InterruptedException {
        out.println(
                first
                        ? "2/4 sending %d hours of history".formatted(options.historyHours())
                        : "2/4 the history is there from an earlier run");
        var screen = server.login("farm_screen");
        var historyDone = new CountDownLatch(first ? 1 : 0);
        try (var freshness = new Freshness(server.frontDoorJdbc(), "farm_screen", screen.tokens());
                var simulators =
                        SimulatorProcess.start(
                                server,
                                options.data().resolve("truth.json"),
                                event -> told(event, freshness, historyDone),
                                arguments(first))) {
            awaitHistory(simulators, historyDone);
            server.awaitFresh();
            try (var procurement =
                    ProcurementProcess.start(
                            server,
                            options.project(),
                            options.data(),
                            smtpPort,
                            options.seconds() > 0)) {
                var app = FarmApp.deploy(server, options.project(), options.data());
                return live(server, simulators, procurement, freshness, app);
            }
        }
    }

    private Truth live(
            ServerProcess server,
            SimulatorProcess simulators,
            ProcurementProcess procurement,
            Freshness freshness,
            FarmApp app)
            throws IOException, InterruptedException {
        live = true;
        var addresses = server.addresses();
        out.println("3/4 live");
        out.println("    farm     " + app.url() + "/");
        out.println("             as farm_lead, of procurement; this link logs in once:");
        out.println("             " + FarmApp.loginLink(server, FarmApp.USER));
        out.println("    console  " + addresses.get("http").asText() + "/");
        out.println("             as the administrator; this link logs in once:");
        out.println("             " + server.loginLink("/"));
        out.println("    psql     psql '" + addresses.get("postgres").asText() + "'");
        out.println(
                "    agents   ./lakemill agent approve --project "
                        + Root.folder().relativize(options.project()));
        out.println("    Ctrl-C drains and checks.");
        watchWithScreen(server, simulators, procurement, freshness, app);
        new ProcurementCheck(server, report).run(procurement);
        var truth = simulators.stop();
        figures(truth, freshness);
        return truth;
    }

    /** In a run that ends by itself, with a browser that looks at the app, where there is one. */
    private void watchWithScreen(
            ServerProcess server,
            SimulatorProcess simulators,
            ProcurementProcess procurement,
            Freshness freshness,
            FarmApp app)
            throws IOException, InterruptedException {
        var obstacle =
                options.seconds() > 0 ? ScreenLatency.obstacle() : "nobody asked for figures";
        if (!obstacle.isEmpty()) {
            ScreenLatency.missing(report, obstacle);
            watch(server, simulators, procurement, freshness);
            return;
        }
        try (var screen = ScreenLatency.start(server, app, options.data())) {
            var problem = screen.awaitReady();
            if (!problem.isEmpty()) {
                out.println("    the screen is not measured: " + problem);
            }
            watch(server, simulators, procurement, freshness);
            screen.finish();
            screen.figures(report);
        }
    }

    private List<String> arguments(boolean first) {
        var arguments = new ArrayList<>(List.of("--rate", String.valueOf(options.rate())));
        arguments.addAll(List.of("--seed", String.valueOf(options.seed())));
        if (first) {
            arguments.addAll(List.of("--history-hours", String.valueOf(options.historyHours())));
        } else {
            arguments.add("--no-history");
        }
        return arguments;
    }

    private void told(JsonNode event, Freshness freshness, CountDownLatch historyDone) {
        switch (event.path("type").asText()) {
            case "ack" -> {
                if (live) {
                    freshness.acknowledged(
                            event.get("sku").asText(),
                            event.get("supplier_id").asText(),
                            event.get("quoted_at_us").asLong(),
                            event.get("acked_at_us").asLong());
                }
            }
            case "progress" -> {
                var done = event.path("done").asLong();
                var total = event.path("total").asLong();
                progress("    %,d of %,d rows".formatted(done, total), done >= total);
                if (done >= total) {
                    historyDone.countDown();
                }
            }
            default -> {
                // The summary is read from the truth file.
            }
        }
    }

    private void awaitHistory(SimulatorProcess simulators, CountDownLatch done)
            throws IOException, InterruptedException {
        for (int second = 0; second < SIMULATORS_TIMEOUT_SECONDS; second++) {
            if (done.await(1, TimeUnit.SECONDS)) {
                return;
            }
            if (!simulators.alive()) {
                throw new IOException(
                        "the simulators ended; see " + options.data().resolve("simulators.log"));
            }
        }
        throw new IOException(
                "the history was not sent in %d s".formatted(SIMULATORS_TIMEOUT_SECONDS));
    }

    private void watch(
            ServerProcess server,
            SimulatorProcess simulators,
            ProcurementProcess procurement,
            Freshness freshness)
            throws IOException, InterruptedException {
        var startedNanos = System.nanoTime();
        while (options.seconds() == 0
                || System.nanoTime() - startedNanos < options.seconds() * 1_000_000_000L) {
            if (interrupted.await(1, TimeUnit.SECONDS)) {
                break;
            }
            if (!simulators.alive() || !server.alive() || !procurement.alive()) {
                throw new IOException("a process ended; the logs are in " + options.data());
            }
            serverMbMax = Math.max(serverMbMax, server.residentMb());
            postgresMbMax = Math.max(postgresMbMax, server.postgresMb());
            var status = server.get("/api/status");
            progress(
                    "    %,.0f rows/s   visible in Postgres %.0f ms after the acknowledgement   server %.0f MB, Postgres %.0f MB"
                            .formatted(
                                    status.path("rows_per_second").asDouble(),
                                    freshness.lastMs(),
                                    server.residentMb(),
                                    server.postgresMb()),
                    false);
        }
        progress("", true);
        liveSeconds = (System.nanoTime() - startedNanos) / 1e9;
    }

    private void figures(Truth truth, Freshness freshness) {
        var sorted = freshness.sorted();
        report.figure("freshness_ms_p50", Freshness.percentile(sorted, 0.50));
        report.figure("freshness_ms_p99", Freshness.percentile(sorted, 0.99));
        report.figure("freshness_samples", sorted.length);
        report.check("freshness_was_measured", sorted.length > 0);
        report.figure("live_seconds", liveSeconds);
        report.figure("rows_sent", truth.rows());
        report.figure("resent_rows", truth.resentRows());
        report.figure("server_rss_mb", serverMbMax);
        report.figure("postgres_rss_mb", postgresMbMax);
    }

    private void check(ServerProcess server, Truth truth) throws IOException, InterruptedException {
        out.println("4/4 draining and checking every row");
        server.awaitCaughtUp();
        var verification = new Verification(options.data(), report);
        verification.running(server.get("/api/status"), server.get("/api/pipelines/farm/audit"));
        new FarmPrincipals(server, report).check();
        scores(server);
        report.check("server_drained", server.stop() == 0);
        verification.stopped(truth);
    }

    /** The leaderboard's scores are the champion's, as the registry itself scores the features. */
    private void scores(ServerProcess server) throws IOException, InterruptedException {
        var login = server.login("farm_checker");
        var checker = server.rest().login(login.client(), login.secret());
        var deadline = System.nanoTime() + SCORES_TIMEOUT.toNanos();
        var compared = FarmModel.compared(checker);
        // A round brings one table after the other to Delta: for seconds, the board may be ahead.
        while (!compared.equal() && System.nanoTime() < deadline) {
            Thread.sleep(SCORES_PAUSE_MS);
            compared = FarmModel.compared(checker);
        }
        report.figure("scores_compared", compared.rows());
        report.figure("score_difference_max", compared.differenceMax());
        report.check("scores_are_the_champions", compared.equal());
    }

    private void progress(String text, boolean last) {
        if (terminal) {
            out.print("\r\033[K" + text + (last && !text.isEmpty() ? "\n" : ""));
            out.flush();
        } else if (last && !text.isEmpty()) {
            out.println(text);
        }
    }

    private static boolean isTerminal() {
        return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    }

    private void drainOnInterrupt() {
        interrupted.countDown();
        try {
            finished.await(2, TimeUnit.MINUTES);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
