package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;

/**
 * The roles and the schema {@code lakemill}, made where they are missing.
 *
 * <p>The owner writes everything; its role {@code lakemill_objects} owns the governed tables. The
 * reader reads what it is granted (synced tables and their state) and nothing else: it creates
 * nothing, not even temporary tables, in an embedded Postgres.
 */
final class Roles {
    static final String OWNER = "lakemill";
    static final String READER = "lakemill_reader";

    /** Owns whatever the catalog governs, so that no principal does. */
    static final String OBJECTS = "lakemill_objects";

    static final int VERSION_MIN = 16;
    private static final int NAME_BYTES_MAX = 63;

    private static final String READER_SETTINGS =
            """
            ALTER ROLE lakemill_reader SET default_transaction_read_only = on;
            ALTER ROLE lakemill_reader SET idle_in_transaction_session_timeout = '10min';
            """;

    /** What a database of our own takes away from everybody. */
    private static final String CLOSE_DATABASE =
            """
            REVOKE ALL ON DATABASE lakemill FROM PUBLIC;
            ALTER SCHEMA public OWNER TO lakemill_objects;
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
            REVOKE EXECUTE ON FUNCTION pg_catalog.lo_create(oid), pg_catalog.lo_creat(integer),
                pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;
            """;

    /** Counts every statement; nobody but the owner looks into it. */
    private static final String COUNT_STATEMENTS =
            """
            CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA lakemill;
            REVOKE ALL ON lakemill.pg_stat_statements, lakemill.pg_stat_statements_info FROM PUBLIC;
            REVOKE ALL ON FUNCTION lakemill.pg_stat_statements(boolean),
                lakemill.pg_stat_statements_info() FROM PUBLIC;
            """;

    private static final String COUNTS_STATEMENTS =
            """
            SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'
                AND current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'
            """;

    private Roles() {}

    /** FAILED_PRECONDITION for an old server, PERMISSION_DENIED for a user with too few rights. */
    static void ensure(Connection connection, boolean embedded, int readerConnectionsMax)
            throws SQLException {
        checkVersion(connection);
        try {
            connection.setAutoCommit(false);
            run(connection, "SELECT pg_advisory_xact_lock(7077)");
            run(connection, "CREATE SCHEMA IF NOT EXISTS lakemill");
            if (!exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = '" + READER + "'")) {
                run(connection, "CREATE ROLE lakemill_reader LOGIN");
            }
            if (!exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = '" + OBJECTS + "'")) {
                run(connection, "CREATE ROLE lakemill_objects NOLOGIN");
                run(
                        connection,
                        "GRANT lakemill_objects TO CURRENT_USER WITH INHERIT TRUE, SET TRUE");
            }
            run(
                    connection,
                    "GRANT CREATE ON DATABASE %s TO lakemill_objects"
                            .formatted(database(connection)));
            GovernanceSql.installLayout(connection);
            run(connection, "GRANT USAGE ON SCHEMA lakemill TO lakemill_reader");
            run(
                    connection,
                    "GRANT CONNECT ON DATABASE %s TO lakemill_reader"
                            .formatted(database(connection)));
            if (embedded) {
                run(connection, READER_SETTINGS + CLOSE_DATABASE);
                if (exists(connection, COUNTS_STATEMENTS)) {
                    run(connection, COUNT_STATEMENTS);
                }
                run(
                        connection,
                        "ALTER ROLE lakemill_reader CONNECTION LIMIT " + readerConnectionsMax);
            }
            connection.commit();
        } catch (SQLException e) {
            connection.rollback();
            refuseIfDenied(connection, e);
            throw e;
        } finally {
            connection.setAutoCommit(true);
        }
    }

    /** Sends a verifier computed here, so that no log of the server shows the password. */
    static void setPassword(Connection connection, String role, String password)
            throws SQLException {
        try {
            connection
                    .unwrap(PGConnection.class)
                    .alterUserPassword(role, password.toCharArray(), "scram-sha-256");
        } catch (SQLException e) {
            refuseIfDenied(connection, e);
            throw e;
        }
    }

    static void createDatabase(Connection connection) throws SQLException {
        run(connection, "CREATE DATABASE lakemill");
    }

    private static void checkVersion(Connection connection) throws SQLException {
        var major = connection.getMetaData().getDatabaseMajorVersion();
        if (major < VERSION_MIN) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the Postgres at %s is version %d; Lakemill needs %d or newer"
                            .formatted(connection.getMetaData().getURL(), major, VERSION_MIN),
                    "upgrade it, or leave postgres.url out to use the embedded one");
        }
    }

    private static void refuseIfDenied(Connection connection, SQLException cause)
            throws SQLException {
        if (!"42501".equals(cause.getSQLState())) {
            return;
        }
        var user = connection.getMetaData().getUserName();
        var database = connection.getCatalog();
        throw new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                "user %s may not prepare the database %s: %s"
                        .formatted(user, database, cause.getMessage()),
                "as an administrator run: ALTER ROLE \"%s\" CREATEROLE; GRANT CREATE ON DATABASE"
                                .formatted(user)
                        + " \"%s\" TO \"%s\"; and drop a %s that another user created"
                                .formatted(database, user, READER),
                cause);
    }

    private static String database(Connection connection) throws SQLException {
        return "\"" + connection.getCatalog().replace("\"", "\"\"") + "\"";
    }

    private static boolean exists(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            return rows.next();
        }
    }

    /** Whether no principal can have a role of this name. */
    static boolean isReserved(String name) {
        return name.startsWith("pg_")
                || name.equals(OWNER)
                || name.startsWith("lakemill_")
                || name.equals("postgres")
                || name.equals(Acl.PUBLIC)
                || name.equals("none")
                || name.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX;
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
