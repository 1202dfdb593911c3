package dev.lakemill.bench;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.RowFilter;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Random changes of a catalog by a seed (grants, owners, memberships, filters, masks, tables, and
 * meddling behind its back), after which each principal's rights and visible rows in Postgres are
 * compared with what the catalog's decision says.
 */
final class PolicyFuzz implements AutoCloseable {
    private static final int USERS = 7;
    private static final int GROUPS = 4;
    private static final int TABLES_MAX = 10;
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("region", Primitive.STRING),
                    Column.nullable("secret", Primitive.STRING));
    private static final List<Privilege> GRANTED =
            List.of(
                    Privilege.USE_CATALOG,
                    Privilege.USE_SCHEMA,
                    Privilege.SELECT,
                    Privilege.MODIFY,
                    Privilege.ALL_PRIVILEGES,
                    Privilege.MANAGE);

    private final Catalog catalog;
    private final Caller node;
    private final Connection connection;
    private final Random random;
    private final String prefix;
    private final List<Principal> users = new ArrayList<>();
    private final List<Principal> groups = new ArrayList<>();
    private final List<TableName> tables = new ArrayList<>();
    private final List<String> disagreements = new ArrayList<>();
    private long cells;

    /**
     * @param postgres where a projection of the catalog is at work
     */
    PolicyFuzz(Postgres postgres, Catalog catalog, long seed) throws SQLException {
        this.catalog = catalog;
        this.node = catalog.system();
        this.connection = postgres.ownerUnpooled().getConnection();
        this.random = new Random(seed);
        this.prefix = "fuzz" + Long.toUnsignedString(seed, 36) + "_";
        for (var i = 0; i < USERS; i++) {
            users.add(principal(i == 0 ? PrincipalKind.SERVICE_PRINCIPAL : PrincipalKind.USER, i));
        }
        for (var i = 0; i < GROUPS; i++) {
            groups.add(principal(PrincipalKind.GROUP, i));
        }
        for (var i = 0; i < 4; i++) {
            addTable();
        }
        for (var table : tables) {
            function(table, "seen", Primitive.BOOLEAN, "$1 = 'eu' OR %s");
            function(table, "shown", Primitive.STRING, "CASE WHEN %s THEN $1 ELSE '***' END");
        }
    }

    private Principal principal(PrincipalKind kind, int number) {
        var name = prefix + kind.name().charAt(0) + number;
        return catalog.principals().create(node, kind, name, name, "").principal();
    }

    /** By whether the caller is in the first group. */
    private void function(TableName beside, String name, Primitive returns, String sql) {
        var text = sql.formatted("lakemill.is_member('%s')".formatted(groups.getFirst().name()));
        catalog.policies()
                .createFunction(
                        node,
                        new PolicyFunction(
                                functionName(beside, name),
                                List.of(Column.nullable("value", Primitive.STRING)),
                                returns,
                                text,
                                "",
                                text,
                                ""),
                        true);
    }

    private static String functionName(TableName beside, String name) {
        return "%s.%s.%s".formatted(beside.catalog(), beside.schema(), name);
    }

    private void addTable() throws SQLException {
        var number = tables.size();
        var table =
                new TableName(
                        prefix + "c" + number % 2, prefix + "s" + number / 2 % 2, "t" + number);
        var location = table.schema() + "." + table.table();
        execute(
                "CREATE SCHEMA IF NOT EXISTS " + table.schema(),
                "CREATE TABLE %s (id bigint, region text, secret text)".formatted(location),
                "INSERT INTO %s VALUES (1, 'eu', 'a'), (2, 'us', 'b')".formatted(location));
        catalog.create(
                table,
                random.nextBoolean() ? TableKind.SYNCED : TableKind.STATE,
                SCHEMA,
                "postgres:" + location,
                "",
                Map.of());
        tables.add(table);
    }

    /** One random change; what the catalog refuses changes nothing. */
    void change() throws SQLException {
        try {
            switch (random.nextInt(12)) {
                case 0, 1, 2, 3 -> grant(Set.of(any(GRANTED)), Set.of());
                case 4, 5 -> grant(Set.of(), Set.of(any(GRANTED)));
                case 6 -> catalog.principals().addMember(node, any(groups).id(), anybody().id());
                case 7 -> {
                    var group = any(groups);
                    var members = catalog.principals().members(group.id());
                    if (!members.isEmpty()) {
                        catalog.principals().removeMember(node, group.id(), any(members).id());
                    }
                }
                case 8 -> catalog.grants().transfer(node, securable(), anybody().name());
                case 9 -> policy(any(tables.subList(0, 4)));
                case 10 -> activate(any(users));
                default -> {
                    if (tables.size() < TABLES_MAX && random.nextInt(3) == 0) {
                        addTable();
                    } else {
                        meddle(any(tables));
                    }
                }
            }
        } catch (LakemillException _) {
            // A group in itself, a mask that is not there: the catalog's own tests are about these.
        }
    }

    private void grant(Set<Privilege> add, Set<Privilege> remove) {
        var change = new GrantChange(anybody().name(), add, remove);
        catalog.grants().change(node, securable(), List.of(change));
    }

    private void policy(TableName table) {
        var policies = catalog.policies();
        switch (random.nextInt(4)) {
            case 0 ->
                    policies.setRowFilter(
                            node,
                            new RowFilter(table, functionName(table, "seen"), List.of("region")));
            case 1 -> policies.dropRowFilter(node, table);
            case 2 ->
                    policies.setMask(
                            node,
                            new ColumnMask(
                                    table, "secret", functionName(table, "shown"), List.of()));
            default -> policies.dropMask(node, table, "secret");
        }
    }

    private void activate(Principal user) {
        var active = random.nextInt(4) > 0;
        catalog.principals().update(node, user.id(), p -> p.withActive(active));
    }

    /** What an administrator of Postgres might do by mistake. */
    private void meddle(TableName table) throws SQLException {
        var name = table.schema() + "." + table.table();
        var role = any(users).name();
        execute(
                switch (random.nextInt(5)) {
                    case 0 -> "GRANT ALL ON %s TO \"%s\"".formatted(name, role);
                    case 1 -> "GRANT SELECT ON %s TO PUBLIC".formatted(name);
                    case 2 -> "REVOKE ALL ON %s FROM \"%s\"".formatted(name, role);
                    case 3 -> "ALTER ROLE \"%s\" BYPASSRLS".formatted(role);
                    default -> "GRANT pg_read_all_data TO \"%s\"".formatted(role);
                });
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private Principal anybody() {
        if (random.nextInt(10) == 0) {
            return catalog.principals().find(Principals.USERS).orElseThrow().principal();
        }
        return random.nextInt(5) < 2 ? any(groups) : any(users);
    }

    private Securable securable() {
        var table = Securable.table(any(tables));
        var schema = table.parent().orElseThrow();
        return switch (random.nextInt(3)) {
            case 0 -> table;
            case 1 -> schema;
            default -> schema.parent().orElseThrow();
        };
    }

    /** Compares every user and table; the projection has reconciled. */
    void compare() throws SQLException {
        for (var table : tables) {
            var known = catalog.find(table).orElseThrow();
            for (var user : users) {
                compare(user, known);
            }
        }
    }

    private void compare(Principal user, CatalogTable table) throws SQLException {
        var reads = decide(user, Privilege.SELECT, table);
        var writes = table.kind() == TableKind.STATE && decide(user, Privilege.MODIFY, table);
        var found = rights(user, table);
        same(user, table, "SELECT", reads, found.getOrDefault("SELECT", false));
        for (var privilege : List.of("INSERT", "UPDATE", "DELETE")) {
            same(user, table, privilege, writes, found.getOrDefault(privilege, false));
        }
        same(user, table, "rows", reads ? rows(user, table) : "refused", seen(user, table));
    }

    private boolean decide(Principal user, Privilege privilege, CatalogTable table) {
        var on = Securable.table(table.name());
        return catalog.access().decide(user.id(), privilege, on) instanceof Decision.Allowed;
    }

    private void same(
            Principal user, CatalogTable table, String what, Object wanted, Object found) {
        cells++;
        if (!wanted.equals(found)) {
            disagreements.add(
                    "%s of %s on %s: the catalog says %s, Postgres %s"
                            .formatted(what, user.name(), table.name(), wanted, found));
        }
    }

    private Map<String, Boolean> rights(Principal user, CatalogTable table) throws SQLException {
        var rights = new HashMap<String, Boolean>();
        var sql =
                """
                SELECT p, has_table_privilege(?, ?::regclass, p)
                FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, user.name());
            query.setString(2, place(table));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    rights.put(rows.getString(1), rows.getBoolean(2));
                }
            }
        }
        return rights;
    }

    private static String place(CatalogTable table) {
        return table.name().schema() + "." + table.name().table();
    }

    /** The rows that the catalog's policies leave to the user. */
    private String rows(Principal user, CatalogTable table) {
        var inside = catalog.principals().groupsOf(user.id()).contains(groups.getFirst());
        var all = inside || catalog.policies().rowFilter(table.name()).isEmpty();
        var masked = !inside && !catalog.policies().masks(table.name()).isEmpty();
        var eu = masked ? "1 eu ***" : "1 eu a";
        return all ? eu + (masked ? ", 2 us ***" : ", 2 us b") : eu;
    }

    /** The rows that the user sees in Postgres. */
    private String seen(Principal user, CatalogTable table) throws SQLException {
        execute("SET SESSION AUTHORIZATION \"%s\"".formatted(user.name()));
        var sql =
                """
                SELECT string_agg(concat_ws(' ', id, region, secret), ', ' ORDER BY id) FROM %s
                """
                        .formatted(place(table));
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return String.valueOf(rows.getString(1));
        } catch (SQLException e) {
            if ("42501".equals(e.getSQLState())) {
                return "refused";
            }
            throw e;
        } finally {
            execute("RESET SESSION AUTHORIZATION");
        }
    }

    private void execute(String... commands) throws SQLException {
        try (var statement = connection.createStatement()) {
            for (var command : commands) {
                statement.execute(command);
            }
        }
    }

    /** How many answers were compared. */
    long cells() {
        return cells;
    }

    List<String> disagreements() {
        return disagreements;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
