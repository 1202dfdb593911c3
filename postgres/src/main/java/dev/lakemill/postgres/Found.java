package dev.lakemill.postgres;

import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What Postgres looks like: its own catalog, read in a few queries whatever its size.
 *
 * @param us the user that we are
 * @param memberships but for ours
 * @param sequences those that belong to a column
 * @param projected what policies and views with masks were made of, by the table's name
 * @param pending tables that principals changed and the catalog has not followed yet
 */
record Found(
        String us,
        String databaseName,
        Map<String, Role> roles,
        Set<Membership> memberships,
        Acl database,
        Map<String, Schema> schemas,
        Map<Relation, Table> tables,
        Map<Relation, Sequence> sequences,
        Map<Relation, Projected> projected,
        Set<Relation> pending) {
    /** Stands for the table's name in {@link Table#columnRevokes}. */
    static final String TABLE = "<table>";

    /**
     * @param fit whether it has none of the attributes that would get it past the catalog
     */
    record Role(String mark, boolean login, boolean superuser, boolean fit) {}

    record Schema(String owner, Acl acl) {}

    /**
     * @param kind as in pg_class
     * @param columnRevokes commands that take away what was granted on columns
     * @param form its row security, or what it shows as a view; empty for a plain table
     * @param columns only where they are needed
     */
    record Table(
            String kind,
            String owner,
            List<String> columnRevokes,
            String form,
            Acl acl,
            List<Column> columns) {
        boolean isTable() {
            return kind.equals("r") || kind.equals("p");
        }

        boolean isView() {
            return kind.equals("v");
        }
    }

    record Column(String name, String type) {}

    record Sequence(Relation table, Acl acl) {}

    record Projected(String wanted, String found) {}

    private static final String ROLES =
            """
            SELECT rolname, coalesce(shobj_description(oid, 'pg_authid'), ''), rolcanlogin,
                rolsuper, rolinherit AND NOT (rolsuper OR rolcreaterole OR rolcreatedb
                    OR rolreplication OR rolbypassrls)
            FROM pg_roles
            """;

    private static final String MEMBERSHIPS =
            """
            SELECT g.rolname, m.rolname, b.rolname,
                a.inherit_option AND NOT a.set_option AND NOT a.admin_option
            FROM pg_auth_members a
            JOIN pg_roles g ON g.oid = a.roleid
            JOIN pg_roles m ON m.oid = a.member
            JOIN pg_roles b ON b.oid = a.grantor
            WHERE m.rolname <> current_user
            """;

    /** Of an owner, its privileges as rows of a grantee and an array. */
    private static final String PRIVILEGES =
            """
            LEFT JOIN LATERAL (
                SELECT CASE e.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(e.grantee) END
                        AS grantee,
                    array_agg(e.privilege_type || CASE WHEN e.is_grantable THEN '*' ELSE '' END)
                        AS privileges
                FROM aclexplode(%1$s) e
                WHERE e.grantor = %2$s AND e.grantee <> %2$s GROUP BY e.grantee
            ) a ON true
            """;

    private static final String SCHEMAS =
            """
            SELECT n.nspname, pg_get_userbyid(n.nspowner), a.grantee, a.privileges
            FROM pg_namespace n
            """
                    + PRIVILEGES.formatted("n.nspacl", "n.nspowner")
                    + "WHERE n.nspname = ANY (?)";

    private static final String DATABASE =
            """
            SELECT a.grantee, a.privileges FROM pg_database d
            """
                    + PRIVILEGES.formatted("d.datacl", "d.datdba")
                    + "WHERE d.datname = current_database() AND a.grantee IS NOT NULL";

    private static final String TABLES =
            """
            SELECT n.nspname, c.relname, c.relkind::text, pg_get_userbyid(c.relowner),
                CASE WHEN c.oid IN (SELECT attrelid FROM pg_attribute WHERE attacl IS NOT NULL)
                    THEN ARRAY(
                        SELECT DISTINCT format('REVOKE ALL (%I) ON TABLE <table> FROM %s CASCADE',
                            t.attname, CASE e.grantee WHEN 0 THEN 'PUBLIC'
                                ELSE quote_ident(pg_get_userbyid(e.grantee)) END)
                        FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) e
                        WHERE t.attrelid = c.oid)
                    ELSE ARRAY[]::text[] END,
                CASE WHEN c.relkind = 'v' OR c.relrowsecurity OR c.relforcerowsecurity
                        OR c.oid IN (SELECT polrelid FROM pg_policy)
                    THEN lakemill.table_form(c.oid) ELSE '' END,
                a.grantee, a.privileges
            FROM pg_namespace n
            JOIN pg_class c ON c.relnamespace = n.oid
            """
                    + PRIVILEGES.formatted("c.relacl", "c.relowner")
                    + "WHERE n.nspname = ANY (?) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

    private static final String SEQUENCES =
            """
            SELECT n.nspname, c.relname, tn.nspname, t.relname, a.grantee, a.privileges
            FROM pg_namespace n
            JOIN pg_class c ON c.relnamespace = n.oid
            JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
            JOIN pg_class t ON t.oid = d.refobjid
            JOIN pg_namespace tn ON tn.oid = t.relnamespace
            """
                    + PRIVILEGES.formatted("c.relacl", "c.relowner")
                    + "WHERE n.nspname = ANY (?) AND c.relkind = 'S'";

    private static final String COLUMNS =
            """
            SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
            FROM unnest(?, ?) w (nspname, relname)
            JOIN pg_namespace n ON n.nspname = w.nspname
            JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relname
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY c.oid, a.attnum
            """;

    private static final String PROJECTED =
            """
            SELECT postgres_schema, postgres_table, wanted, found FROM lakemill.projected_policies
            """;

    private static final String PENDING =
            "SELECT DISTINCT postgres_schema, postgres_table FROM lakemill.table_changes";

    /**
     * Reads the schemas in which something is wanted, and what is hidden of them.
     *
     * @param connection of a transaction whose queries all see the same
     */
    static Found read(Connection connection, Wanted wanted) throws SQLException {
        var schemas = new HashSet<>(wanted.schemas().keySet());
        wanted.schemas().keySet().forEach(s -> schemas.add(new Relation(s, "").hidden().schema()));
        var names = connection.createArrayOf("text", schemas.toArray());
        var tables = tables(connection, names);
        columns(connection, wanted, tables);
        return new Found(
                connection.getMetaData().getUserName(),
                connection.getCatalog(),
                roles(connection),
                memberships(connection),
                database(connection),
                schemas(connection, names),
                tables,
                sequences(connection, names),
                projected(connection),
                pending(connection));
    }

    /** A role that is dropped takes what it was granted along. */
    void forget(String role) {
        roles.remove(role);
        memberships.removeIf(m -> m.group().equals(role) || m.member().equals(role));
        database.privileges().remove(role);
        schemas.values().forEach(schema -> schema.acl().privileges().remove(role));
        tables.values().forEach(table -> table.acl().privileges().remove(role));
        sequences.values().forEach(sequence -> sequence.acl().privileges().remove(role));
    }

    /** Whether what stands there was made of this, and nobody has changed it. */
    boolean isProjected(Relation name, String wanted, String form) {
        return wanted.isEmpty()
                ? form.isEmpty()
                : new Projected(wanted, form).equals(projected.get(name));
    }

    private static Map<String, Role> roles(Connection connection) throws SQLException {
        var roles = new HashMap<String, Role>();
        try (var query = connection.prepareStatement(ROLES);
                var rows = query.executeQuery()) {
            while (rows.next()) {
                roles.put(
                        rows.getString(1),
                        new Role(
                                rows.getString(2),
                                rows.getBoolean(3),
                                rows.getBoolean(4),
                                rows.getBoolean(5)));
            }
        }
        return roles;
    }

    private static Set<Membership> memberships(Connection connection) throws SQLException {
        var memberships = new HashSet<Membership>();
        try (var query = connection.prepareStatement(MEMBERSHIPS);
                var rows = query.executeQuery()) {
            while (rows.next()) {
                memberships.add(
                        new Membership(
                                rows.getString(1),
                                rows.getString(2),
                                rows.getString(3),
                                rows.getBoolean(4)));
            }
        }
        return memberships;
    }

    private static Acl database(Connection connection) throws SQLException {
        var acl = Acl.empty();
        try (var query = connection.prepareStatement(DATABASE);
                var rows = query.executeQuery()) {
            while (rows.next()) {
                addPrivileges(acl, rows, 1);
            }
        }
        return acl;
    }

    private static Map<String, Schema> schemas(Connection connection, Array names)
            throws SQLException {
        var schemas = new HashMap<String, Schema>();
        try (var query = connection.prepareStatement(SCHEMAS)) {
            query.setArray(1, names);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var owner = rows.getString(2);
                    var schema =
                            schemas.computeIfAbsent(
                                    rows.getString(1), _ -> new Schema(owner, Acl.empty()));
                    addPrivileges(schema.acl(), rows, 3);
                }
            }
        }
        return schemas;
    }

    private static Map<Relation, Table> tables(Connection connection, Array schemas)
            throws SQLException {
        var tables = new HashMap<Relation, Table>();
        try (var query = connection.prepareStatement(TABLES)) {
            query.setArray(1, schemas);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var name = new Relation(rows.getString(1), rows.getString(2));
                    var table = tables.get(name);
                    if (table == null) {
                        table =
                                new Table(
                                        rows.getString(3),
                                        rows.getString(4),
                                        texts(rows, 5),
                                        rows.getString(6),
                                        Acl.empty(),
                                        new ArrayList<>());
                        tables.put(name, table);
                    }
                    addPrivileges(table.acl(), rows, 7);
                }
            }
        }
        return tables;
    }

    private static void columns(Connection connection, Wanted wanted, Map<Relation, Table> tables)
            throws SQLException {
        var needed = new ArrayList<Relation>();
        wanted.tables()
                .forEach(
                        (name, table) -> {
                            if (!table.masks().isEmpty()) {
                                needed.add(name);
                                needed.add(name.hidden());
                            }
                        });
        if (needed.isEmpty()) {
            return;
        }
        try (var query = connection.prepareStatement(COLUMNS)) {
            var schemas = needed.stream().map(Relation::schema).toArray();
            query.setArray(1, connection.createArrayOf("text", schemas));
            var names = needed.stream().map(Relation::name).toArray();
            query.setArray(2, connection.createArrayOf("text", names));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var table = tables.get(new Relation(rows.getString(1), rows.getString(2)));
                    if (table != null) {
                        table.columns().add(new Column(rows.getString(3), rows.getString(4)));
                    }
                }
            }
        }
    }

    private static Map<Relation, Sequence> sequences(Connection connection, Array schemas)
            throws SQLException {
        var sequences = new HashMap<Relation, Sequence>();
        try (var query = connection.prepareStatement(SEQUENCES)) {
            query.setArray(1, schemas);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var table = new Relation(rows.getString(3), rows.getString(4));
                    var sequence =
                            sequences.computeIfAbsent(
                                    new Relation(rows.getString(1), rows.getString(2)),
                                    _ -> new Sequence(table, Acl.empty()));
                    addPrivileges(sequence.acl(), rows, 5);
                }
            }
        }
        return sequences;
    }

    private static Map<Relation, Projected> projected(Connection connection) throws SQLException {
        var projected = new HashMap<Relation, Projected>();
        try (var query = connection.prepareStatement(PROJECTED);
                var rows = query.executeQuery()) {
            while (rows.next()) {
                projected.put(
                        new Relation(rows.getString(1), rows.getString(2)),
                        new Projected(rows.getString(3), rows.getString(4)));
            }
        }
        return projected;
    }

    private static Set<Relation> pending(Connection connection) throws SQLException {
        var pending = new HashSet<Relation>();
        try (var query = connection.prepareStatement(PENDING);
                var rows = query.executeQuery()) {
            while (rows.next()) {
                pending.add(new Relation(rows.getString(1), rows.getString(2)));
            }
        }
        return pending;
    }

    private static void addPrivileges(Acl acl, ResultSet rows, int column) throws SQLException {
        var grantee = rows.getString(column);
        if (grantee != null) {
            acl.add(List.of(grantee), texts(rows, column + 1).toArray(String[]::new));
        }
    }

    private static List<String> texts(ResultSet rows, int column) throws SQLException {
        return List.of((String[]) rows.getArray(column).getArray());
    }
}
