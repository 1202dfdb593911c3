package dev.lakemill.postgres;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.RowFilter;
import dev.lakemill.catalog.TableKind;
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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A Postgres with a catalog and its projection, where principals log in without a password. It
 * reconciles when told to, and by itself after changes.
 */
final class TestGovernance implements AutoCloseable {
    static final TableSchema STOCK =
            TableSchema.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("region", Primitive.STRING),
                    Column.nullable("secret", Primitive.STRING));

    final Postgres postgres;
    final Catalog catalog;
    final Projection projection;

    private TestGovernance(Postgres postgres, Catalog catalog, Projection projection) {
        this.postgres = postgres;
        this.catalog = catalog;
        this.projection = projection;
    }

    static TestGovernance start(Path folder) throws IOException, SQLException {
        TestFolders.open(folder);
        var postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        trust(folder, postgres);
        return on(postgres);
    }

    static void trust(Path folder, Postgres postgres) throws IOException, SQLException {
        Files.writeString(
                folder.resolve("pg/pg_hba.conf"),
                "host lakemill,rented all 127.0.0.1/32 trust\n",
                StandardOpenOption.APPEND);
        try (var connection = postgres.ownerUnpooled().getConnection()) {
            execute(connection, "SELECT pg_reload_conf()");
        }
    }

    static TestGovernance on(Postgres postgres) {
        var catalog = Catalog.open(postgres.owner());
        RowAudit.open(postgres.owner(), catalog.audit());
        var projection = Projection.start(postgres, catalog, Duration.ofHours(1));
        return new TestGovernance(postgres, catalog, projection);
    }

    Caller system() {
        return catalog.system();
    }

    static Caller caller(Principal principal) {
        return new Caller(principal, null, "test", "", "");
    }

    Principal user(String name) {
        return principal(PrincipalKind.USER, name);
    }

    Principal group(String name, Principal... members) {
        var group = principal(PrincipalKind.GROUP, name);
        for (var member : members) {
            catalog.principals().addMember(system(), group.id(), member.id());
        }
        return group;
    }

    private Principal principal(PrincipalKind kind, String name) {
        return catalog.principals().create(system(), kind, name, name, "").principal();
    }

    void grant(Principal principal, Securable on, Privilege... privileges) {
        change(on, new GrantChange(principal.name(), Set.of(privileges), Set.of()));
    }

    void revoke(Principal principal, Securable on, Privilege... privileges) {
        change(on, new GrantChange(principal.name(), Set.of(), Set.of(privileges)));
    }

    private void change(Securable on, GrantChange change) {
        catalog.grants().change(system(), on, List.of(change));
    }

    /** USE CATALOG, USE SCHEMA and SELECT on one table. */
    void open(Principal principal, TableName table) {
        grant(principal, Securable.catalog(table.catalog()), Privilege.USE_CATALOG);
        grant(principal, Securable.schema(table.catalog(), table.schema()), Privilege.USE_SCHEMA);
        grant(principal, Securable.table(table), Privilege.SELECT);
    }

    /** A table of {@link #STOCK} with rows (1, eu, s1) and (2, us, s2), as a sync makes it. */
    TableName synced(String name) throws SQLException {
        return table(name, TableKind.SYNCED);
    }

    TableName table(String name, TableKind kind) throws SQLException {
        var full = TableName.parse(name);
        var location = full.schema() + "." + full.table();
        execute(
                "CREATE SCHEMA IF NOT EXISTS " + full.schema(),
                "CREATE TABLE %s (id bigint PRIMARY KEY, region text, secret text)"
                        .formatted(location),
                "INSERT INTO %s VALUES (1, 'eu', 's1'), (2, 'us', 's2')".formatted(location));
        catalog.create(full, kind, STOCK, "postgres:" + location, "", Map.of());
        return full;
    }

    /** Of one STRING parameter. */
    void function(String name, Primitive returns, String postgresSql) {
        var parameters = List.of(Column.nullable("value", Primitive.STRING));
        catalog.policies()
                .createFunction(
                        system(),
                        new PolicyFunction(
                                name, parameters, returns, postgresSql, "", postgresSql, ""),
                        true);
    }

    void filter(TableName table, String function, String column) {
        catalog.policies().setRowFilter(system(), new RowFilter(table, function, List.of(column)));
    }

    void mask(TableName table, String column, String function) {
        catalog.policies().setMask(system(), new ColumnMask(table, column, function, List.of()));
    }

    void reconcile() throws SQLException {
        if (!projection.reconcile()) {
            throw new AssertionError("something was not carried to Postgres");
        }
    }

    Connection login(Principal principal) throws SQLException {
        var database = postgres.readerUrl().replaceAll(".*/", "");
        var url = "jdbc:postgresql://127.0.0.1:%d/%s".formatted(postgres.port(), database);
        return DriverManager.getConnection(url, principal.name(), "");
    }

    void execute(String... commands) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection()) {
            execute(connection, commands);
        }
    }

    static void execute(Connection connection, String... commands) throws SQLException {
        try (var statement = connection.createStatement()) {
            for (var command : commands) {
                statement.execute(command);
            }
        }
    }

    void executeAs(Principal principal, String... commands) throws SQLException {
        try (var connection = login(principal)) {
            execute(connection, commands);
        }
    }

    /** Rows as texts joined by bars. */
    List<String> query(String sql) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection()) {
            return query(connection, sql);
        }
    }

    List<String> queryAs(Principal principal, String sql) throws SQLException {
        try (var connection = login(principal)) {
            return query(connection, sql);
        }
    }

    static List<String> query(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var found = new ArrayList<String>();
            while (rows.next()) {
                var row = new ArrayList<String>();
                for (var i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    row.add(rows.getString(i));
                }
                found.add(String.join("|", row));
            }
            return found;
        }
    }

    @Override
    public void close() {
        projection.close();
        postgres.close();
    }
}
