package dev.lakemill.agents.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.agents.gateway.ScriptedModelServer;
import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentWorker;
import dev.lakemill.api.agent.HttpModelClient;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.postgres.Projection;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A Postgres with catalog, grants and the journal of agents, where principals log in without a
 * password; and a model server that answers by script.
 */
final class TestAgents implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final int LOOKS = 1_200;

    final Postgres postgres;
    final Catalog catalog;
    final Projection projection;
    private final RowAudit audit;
    final AgentStore store;
    final ScriptedModelServer models = ScriptedModelServer.start();

    TestAgents(Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        Files.writeString(
                folder.resolve("pg/pg_hba.conf"),
                "host lakemill all 127.0.0.1/32 trust\n",
                StandardOpenOption.APPEND);
        execute("SELECT pg_reload_conf()");
        catalog = Catalog.open(postgres.owner());
        audit = RowAudit.open(postgres.owner(), catalog.audit());
        projection = Projection.start(postgres, catalog, Duration.ofHours(1));
        store = AgentStore.open(postgres.owner());
    }

    Principal principal(PrincipalKind kind, String name) throws SQLException {
        var made = catalog.principals().create(catalog.system(), kind, name, name, "");
        reconcile();
        return made.principal();
    }

    Principal user(String name) throws SQLException {
        return principal(PrincipalKind.USER, name);
    }

    /** An agent of its own service principal, run and managed by the users named. */
    Principal agent(String name, String owner, AgentDefinition.Caps caps) throws SQLException {
        var principal = principal(PrincipalKind.SERVICE_PRINCIPAL, name + "-agent");
        register(name, owner, caps, null);
        return principal;
    }

    void register(
            String name,
            String owner,
            AgentDefinition.Caps caps,
            AgentDefinition.@Nullable Addresses addresses) {
        var people = List.of(owner);
        store.register(
                new AgentDefinition(
                        name, name + "-agent", owner, "", people, people, caps, addresses, true));
    }

    /** A state table of id and text, which the principals may read and write. */
    void table(String name, Principal... writers) throws SQLException {
        var full = TableName.parse("main." + name);
        execute("CREATE SCHEMA IF NOT EXISTS " + full.schema());
        execute("CREATE TABLE %s (id text PRIMARY KEY, value text)".formatted(name));
        var schema =
                TableSchema.of(
                        Column.nullable("id", Primitive.STRING),
                        Column.nullable("value", Primitive.STRING));
        catalog.create(full, TableKind.STATE, schema, "postgres:" + name, "", Map.of());
        Transactions.run(
                postgres.owner(),
                connection -> {
                    audit.attach(connection, catalog.system(), full.schema(), full.table());
                    return full;
                });
        for (var writer : writers) {
            grant(writer, Securable.catalog("main"), Privilege.USE_CATALOG);
            grant(writer, Securable.schema("main", full.schema()), Privilege.USE_SCHEMA);
            grant(writer, Securable.table(full), Privilege.SELECT, Privilege.MODIFY);
        }
        reconcile();
    }

    void grant(Principal principal, Securable on, Privilege... privileges) {
        var change = new GrantChange(principal.name(), Set.of(privileges), Set.of());
        catalog.grants().change(catalog.system(), on, List.of(change));
    }

    void reconcile() throws SQLException {
        if (!projection.reconcile()) {
            throw new AssertionError("something was not carried to Postgres");
        }
    }

    Connection login(String principal) throws SQLException {
        var url = "jdbc:postgresql://127.0.0.1:%d/lakemill".formatted(postgres.port());
        return DriverManager.getConnection(url, principal, "");
    }

    AgentWorker worker(String name, Duration lease, Agent agent) {
        return AgentWorker.start(
                new AgentWorker.Options(name, 2, lease),
                agent,
                () -> login(name + "-agent"),
                new HttpModelClient(models.url(), () -> "token", Duration.ofSeconds(60)));
    }

    /** With a lease that no machine is too slow for. */
    AgentWorker worker(String name, Agent agent) {
        return worker(name, Duration.ofMinutes(5), agent);
    }

    UUID start(String actor, String agent, String key, String input) throws Exception {
        return store.start(actor, agent, "api", key, JSON.readTree(input), "");
    }

    String status(UUID run) {
        try {
            return query("SELECT status FROM lakemill.agent_runs WHERE run_id = '" + run + "'")
                    .getFirst();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until the run is so; tells how it stands when it is not. */
    void awaitStatus(UUID run, String status) throws Exception {
        for (var look = 0; !status(run).equals(status); look++) {
            if (look == LOOKS) {
                throw new AssertionError(store.show("system", run).toPrettyString());
            }
            Thread.sleep(50);
        }
    }

    static void await(BooleanSupplier condition) throws InterruptedException {
        for (var look = 0; !condition.getAsBoolean(); look++) {
            if (look == LOOKS) {
                throw new AssertionError("looked %d times".formatted(LOOKS));
            }
            Thread.sleep(50);
        }
    }

    JsonNode show(UUID run) {
        return store.show("system", run);
    }

    void execute(String sql) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** First columns. */
    List<String> query(String sql) throws SQLException {
        try (var connection = postgres.owner().getConnection()) {
            return query(connection, sql);
        }
    }

    static List<String> query(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var found = new ArrayList<String>();
            while (rows.next()) {
                found.add(rows.getString(1));
            }
            return found;
        }
    }

    List<String> queryAs(String principal, String sql) throws SQLException {
        try (var connection = login(principal)) {
            return query(connection, sql);
        }
    }

    @Override
    public void close() {
        models.close();
        projection.close();
        postgres.close();
    }
}
