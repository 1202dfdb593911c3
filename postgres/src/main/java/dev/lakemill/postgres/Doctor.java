package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.ds.PGSimpleDataSource;

/** Looks whether a Postgres of one's own has what Lakemill needs, and changes nothing in it. */
public final class Doctor {
    private static final int CONNECTIONS_MIN = 50;

    /** Whether it is well, is needed and missing, or would be of use. */
    public enum State {
        OK,
        MISSING,
        ADVICE
    }

    /**
     * One thing that was looked at.
     *
     * @param detail how it is, and what for
     * @param sql what mends it, as an administrator; empty when it is well, or SQL cannot
     */
    public record Finding(String name, State state, String detail, String sql) {}

    private final Connection connection;
    private final List<Finding> findings = new ArrayList<>();

    private Doctor(Connection connection) {
        this.connection = connection;
    }

    /**
     * @param url a JDBC URL with user and password
     * @throws LakemillException INVALID_ARGUMENT for another URL; UNAVAILABLE when nobody answers
     */
    public static List<Finding> examine(String url) {
        var source = new PGSimpleDataSource();
        try {
            source.setUrl(url);
            source.setConnectTimeout(5);
            source.setLoginTimeout(10);
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "postgres.url is not a JDBC URL of Postgres",
                    "write jdbc:postgresql://host:5432/database?user=...&password=...",
                    e);
        }
        try (var connection = source.getConnection()) {
            var doctor = new Doctor(connection);
            doctor.examine();
            return doctor.findings;
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "Postgres does not answer: " + e.getMessage(),
                    "see that it runs and that postgres.url, user and password are right",
                    e);
        }
    }

    private void examine() throws SQLException {
        var major = connection.getMetaData().getDatabaseMajorVersion();
        var isNew = major >= Roles.VERSION_MIN;
        findings.add(
                new Finding(
                        "version",
                        isNew ? State.OK : State.MISSING,
                        "%d; %d or newer is needed".formatted(major, Roles.VERSION_MIN),
                        ""));
        if (isNew) {
            rights();
            settings();
            extensions();
        }
    }

    private void rights() throws SQLException {
        var user = quoted(text("SELECT current_user"));
        var database = quoted(text("SELECT current_database()"));
        var isSuperuser = is("SELECT rolsuper FROM pg_roles WHERE rolname = current_user");
        needed(
                "right to make roles",
                isSuperuser
                        || is("SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user"),
                "each principal is a role",
                "ALTER ROLE %s CREATEROLE;".formatted(user));
        needed(
                "right to make schemas",
                is("SELECT has_database_privilege(current_database(), 'CREATE')"),
                "the schema lakemill, and those of tables",
                "GRANT CREATE ON DATABASE %s TO %s;".formatted(database, user));
        needed(
                "right to let roles connect",
                isSuperuser
                        || is(
                                "SELECT has_database_privilege(current_database(),"
                                        + " 'CONNECT WITH GRANT OPTION')"),
                "roles of principals log in",
                "GRANT CONNECT ON DATABASE %s TO %s WITH GRANT OPTION;".formatted(database, user));
        for (var role : List.of(Roles.READER, Roles.OBJECTS)) {
            if (is("SELECT count(*) > 0 FROM pg_roles WHERE rolname = '" + role + "'")) {
                needed(
                        "role " + role,
                        isSuperuser || is("SELECT pg_has_role('" + role + "', 'MEMBER')"),
                        "is there, made by another user",
                        "GRANT %s TO %s WITH ADMIN TRUE, INHERIT TRUE, SET TRUE;"
                                .formatted(role, user));
            }
        }
        useful(
                "superuser",
                isSuperuser,
                "not needed; without it principals make no tables by plain SQL, grant by"
                        + " lakemill.grant only, and what is changed behind the catalog's back"
                        + " stands until the next check",
                "ALTER ROLE %s SUPERUSER;".formatted(user));
    }

    private void settings() throws SQLException {
        var encoding = text("SHOW server_encoding");
        needed(
                "encoding",
                encoding.equals("UTF8"),
                encoding + "; texts are UTF-8",
                "CREATE DATABASE lakemill ENCODING 'UTF8' TEMPLATE template0;");
        for (var setting : List.of("fsync", "full_page_writes")) {
            needed(
                    setting,
                    text("SHOW " + setting).equals("on"),
                    "what is committed outlives a power cut",
                    "ALTER SYSTEM SET %s = on; SELECT pg_reload_conf();".formatted(setting));
        }
        useful(
                "synchronous_commit",
                !text("SHOW synchronous_commit").equals("off"),
                "off loses the last commits in a crash; synced tables are then compared in full",
                "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();");
        var connections = Integer.parseInt(text("SHOW max_connections"));
        useful(
                "max_connections",
                connections >= CONNECTIONS_MIN,
                "%d; %d are the node's own".formatted(connections, PostgresConfig.OWN_CONNECTIONS),
                "ALTER SYSTEM SET max_connections = 100; -- and restart Postgres");
        useful(
                "wal_level",
                text("SHOW wal_level").equals("logical"),
                "logical lets changes of state tables be read from Postgres's log",
                "ALTER SYSTEM SET wal_level = logical; -- and restart Postgres");
    }

    private void extensions() throws SQLException {
        useful(
                "pg_stat_statements",
                is(
                        "SELECT count(*) > 0 FROM pg_extension"
                                + " WHERE extname = 'pg_stat_statements'"),
                "counts statements and their time",
                "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'; -- restart, then"
                        + " CREATE EXTENSION pg_stat_statements;");
        useful(
                "vector",
                is("SELECT count(*) > 0 FROM pg_available_extensions WHERE name = 'vector'"),
                "pgvector's types and indexes, for tables that use them",
                "");
    }

    private void needed(String name, boolean isThere, String detail, String sql) {
        add(name, isThere ? State.OK : State.MISSING, detail, sql);
    }

    private void useful(String name, boolean isThere, String detail, String sql) {
        add(name, isThere ? State.OK : State.ADVICE, detail, sql);
    }

    private void add(String name, State state, String detail, String sql) {
        findings.add(new Finding(name, state, detail, state == State.OK ? "" : sql));
    }

    private boolean is(String query) throws SQLException {
        return text(query).equals("t");
    }

    private String text(String query) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(query)) {
            return row.next() ? String.valueOf(row.getString(1)) : "";
        }
    }

    private static String quoted(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }
}
