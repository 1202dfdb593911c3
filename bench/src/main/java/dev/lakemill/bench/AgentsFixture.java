package dev.lakemill.bench;

import dev.lakemill.agents.runtime.AgentDefinition;
import dev.lakemill.agents.runtime.AgentStore;
import dev.lakemill.agents.runtime.AgentTriggers;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.TableKind;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A Postgres with an agent {@code buyer}: each row of {@code farm.orders} starts a run, which
 * writes to {@code farm.drafts} and {@code farm.ledger}, tables without any key that would hide a
 * repetition.
 */
final class AgentsFixture implements AutoCloseable {
    static final String AGENT = "buyer";
    static final String PRINCIPAL = "buyer-agent";
    static final String APPROVER = "ada";

    private final Path folder;
    private final Postgres postgres;
    private final Projection projection;
    private final Catalog catalog;
    private final AgentStore store;

    AgentsFixture() throws IOException, SQLException {
        folder = Folders.temporary("lakemill-agents");
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        Files.writeString(
                folder.resolve("pg/pg_hba.conf"),
                "host lakemill all 127.0.0.1/32 trust\n",
                StandardOpenOption.APPEND);
        execute("SELECT pg_reload_conf()");
        catalog = Catalog.open(postgres.owner());
        RowAudit.open(postgres.owner(), catalog.audit());
        projection = Projection.start(postgres, catalog, Duration.ofHours(1));
        store = AgentStore.open(postgres.owner());
        principal(PrincipalKind.USER, APPROVER);
        var agent = principal(PrincipalKind.SERVICE_PRINCIPAL, PRINCIPAL);
        execute("CREATE SCHEMA farm");
        table("orders", true, agent, Privilege.SELECT);
        table("drafts", false, agent, Privilege.SELECT, Privilege.MODIFY);
        table("ledger", false, agent, Privilege.SELECT, Privilege.MODIFY);
        table("suppliers", true, agent, Privilege.SELECT);
        execute("INSERT INTO farm.suppliers VALUES ('s', 'orders@seeds.example')");
        grant(agent, Securable.catalog("main"), Privilege.USE_CATALOG);
        grant(agent, Securable.schema("main", "farm"), Privilege.USE_SCHEMA);
        projection.reconcile();
        register();
    }

    private void register() {
        var people = List.of(APPROVER);
        store.register(
                new AgentDefinition(
                        AGENT,
                        PRINCIPAL,
                        APPROVER,
                        "",
                        people,
                        people,
                        new AgentDefinition.Caps(200, 1L << 40, 1L << 40, 1 << 20, 1_000),
                        new AgentDefinition.Addresses("farm.suppliers", "id", "value"),
                        true));
        new AgentTriggers(postgres.owner(), Clock.systemUTC())
                .onRowChange(
                        APPROVER,
                        "orders",
                        AGENT,
                        new AgentTriggers.RowChange(
                                "main.farm.orders", List.of("id"), List.of("insert"), "", null),
                        new com.fasterxml.jackson.databind.ObjectMapper().createObjectNode());
    }

    private Principal principal(PrincipalKind kind, String name) {
        return catalog.principals().create(catalog.system(), kind, name, name, "").principal();
    }

    private void table(String name, boolean keyed, Principal agent, Privilege... privileges)
            throws SQLException {
        execute(
                "CREATE TABLE farm.%s (id text%s, value text)"
                        .formatted(name, keyed ? " PRIMARY KEY" : ""));
        var schema =
                TableSchema.of(
                        Column.nullable("id", Primitive.STRING),
                        Column.nullable("value", Primitive.STRING));
        var full = TableName.parse("main.farm." + name);
        catalog.create(full, TableKind.STATE, schema, "postgres:farm." + name, "", Map.of());
        grant(agent, Securable.table(full), privileges);
    }

    private void grant(Principal principal, Securable on, Privilege... privileges) {
        var change = new GrantChange(principal.name(), Set.of(privileges), Set.of());
        catalog.grants().change(catalog.system(), on, List.of(change));
    }

    AgentStore store() {
        return store;
    }

    int port() {
        return postgres.port();
    }

    static String url(int port) {
        return "jdbc:postgresql://127.0.0.1:%d/lakemill".formatted(port);
    }

    /** kill -9 of the whole Postgres, which is started again by itself. */
    void killPostgres() throws InterruptedException {
        var pid = postgres.pid();
        if (pid.isEmpty()) {
            return;
        }
        ProcessHandle.of(pid.getAsLong()).ifPresent(ProcessHandle::destroyForcibly);
        var until = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (!answers()) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException("Postgres is not up again after 2 min");
            }
            Thread.sleep(50);
        }
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

    void execute(String sql) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    long number(String sql) throws SQLException {
        var found = texts(sql);
        var first = found.isEmpty() ? null : found.getFirst();
        return first == null ? 0 : Long.parseLong(first);
    }

    List<@Nullable String> texts(String sql) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var found = new ArrayList<@Nullable String>();
            while (rows.next()) {
                found.add(rows.getString(1));
            }
            return found;
        }
    }

    /** As the approver would, by SQL. */
    void decide(String approval, boolean accept) throws SQLException {
        try (var connection = DriverManager.getConnection(url(port()), APPROVER, "");
                var call =
                        connection.prepareStatement(
                                "SELECT lakemill.agent_decide(?::uuid, ?, NULL, '')")) {
            call.setString(1, approval);
            call.setString(2, accept ? "accept" : "ignore");
            call.execute();
        }
    }

    @Override
    public void close() throws IOException {
        projection.close();
        postgres.close();
        Folders.delete(folder);
    }
}
