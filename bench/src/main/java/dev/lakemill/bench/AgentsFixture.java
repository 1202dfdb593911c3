package dev.lakemill.bench;

import dev.lakemill.bench.RestClient.Answer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A whole node with an agent {@code buyer}, to be killed: each row of {@code farm.orders} starts a
 * run, which asks a model through the node's gateway and writes to {@code farm.drafts} and {@code
 * farm.ledger}, tables without any key that would hide a repetition.
 */
final class AgentsFixture implements AutoCloseable {
    static final String AGENT = "buyer";
    static final String PRINCIPAL = "buyer_agent";
    static final String ENDPOINT = "scripted";
    private static final String DESK = "buyer_desk";
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private static final String GOVERNANCE =
            """
            CREATE CATALOG IF NOT EXISTS main;
            CREATE SCHEMA IF NOT EXISTS main.farm;
            CREATE SERVICE PRINCIPAL IF NOT EXISTS buyer_agent;
            CREATE SERVICE PRINCIPAL IF NOT EXISTS buyer_desk;
            GRANT USE CATALOG ON CATALOG main TO buyer_agent;
            GRANT USE SCHEMA ON SCHEMA main.farm TO buyer_agent;
            GRANT EXECUTE ON REGISTERED MODEL system.ai.scripted TO buyer_agent;
            GRANT USE CATALOG ON CATALOG main TO buyer_desk;
            GRANT USE SCHEMA, CREATE TABLE ON SCHEMA main.farm TO buyer_desk;
            """;

    private static final List<String> TABLES =
            List.of(
                    "CREATE TABLE farm.orders (id text PRIMARY KEY, value text)",
                    "CREATE TABLE farm.suppliers (id text PRIMARY KEY, value text)",
                    "CREATE TABLE farm.drafts (id text, value text)",
                    "CREATE TABLE farm.ledger (id text, value text)",
                    grants("SELECT", "'orders', 'suppliers', 'drafts', 'ledger'"),
                    grants("MODIFY", "'drafts', 'ledger'"),
                    "INSERT INTO farm.suppliers VALUES ('s', 'orders@seeds.example')");

    private static String grants(String privilege, String tables) {
        return "SELECT lakemill.grant('%s', 'TABLE', 'main.farm.' || t, '%s') FROM unnest(ARRAY[%s]) t"
                .formatted(privilege, PRINCIPAL, tables);
    }

    private final Path folder;
    private final Path data;
    private final Map<String, String> settings;
    private final NodePostgres postgres;
    private final String jdbc;
    private final ServerProcess.Login desk;
    private final ServerProcess.Login agent;
    private ServerProcess server;

    /**
     * @param models where the endpoint {@value #ENDPOINT} is answered
     */
    AgentsFixture(URI models) throws IOException, InterruptedException, SQLException {
        folder = Folders.temporary("lakemill-agents");
        data = folder.resolve("data");
        settings =
                Map.of(
                        "LAKEMILL_GRPC_PORT", String.valueOf(Ports.free()),
                        "LAKEMILL_HTTP_PORT", String.valueOf(Ports.free()),
                        "LAKEMILL_POSTGRES_PORT", String.valueOf(Ports.free()),
                        "LAKEMILL_POSTGRES_GRANTS_CHECK_SECONDS", "1");
        writeProject(models);
        postgres = new NodePostgres(data);
        server = ServerProcess.start(folder, data, settings);
        try {
            server.awaitReady(PATIENCE);
            jdbc = server.frontDoorJdbc();
            desk = server.login(DESK);
            agent = server.login(PRINCIPAL);
            for (var sql : TABLES) {
                execute(sql);
            }
            register(server.rest());
        } catch (IOException | InterruptedException | SQLException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Each call of the gateway asks the provider once, so that the two can be counted. */
    private void writeProject(URI models) throws IOException {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                governance: governance.sql
                models:
                  endpoints:
                    - name: %s
                      attempts: 1
                      providers: [{name: one, base_url: "%s", model: m}]
                      rate_limits: [{key: endpoint, renewal_period: day, tokens: 1000000000000}]
                """
                        .formatted(ENDPOINT, models));
        Files.writeString(folder.resolve("governance.sql"), GOVERNANCE);
    }

    private static void register(RestClient rest) throws IOException, InterruptedException {
        ok(
                rest.put(
                        "/api/2.0/agents/" + AGENT,
                        Map.of(
                                "principal",
                                PRINCIPAL,
                                "owner",
                                DESK,
                                "callers",
                                List.of(DESK),
                                "approvers",
                                List.of(DESK),
                                "tokens_max",
                                1L << 40,
                                "cost_micros_max",
                                1L << 40,
                                "seconds_max",
                                1 << 20,
                                "failures_max",
                                1_000,
                                "addresses",
                                Map.of(
                                        "table", "farm.suppliers",
                                        "key", "id",
                                        "column", "value"))));
        ok(
                rest.post(
                        "/api/2.0/agents/" + AGENT + "/triggers",
                        Map.of(
                                "name", "orders",
                                "table", "main.farm.orders",
                                "operations", List.of("insert"))));
    }

    private static void ok(Answer answer) throws IOException {
        if (!answer.ok()) {
            throw new IOException(answer.status() + " " + answer.body());
        }
    }

    /** The agent, in a process of its own. */
    BuyerProcess startAgent() throws IOException {
        var models = settings.get("LAKEMILL_HTTP_PORT");
        return BuyerProcess.start(jdbc, "http://127.0.0.1:%s/v1".formatted(models), agent);
    }

    /** kill -9 of the server; its Postgres ends with it, or is killed as well. */
    void killServer(boolean alsoPostgres) throws InterruptedException {
        if (alsoPostgres) {
            postgres.kill();
        }
        server.kill();
    }

    /** Starts the server again; returns after how many seconds it takes work. */
    double restart() throws IOException, InterruptedException {
        server = ServerProcess.start(folder, data, settings);
        return server.awaitReady(PATIENCE);
    }

    /** kill -9 of the whole Postgres, which the server starts again; waits for that. */
    void killPostgres() throws InterruptedException {
        var killed = postgres.postmaster();
        postgres.kill();
        server.await(
                PATIENCE,
                "at its Postgres again",
                () -> !postgres.postmaster().equals(killed) && answers());
    }

    private boolean answers() {
        try {
            return number("SELECT 1") == 1;
        } catch (SQLException e) {
            return false;
        }
    }

    /** Ends the agent's own sessions in the middle of whatever they do. */
    void killSessions() throws SQLException {
        number(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '"
                        + PRINCIPAL
                        + "'");
    }

    /** As whoever owns the agent and its tables, and decides; through the front door. */
    Connection desk() throws SQLException {
        return DriverManager.getConnection(jdbc, DESK, desk.tokens().get());
    }

    void execute(String sql) throws SQLException {
        try (var connection = desk();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Whatever anybody may see or not. */
    long number(String sql) throws SQLException {
        var found = texts(sql);
        var first = found.isEmpty() ? null : found.getFirst();
        return first == null ? 0 : Long.parseLong(first);
    }

    List<@Nullable String> texts(String sql) throws SQLException {
        try (var connection = postgres.superuser();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var found = new ArrayList<@Nullable String>();
            while (rows.next()) {
                found.add(rows.getString(1));
            }
            return found;
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Folders.delete(folder);
    }
}
