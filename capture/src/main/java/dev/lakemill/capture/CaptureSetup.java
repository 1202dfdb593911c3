package dev.lakemill.capture;

import dev.lakemill.catalog.SqlResource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HexFormat;

/**
 * What capture needs of a superuser of Postgres: event triggers, functions that publish schemas,
 * and rights. A node that is one does it itself; for others an administrator runs it once.
 */
public final class CaptureSetup {
    private static final String SUPERUSER =
            "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user";
    private static final String REPLICATION =
            "SELECT rolreplication::text FROM pg_roles WHERE rolname = current_user";

    private CaptureSetup() {}

    /** What a superuser runs in the database, for a user who is none. */
    public static String sql(String user) {
        var quoted = TableShape.quoted(user);
        return """
        ALTER ROLE %1$s REPLICATION BYPASSRLS;
        GRANT pg_read_all_data TO %1$s;
        CREATE SCHEMA IF NOT EXISTS lakemill AUTHORIZATION %1$s;
        %2$s
        GRANT EXECUTE ON FUNCTION lakemill.capture_shape(oid),
            lakemill.capture_publications(text, text), lakemill.capture_publish(text, text[]),
            lakemill.capture_unpublish(text, text) TO %1$s;
        """
                .formatted(quoted, functions());
    }

    /** Whether the connection's user can capture, as a superuser or by what one has run. */
    public static boolean isDone(Connection connection) throws SQLException {
        return isTrue(connection, SUPERUSER)
                || (isTrue(connection, REPLICATION) && version().equals(installed(connection)));
    }

    static void run(Connection connection) throws SQLException {
        if (isTrue(connection, SUPERUSER)) {
            CaptureStore.execute(connection, functions());
        } else if (!isDone(connection)) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "capture needs event triggers and publications of schemas, which take a"
                            + " superuser of Postgres",
                    "have one run what './lakemill doctor --capture-sql' prints, or leave"
                            + " capture.schemas empty");
        }
    }

    private static boolean isTrue(Connection connection, String query) throws SQLException {
        return "true".equals(CaptureStore.ask(connection, query));
    }

    private static String installed(Connection connection) throws SQLException {
        var there = "SELECT to_regprocedure('lakemill.capture_version()')::text";
        return CaptureStore.ask(connection, there) == null
                ? ""
                : String.valueOf(CaptureStore.ask(connection, "SELECT lakemill.capture_version()"));
    }

    /** The functions and event triggers, and what tells that they are these. */
    private static String functions() {
        return text()
                + """
                CREATE OR REPLACE FUNCTION lakemill.capture_version() RETURNS text
                LANGUAGE sql IMMUTABLE AS $$ SELECT '%s'::text $$;
                """
                        .formatted(version());
    }

    private static String version() {
        try {
            var hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash).substring(0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text() {
        return SqlResource.read(CaptureSetup.class, "capture.sql");
    }
}
