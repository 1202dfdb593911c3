package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.api.ClientCredentials;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A Lakemill server as a process of its own, which can be asked, ended and killed like anybody's.
 *
 * <p>Its log goes to {@code server.log} in the data folder; where it listens, it writes itself to
 * {@code run.json} there.
 */
final class ServerProcess implements AutoCloseable {
    private static final ObjectMapper json = new ObjectMapper();
    private static final Duration STOP_TIMEOUT = Duration.ofMinutes(2);

    private static final Duration CAUGHT_UP_TIMEOUT = Duration.ofMinutes(5);

    private final Process process;
    private final Path data;
    private final Map<String, Login> logins = new HashMap<>();
    private final long startedNanos = System.nanoTime();

    private ServerProcess(Process process, Path data) {
        this.process = process;
        this.data = data;
    }

    /**
     * Starts {@code lakemill up} on the project with its data in {@code data}.
     *
     * @param settings environment variables (LAKEMILL_…) on top of ours
     */
    static ServerProcess start(Path project, Path data, Map<String, String> settings)
            throws IOException {
        Files.createDirectories(data);
        Files.deleteIfExists(data.resolve("run.json"));
        var command = Root.java("server", "dev.lakemill.server.Main", options());
        command.addAll(List.of("up", "--project", project.toString()));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LAKEMILL_DATA", data.toString());
        builder.environment().putAll(settings);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log(data).toFile()));
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        return new ServerProcess(builder.start(), data);
    }

    /** What the launcher would give a node; a test, which no launcher has started, the least. */
    private static List<String> options() {
        var given = System.getenv("LAKEMILL_NODE_OPTIONS");
        return given == null
                ? List.of("@" + Root.folder().resolve("node.flags"))
                : given.lines().toList();
    }

    /** Of mode 0600, because the server prints the administrator's first login link. */
    private static Path log(Path data) throws IOException {
        var log = data.resolve("server.log");
        if (!Files.exists(log)) {
            Files.createFile(
                    log,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
        }
        return log;
    }

    long pid() {
        return process.pid();
    }

    /** Waits until it takes work; returns seconds since the start of the process. */
    double awaitReady(Duration timeout) throws InterruptedException {
        await(timeout, "ready", this::ready);
        return (System.nanoTime() - startedNanos) / 1e9;
    }

    /** What run.json says: grpc, http, postgres, postgres_pid. */
    JsonNode addresses() {
        try {
            return json.readTree(data.resolve("run.json").toFile());
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "cannot read " + data.resolve("run.json"), "", e);
        }
    }

    /** GET of a path of the HTTP port, as JSON. */
    JsonNode get(String path) throws IOException {
        var connection = connect(path);
        connection.setConnectTimeout(2_000);
        connection.setReadTimeout(120_000);
        try (var in = connection.getInputStream()) {
            return json.readTree(in);
        } finally {
            connection.disconnect();
        }
    }

    /** A value of /metrics; NaN where there is none. */
    double metric(String name) {
        var address = URI.create(addresses().get("http").asText() + "/metrics");
        try (var in = address.toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> line.startsWith(name + " "))
                    .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                    .findFirst()
                    .orElse(Double.NaN);
        } catch (IOException e) {
            return Double.NaN;
        }
    }

    /** A link that logs a browser in once, as the administrator, and opens the page. */
    String loginLink(String page) throws IOException {
        var connection = connect("/api/2.0/identity/login-links");
        connection.setConnectTimeout(2_000);
        connection.setReadTimeout(10_000);
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setRequestProperty("content-type", "application/json");
        try {
            connection.getOutputStream().write(json.writeValueAsBytes(Map.of("return_to", page)));
            try (var in = connection.getInputStream()) {
                return json.readTree(in).path("url").asText();
            }
        } finally {
            connection.disconnect();
        }
    }

    /** kill -9, as a machine or an operator may do it. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** SIGTERM; returns the exit code, or -1 when it had to be killed after the timeout. */
    int stop() throws InterruptedException {
        process.destroy();
        if (process.waitFor(STOP_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
            return process.exitValue();
        }
        kill();
        return -1;
    }

    /**
     * Polls until the condition holds; the server's end or the timeout is an error with its log.
     */
    void await(Duration timeout, String what, BooleanSupplier condition)
            throws InterruptedException {
        var deadline = System.nanoTime() + timeout.toNanos();
        while (!condition.getAsBoolean()) {
            if (!process.isAlive()) {
                throw failed("the server ended with exit code " + process.exitValue());
            }
            if (System.nanoTime() > deadline) {
                throw failed("the server was not %s within %s".formatted(what, timeout));
            }
            Thread.sleep(20);
        }
    }

    /** Waits until Postgres shows rows that are not older than two seconds, while more come in. */
    void awaitFresh() throws InterruptedException {
        await(CAUGHT_UP_TIMEOUT, "fresh", this::fresh);
    }

    private boolean fresh() {
        try {
            for (var table : get("/api/status").path("tables")) {
                if (table.path("freshness_ms").asLong(Long.MAX_VALUE) < 2_000) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Waits until Postgres shows everything that was acknowledged. Rows stand for a moment between
     * the log and the feed, where the status does not see them, so it is asked twice.
     */
    void awaitCaughtUp() throws InterruptedException {
        awaitStatusCaughtUp();
        Thread.sleep(1_500);
        awaitStatusCaughtUp();
    }

    private void awaitStatusCaughtUp() throws InterruptedException {
        await(
                CAUGHT_UP_TIMEOUT,
                "caught up",
                () -> {
                    try {
                        return get("/api/status").path("caught_up").asBoolean();
                    } catch (IOException e) {
                        return false;
                    }
                });
    }

    /** Resident memory in MB, now. */
    double residentMb() {
        return ProcessMemory.residentMb(pid());
    }

    /** Memory of all of Postgres' processes in MB, shared pages counted once; 0 when not ours. */
    double postgresMb() {
        var pid = addresses().path("postgres_pid").asLong(0);
        return pid == 0 ? 0 : ProcessMemory.proportionalTreeMb(pid);
    }

    boolean alive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        try {
            if (process.isAlive()) {
                stop();
            }
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private HttpURLConnection connect(String path) throws IOException {
        var url = URI.create(addresses().get("http").asText() + path).toURL();
        var connection = (HttpURLConnection) url.openConnection();
        if (Files.exists(data.resolve("cli-token"))) {
            connection.setRequestProperty("authorization", "Bearer " + token());
        }
        return connection;
    }

    /** The administrator's, for commands on this machine; renewed by the server. */
    String token() {
        try {
            return Files.readString(data.resolve("cli-token")).strip();
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "the server has written no cli-token", "", e);
        }
    }

    /** The REST API, as the administrator. */
    RestClient rest() {
        return new RestClient(addresses().get("http").asText(), token());
    }

    /** How a service principal logs in: by a secret that replaces those of earlier runs. */
    Login login(String principal) throws IOException, InterruptedException {
        var known = logins.get(principal);
        if (known != null) {
            return known;
        }
        var filter = RestClient.encoded("displayName eq \"%s\"".formatted(principal));
        var id =
                rest().get("/api/2.0/preview/scim/v2/ServicePrincipals?filter=" + filter)
                        .body()
                        .at("/Resources/0/id")
                        .asText();
        var secrets = "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets".formatted(id);
        for (var old : rest().get(secrets).body().path("secrets")) {
            rest().delete(secrets + "/" + old.get("id").asText());
        }
        var made = rest().post(secrets, Map.of());
        if (!made.ok()) {
            throw new IOException("no secret for " + principal + ": " + made.body());
        }
        var tokens = URI.create(addresses().get("http").asText() + "/oidc/v1/token");
        var login = new Login(tokens, id, made.body().get("secret").asText());
        logins.put(principal, login);
        return login;
    }

    /** A JDBC URL of the front door, without a login. */
    String frontDoorJdbc() {
        var at = URI.create(addresses().get("postgres").asText());
        return "jdbc:postgresql://%s:%d%s?sslmode=disable"
                .formatted(at.getHost(), at.getPort(), at.getPath());
    }

    /** How a service principal gets its tokens. */
    record Login(URI endpoint, String client, String secret) {
        Supplier<String> tokens() {
            return new ClientCredentials(endpoint, client, secret);
        }

        Map<String, String> environment() {
            return Map.of(
                    "LAKEMILL_TOKEN_URL", endpoint.toString(),
                    "LAKEMILL_CLIENT_ID", client,
                    "LAKEMILL_CLIENT_SECRET", secret);
        }
    }

    private boolean ready() {
        if (!Files.exists(data.resolve("run.json"))) {
            return false;
        }
        try {
            var connection = connect("/readyz");
            connection.setConnectTimeout(500);
            connection.setReadTimeout(2_000);
            try {
                return connection.getResponseCode() == 200;
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            return false;
        }
    }

    private LakemillException failed(String problem) {
        var log = data.resolve("server.log");
        var tail = "";
        try {
            var lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            tail = String.join("\n", lines.subList(Math.max(0, lines.size() - 30), lines.size()));
        } catch (IOException _) {
            // The tail is a courtesy; the log's name is told in any case.
        }
        return new LakemillException(
                ErrorCode.UNAVAILABLE, problem + "\n" + tail, "the whole log is " + log);
    }
}
