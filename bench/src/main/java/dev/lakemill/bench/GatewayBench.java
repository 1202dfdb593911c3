package dev.lakemill.bench;

import dev.lakemill.agents.gateway.ScriptedModelServer;
import dev.lakemill.agents.gateway.ScriptedModelServer.Answer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;

/**
 * What the model gateway adds to a call: the same request to a scripted model server, directly and
 * through a node's gateway, which decides, reserves and accounts it in Postgres; by one client and
 * by {@value #CLIENTS}.
 */
final class GatewayBench {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int CLIENTS = 16;
    private static final String BODY =
            """
            {"model": "scripted", "messages": [{"role": "user", "content": "When is basil ripe?"}]}
            """;

    /** One way of asking. */
    private record Way(URI url, String token) {}

    /** Latencies of one measurement, sorted. */
    private record Measured(long[] nanos, double seconds) {
        double p50Ms() {
            return nanos[nanos.length / 2] / 1e6;
        }

        double p99Ms() {
            return nanos[(int) (nanos.length * 0.99)] / 1e6;
        }

        double callsPerSecond() {
            return nanos.length / seconds;
        }
    }

    private GatewayBench() {}

    static Report run(BenchOptions options) throws Exception {
        var report = new Report.Builder();
        var project = Folders.temporary("lakemill-gateway");
        var settings =
                Map.of(
                        "LAKEMILL_GRPC_PORT", "0",
                        "LAKEMILL_HTTP_PORT", "0",
                        "LAKEMILL_POSTGRES_PORT", "0");
        try (var models = ScriptedModelServer.start()) {
            models.otherwise(new Answer.Text("In four weeks."));
            write(project, models.url());
            try (var server = ServerProcess.start(project, project.resolve("data"), settings)) {
                server.awaitReady(PATIENCE);
                measure(options, models.url(), server, report);
            }
        } finally {
            Folders.delete(project);
        }
        return report.build();
    }

    private static void write(Path project, URI models) throws IOException {
        Files.writeString(
                project.resolve("lakemill.yml"),
                """
                governance: governance.sql
                models:
                  endpoints:
                    - name: scripted
                      providers: [{name: one, base_url: "%s", model: m}]
                      rate_limits: [{key: user, renewal_period: day, tokens: 1000000000000}]
                """
                        .formatted(models));
        Files.writeString(
                project.resolve("governance.sql"),
                """
                CREATE SERVICE PRINCIPAL IF NOT EXISTS asker;
                GRANT EXECUTE ON REGISTERED MODEL system.ai.scripted TO asker;
                """);
    }

    private static void measure(
            BenchOptions options, URI models, ServerProcess server, Report.Builder report)
            throws Exception {
        var login = server.login("asker");
        var direct = new Way(models, "none");
        var gateway =
                new Way(
                        URI.create(server.addresses().get("http").asText() + "/v1"),
                        login.tokens().get());
        for (var way : List.of(direct, gateway)) {
            load(way, CLIENTS, options.seconds());
        }
        var results = new ArrayList<List<Measured>>();
        for (int round = 0; round < options.rounds(); round++) {
            results.add(
                    List.of(
                            load(direct, 1, options.seconds()),
                            load(gateway, 1, options.seconds()),
                            load(direct, CLIENTS, options.seconds()),
                            load(gateway, CLIENTS, options.seconds())));
        }
        tell(results, report);
        var usage = "SELECT count(*) FROM system.ai_gateway.usage WHERE status_code = 200";
        var counted = server.rest().statement(usage).body().at("/result/data_array/0/0").asLong();
        var calls =
                results.stream().mapToLong(r -> r.get(1).nanos().length + r.get(3).nanos().length);
        report.check("every_call_is_accounted", counted >= calls.sum());
        report.figure("server_mb", server.residentMb());
        report.figure("postgres_mb", server.postgresMb());
    }

    private static void tell(List<List<Measured>> results, Report.Builder report) {
        var names = List.of("direct", "gateway", "direct_16", "gateway_16");
        for (int i = 0; i < names.size(); i++) {
            var way = i;
            var measured = results.stream().map(r -> r.get(way)).toList();
            report.figure(
                    names.get(i) + "_ms_p50",
                    Report.median(measured.stream().map(Measured::p50Ms).toList()));
            report.figure(
                    names.get(i) + "_ms_p99",
                    Report.median(measured.stream().map(Measured::p99Ms).toList()));
            report.figure(
                    names.get(i) + "_calls_per_second",
                    Report.median(measured.stream().map(Measured::callsPerSecond).toList()));
        }
        report.figure(
                "added_ms_p50",
                Report.median(
                        results.stream().map(r -> r.get(1).p50Ms() - r.get(0).p50Ms()).toList()));
    }

    private static Measured load(Way way, int clients, int seconds)
            throws InterruptedException, ExecutionException {
        var began = System.nanoTime();
        var until = began + Duration.ofSeconds(seconds).toNanos();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var client = (Callable<long[]>) () -> calls(way, until);
            var all = new ArrayList<Long>();
            for (var one : threads.invokeAll(java.util.Collections.nCopies(clients, client))) {
                Arrays.stream(one.get()).forEach(all::add);
            }
            var nanos = all.stream().mapToLong(Long::longValue).sorted().toArray();
            return new Measured(nanos, (System.nanoTime() - began) / 1e9);
        }
    }

    private static long[] calls(Way way, long until) throws IOException {
        var url = URI.create(way.url() + "/chat/completions").toURL();
        var nanos = new ArrayList<Long>();
        while (System.nanoTime() < until) {
            var began = System.nanoTime();
            call((HttpURLConnection) url.openConnection(), way.token());
            nanos.add(System.nanoTime() - began);
        }
        return nanos.stream().mapToLong(Long::longValue).toArray();
    }

    /**
     * By the JDK's older client: in the newer one of JDK 25 an answer that is there at once can
     * come to the pool that its connection was just taken from, and the call fails with "Data
     * received while in pool" (JDK-8357639).
     */
    private static void call(HttpURLConnection connection, String token) throws IOException {
        connection.setDoOutput(true);
        connection.setRequestProperty("authorization", "Bearer " + token);
        connection.setRequestProperty("content-type", "application/json");
        try (var body = connection.getOutputStream()) {
            body.write(BODY.getBytes(StandardCharsets.UTF_8));
        }
        if (connection.getResponseCode() != 200) {
            throw new IOException(connection.getResponseCode() + " of " + connection.getURL());
        }
        try (var answer = connection.getInputStream()) {
            answer.readAllBytes();
        }
    }
}
