package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** A small shop whose tables are reached through all four doors, and who tries them. */
final class PolicyDoors {
    static final List<String> SCHEMAS = List.of("bronze", "silver", "gold", "serving", "app");

    private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(20);
    private static final String PERMISSION_DENIED = "42501";

    private static final String PIPELINE =
            """
            CREATE TABLE IF NOT EXISTS shop.bronze.orders (id STRING NOT NULL, region STRING, euros DOUBLE);
            CREATE OR REFRESH STREAMING TABLE shop.silver.orders
            AS SELECT id, region, euros FROM STREAM(shop.bronze.orders);
            CREATE OR REFRESH MATERIALIZED VIEW shop.gold.by_region
            AS SELECT region, count(*) AS orders, sum(euros) AS euros
            FROM shop.silver.orders WHERE region IS NOT NULL GROUP BY region;
            CREATE SYNCED TABLE shop.serving.by_region FROM shop.gold.by_region PRIMARY KEY (region);
            """;

    private static final List<String> LAKE_TABLES =
            List.of("shop.bronze.orders", "shop.silver.orders", "shop.gold.by_region");
    private static final String SYNCED_TABLE = "shop.serving.by_region";
    private static final String STATE_TABLE = "shop.app.notes";

    /** A service principal and its way in. */
    record Somebody(String id, String name, RestClient rest) {}

    /**
     * What somebody tried at a door, and whether it let them.
     *
     * @param needs the privileges that the decision has to allow, all of them
     * @param never whether the door lets nobody do it, whatever the decision
     */
    record Cell(
            String door,
            String action,
            String principal,
            String table,
            List<String> needs,
            boolean never,
            boolean allowed) {}

    private final JsonNode addresses;
    private final List<Somebody> principals;

    PolicyDoors(JsonNode addresses, List<Somebody> principals) {
        this.addresses = addresses;
        this.principals = principals;
    }

    static void writeProject(Path project) throws IOException {
        var folder = Files.createDirectories(project.resolve("pipelines"));
        Files.writeString(folder.resolve("shop.sql"), PIPELINE);
        Files.writeString(
                project.resolve("lakemill.yml"),
                "pipelines:\n  - name: shop\n    folder: pipelines\n");
    }

    /** Makes a state table, by the first principal, who may. */
    void prepare(RestClient admin) throws IOException, InterruptedException {
        var maker = principals.getFirst();
        admin.run("CREATE SCHEMA IF NOT EXISTS shop.app");
        admin.run("GRANT USE CATALOG ON CATALOG shop TO `%s`".formatted(maker.name()));
        admin.run(
                "GRANT USE SCHEMA, CREATE TABLE ON SCHEMA shop.app TO `%s`"
                        .formatted(maker.name()));
        Thread.sleep(1_500);
        try (var connection = postgres(maker);
                var statement = connection.createStatement()) {
            statement.execute("CREATE TABLE app.notes (id int PRIMARY KEY, note text)");
        } catch (SQLException e) {
            throw new IOException("no state table can be made: " + e.getMessage(), e);
        }
        admin.run("REVOKE CREATE TABLE ON SCHEMA shop.app FROM `%s`".formatted(maker.name()));
    }

    List<String> tables() {
        var all = new ArrayList<>(LAKE_TABLES);
        all.add(SYNCED_TABLE);
        all.add(STATE_TABLE);
        return all;
    }

    /** Every principal, every door, every action, every table that the door knows. */
    List<Cell> tryAll() throws IOException, InterruptedException {
        var cells = new ArrayList<Cell>();
        for (var who : principals) {
            ingest(who, cells);
            for (var table : LAKE_TABLES) {
                var answer = who.rest().statement("SELECT * FROM " + table + " LIMIT 1");
                cells.add(cell("sql", "SELECT", who, table, List.of("SELECT"), succeeded(answer)));
                files(who, table, cells);
            }
            for (var table : tables()) {
                manage(who, table, cells);
            }
            postgres(who, cells);
            readOnly(who, cells);
        }
        return cells;
    }

