package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The farm on a node of its own, with an hour of history, its agents, and its application. */
final class FarmNode implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int HISTORY_SECONDS_MAX = 600;
    private static final Map<String, String> PORTS =
            Map.of(
                    "LAKEMILL_GRPC_PORT", "0",
                    "LAKEMILL_HTTP_PORT", "0",
                    "LAKEMILL_POSTGRES_PORT", "0");

    private final Path data;
    private final HttpClient http = HttpClient.newHttpClient();
    final ServerProcess server;
    private final Deque<Runnable> parts = new ArrayDeque<>();
    final FarmApp app;

    FarmNode() throws Exception {
        data = Files.createTempDirectory("lakemill-farm");
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx--x--x"));
        var project = Root.folder().resolve("examples/vertical-farm");
        var smtpPort = Ports.free();
        var settings = new HashMap<>(PORTS);
        settings.put("LAKEMILL_AGENTS_SMTP_URL", "smtp://127.0.0.1:" + smtpPort);
        settings.put("LAKEMILL_AGENTS_MAIL_FROM", "procurement@farm.example");
        server = ServerProcess.start(project, data, settings);
        parts.push(server::close);
        var whole = false;
        try {
            server.awaitReady(Duration.ofMinutes(5));
            simulate();
            var procurement = ProcurementProcess.start(server, project, data, smtpPort, false);
            parts.push(procurement::close);
            app = FarmApp.deploy(server, project, data);
            whole = true;
        } finally {
            if (!whole) {
                close();
            }
        }
    }

    /** Returns when the history is in Postgres. */
    private void simulate() throws Exception {
        var done = new CountDownLatch(1);
        var simulators =
                SimulatorProcess.start(
                        server,
                        data.resolve("truth.json"),
                        event -> {
                            if (event.path("type").asText().equals("progress")
                                    && event.path("done").asLong()
                                            >= event.path("total").asLong()) {
                                done.countDown();
                            }
                        },
                        List.of("--rate", "100", "--seed", "7", "--history-hours", "1"));
        parts.push(simulators::close);
        if (!done.await(HISTORY_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IOException("no history; see " + data);
        }
        server.awaitFresh();
    }

    @Override
    public void close() throws IOException {
        while (!parts.isEmpty()) {
            parts.pop().run();
        }
        Folders.delete(data);
    }

    /** A row's first column, as a principal asks Postgres by its own secret. */
    String ask(String principal, String sql) throws Exception {
        try (var connection = connect(principal);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        }
    }

    void write(String principal, String... statements) throws Exception {
        try (var connection = connect(principal);
                var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private Connection connect(String principal)
            throws SQLException, IOException, InterruptedException {
        var token = server.login(principal).tokens().get();
        return DriverManager.getConnection(server.frontDoorJdbc(), principal, token);
    }

    /** A token of a user, as a browser that has logged in by a link can make one. */
    String userToken(String user, int seconds) throws IOException, InterruptedException {
        var link =
                server.rest()
                        .post("/api/2.0/identity/login-links", Map.of("user", user))
                        .body()
                        .path("url")
                        .asText();
        var code = link.replaceFirst(".*[?&]code=([^&]+).*", "$1");
        var form =
                "code=%s&password=&return_to=%s"
                        .formatted(code, URLEncoder.encode("/", StandardCharsets.UTF_8));
        var in =
                http.send(
                        HttpRequest.newBuilder(URI.create(url() + "/login/code"))
                                .header("content-type", "application/x-www-form-urlencoded")
                                .header("sec-fetch-site", "same-origin")
                                .POST(BodyPublishers.ofString(form))
                                .build(),
                        BodyHandlers.ofString());
        var cookie = in.headers().firstValue("set-cookie").orElseThrow().split(";")[0];
        var made =
                http.send(
                        HttpRequest.newBuilder(URI.create(url() + "/api/2.0/token/create"))
                                .header("content-type", "application/json")
                                .header("sec-fetch-site", "same-origin")
                                .header("cookie", cookie)
                                .POST(
                                        BodyPublishers.ofString(
                                                "{\"lifetime_seconds\": %d}".formatted(seconds)))
                                .build(),
                        BodyHandlers.ofString());
        return JSON.readTree(made.body()).path("token_value").asText();
    }

    String url() {
        return server.addresses().get("http").asText();
    }

    /** An answer of the app. */
    record Answer(int status, HttpResponse<String> response) {
        JsonNode json() throws IOException {
            return JSON.readTree(response.body());
        }

        String code() throws IOException {
            return json().at("/error/code").asText();
        }

        String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }
    }

    /** Through the node, by the path of the app, as the token's principal. */
    Answer get(String token, String path, String... headers)
            throws IOException, InterruptedException {
        return send(base(token, url() + "/apps/" + FarmApp.NAME + path).GET(), headers);
    }

    /** As the app's own pages write. */
    Answer post(String token, String path, Object body) throws IOException, InterruptedException {
        return post(token, path, body, "X-Requested-With", "lakemill");
    }

    Answer post(String token, String path, Object body, String... headers)
            throws IOException, InterruptedException {
        var request =
                base(token, url() + "/apps/" + FarmApp.NAME + path)
                        .header("content-type", "application/json")
                        .POST(BodyPublishers.ofString(JSON.writeValueAsString(body)));
        return send(request, headers);
    }

    /** Past the node, straight to the app's port. */
    Answer direct(String path, String... headers) throws IOException, InterruptedException {
        var port = variable("DATABRICKS_APP_PORT");
        return send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)), headers);
    }

    /** What the node gave the app's process, which root may read. */
    String variable(String name) throws IOException, InterruptedException {
        var pid = server.rest().get("/api/2.0/apps/" + FarmApp.NAME).body().path("pid").asLong();
        var environment = Files.readString(Path.of("/proc/%d/environ".formatted(pid)));
        for (var line : environment.split("\0")) {
            if (line.startsWith(name + "=")) {
                return line.substring(name.length() + 1);
            }
        }
        throw new IOException(name + " is not set");
    }

    private static HttpRequest.Builder base(String token, String url) {
        return HttpRequest.newBuilder(URI.create(url))
                .timeout(Duration.ofMinutes(2))
                .header("authorization", "Bearer " + token);
    }

    private Answer send(HttpRequest.Builder request, String... headers)
            throws IOException, InterruptedException {
        if (headers.length > 0) {
            request.headers(headers);
        }
        var answer = http.send(request.build(), BodyHandlers.ofString());
        return new Answer(answer.statusCode(), answer);
    }

    /** A stream of events. */
    Events live(String token, String... tables) throws IOException, InterruptedException {
        var path = "/apps/" + FarmApp.NAME + "/api/live?table=" + String.join("&table=", tables);
        var answer = http.send(base(token, url() + path).GET().build(), BodyHandlers.ofLines());
        return new Events(answer);
    }

    /** Its status, and its events one after the other. */
    static final class Events implements AutoCloseable {
        private final HttpResponse<java.util.stream.Stream<String>> answer;
        private final java.util.Iterator<String> lines;

        private Events(HttpResponse<java.util.stream.Stream<String>> answer) {
            this.answer = answer;
            this.lines = answer.body().iterator();
        }

        int status() {
            return answer.statusCode();
        }

        /** Of the table, for which the condition holds. */
        JsonNode await(String table, java.util.function.Predicate<JsonNode> holds)
                throws IOException {
            while (lines.hasNext()) {
                var line = lines.next();
                if (line.startsWith("data: {\"table\":\"" + table + "\"")) {
                    var data = JSON.readTree(line.substring(6));
                    if (holds.test(data)) {
                        return data;
                    }
                }
            }
            throw new IOException(
                    "the stream (%d) has ended before %s was so".formatted(status(), table));
        }

        /** Whether it ends, be it by being cut off. */
        boolean ends() {
            try {
                while (lines.hasNext()) {
                    lines.next();
                }
            } catch (java.io.UncheckedIOException _) {
                return true;
            }
            return true;
        }

        @Override
        public void close() {
            answer.body().close();
        }
    }
}