    private void ingest(Somebody who, List<Cell> cells) {
        var table = TableName.parse("shop.bronze.orders");
        var endpoint = Endpoint.parse("http://" + addresses.get("grpc").asText());
        boolean allowed;
        try (var client = ProducerClient.connect(endpoint, () -> who.rest().token());
                var stream = client.open(table)) {
            stream.awaitOpen(OPEN_TIMEOUT);
            allowed = true;
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.PERMISSION_DENIED) {
                throw e;
            }
            allowed = false;
        }
        cells.add(
                cell(
                        "grpc",
                        "INGEST",
                        who,
                        table.toString(),
                        List.of("SELECT", "MODIFY"),
                        allowed));
    }

    private void files(Somebody who, String table, List<Cell> cells)
            throws IOException, InterruptedException {
        var info = who.rest().get("/api/2.1/unity-catalog/tables/" + table);
        var id = info.body().path("table_id").asText("00000000-0000-0000-0000-000000000000");
        for (var operation : List.of("READ", "READ_WRITE")) {
            var answer =
                    who.rest()
                            .post(
                                    "/api/2.1/unity-catalog/temporary-table-credentials",
                                    Map.of("table_id", id, "operation", operation));
            cells.add(
                    new Cell(
                            "files",
                            operation,
                            who.name(),
                            table,
                            List.of("SELECT", "EXTERNAL_USE_SCHEMA"),
                            operation.equals("READ_WRITE"),
                            answer.ok()));
        }
    }

    private void manage(Somebody who, String table, List<Cell> cells)
            throws IOException, InterruptedException {
        var answer =
                who.rest()
                        .patch(
                                "/api/2.1/unity-catalog/permissions/table/" + table,
                                Map.of(
                                        "changes",
                                        List.of(
                                                Map.of(
                                                        "principal",
                                                        "account users",
                                                        "remove",
                                                        List.of("REFRESH")))));
        cells.add(cell("rest", "MANAGE", who, table, List.of("MANAGE"), answer.ok()));
    }

    private void postgres(Somebody who, List<Cell> cells) throws IOException {
        try (var connection = postgres(who)) {
            postgres("postgres", who, connection, false, cells);
        } catch (SQLException e) {
            throw new IOException(who.name() + " cannot log in to Postgres", e);
        }
    }

    /** By a credential that claims reading alone. */
    private void readOnly(Somebody who, List<Cell> cells) throws IOException, InterruptedException {
        var answer =
                who.rest()
                        .post(
                                "/api/2.0/database/credentials",
                                Map.of("claims", List.of(Map.of("permission_set", "READ_ONLY"))));
        try (var connection = postgres(who, answer.body().path("token").asText())) {
            postgres("postgres_read_only", who, connection, true, cells);
        } catch (SQLException e) {
            throw new IOException(who.name() + " cannot log in to read", e);
        }
    }

    private static void postgres(
            String door, Somebody who, Connection connection, boolean readOnly, List<Cell> cells)
            throws SQLException {
        var synced = "serving.by_region";
        var state = "app.notes";
        for (var table : List.of(SYNCED_TABLE, STATE_TABLE)) {
            var name = table.equals(SYNCED_TABLE) ? synced : state;
            var allowed = may(connection, "SELECT * FROM %s LIMIT 1".formatted(name));
            cells.add(cell(door, "SELECT", who, table, List.of("SELECT"), allowed));
        }
        cells.add(
                new Cell(
                        door,
                        "INSERT",
                        who.name(),
                        STATE_TABLE,
                        List.of("MODIFY"),
                        readOnly,
                        may(connection, "INSERT INTO " + state + " VALUES (1, 'x')")));
        for (var statement :
                List.of("INSERT INTO " + synced + " (region) VALUES ('x')", "TRUNCATE " + synced)) {
            cells.add(
                    new Cell(
                            door,
                            statement.substring(0, statement.indexOf(' ')),
                            who.name(),
                            SYNCED_TABLE,
                            List.of(),
                            true,
                            may(connection, statement)));
        }
    }

    private Connection postgres(Somebody who) throws SQLException {
        return postgres(who, who.rest().token());
    }

    private Connection postgres(Somebody who, String password) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", who.name());
        properties.setProperty("password", password);
        var at = java.net.URI.create(addresses.get("postgres").asText());
        return DriverManager.getConnection(
                "jdbc:postgresql://%s:%d/lakemill".formatted(at.getHost(), at.getPort()),
                properties);
    }

    /** Whether the statement is let through; what it did is undone. */
    private static boolean may(Connection connection, String sql) throws SQLException {
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            statement.execute("SET TRANSACTION READ WRITE"); // A default is no protection.
            statement.execute(sql);
            return true;
        } catch (SQLException e) {
            if (!PERMISSION_DENIED.equals(e.getSQLState())) {
                throw e;
            }
            return false;
        } finally {
            connection.rollback();
        }
    }

    private static boolean succeeded(RestClient.Answer answer) throws IOException {
        var state = answer.body().at("/status/state").asText();
        var error = answer.body().toString();
        if (!state.equals("SUCCEEDED") && !error.contains("PERMISSION_DENIED")) {
            throw new IOException("neither let through nor refused: " + error);
        }
        return state.equals("SUCCEEDED");
    }

    private static Cell cell(
            String door,
            String action,
            Somebody who,
            String table,
            List<String> needs,
            boolean allowed) {
        return new Cell(door, action, who.name(), table, needs, false, allowed);
    }
}
