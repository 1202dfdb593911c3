package dev.lakemill.postgres.imports;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The database that is moved in, by its URL.
 *
 * @param label host:port/database: what may be shown and kept, for it holds no secret
 */
public record ImportSource(String label, PGSimpleDataSource database) {
    private static final String JDBC = "jdbc:postgresql:";
    private static final Pattern LIBPQ = Pattern.compile("postgres(ql)?://.*");

    /**
     * Tables and their rows are seen as at one moment; texts of rows are the same on any server.
     */
    private static final String SESSION =
            """
            SET search_path = '';
            SET statement_timeout = 0;
            SET lock_timeout = '30s';
            SET idle_in_transaction_session_timeout = 0;
            SET row_security = off;
            """;

    /** What texts of rows depend on, besides the encoding. */
    static final String TEXTS =
            """
            SET extra_float_digits = 1;
            SET DateStyle = 'ISO, MDY';
            SET IntervalStyle = 'postgres';
            SET TimeZone = 'UTC';
            SET bytea_output = 'hex';
            SET lc_monetary = 'C';
            """;

    /**
     * @param url {@code postgresql://user:password@host:port/database?parameters}, as psql takes
     *     it, or a JDBC URL
     * @param password where the URL has none
     * @throws LakemillException INVALID_ARGUMENT
     */
    public static ImportSource parse(String url, @Nullable String password) {
        var database = new PGSimpleDataSource();
        try {
            if (url.startsWith(JDBC)) {
                database.setUrl(url);
            } else if (LIBPQ.matcher(url).matches()) {
                libpq(database, URI.create(url));
            } else {
                throw new IllegalArgumentException(url);
            }
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the source is no URL of Postgres",
                    "write postgresql://user:password@host:5432/database; what is special in a"
                            + " password is written as %40 and the like");
        }
        if (database.getPassword() == null && password != null) {
            database.setPassword(password);
        }
        database.setApplicationName("lakemill import");
        database.setConnectTimeout(10);
        database.setLoginTimeout(20);
        database.setTcpKeepAlive(true);
        var port = database.getPortNumbers()[0];
        var label =
                "%s:%d/%s"
                        .formatted(
                                database.getServerNames()[0],
                                port == 0 ? 5432 : port,
                                database.getDatabaseName());
        return new ImportSource(label, database);
    }

    private static void libpq(PGSimpleDataSource database, URI url) {
        if (url.getHost() == null || url.getPath() == null || url.getPath().length() < 2) {
            throw new IllegalArgumentException("no host or database");
        }
        var query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
        var port = url.getPort() < 0 ? "" : ":" + url.getPort();
        database.setUrl(JDBC + "//" + url.getHost() + port + url.getRawPath() + query);
        if (url.getRawUserInfo() != null) {
            var parts = url.getRawUserInfo().split(":", 2);
            database.setUser(URLDecoder.decode(parts[0], StandardCharsets.UTF_8));
            if (parts.length > 1) {
                // A plus is a plus here, unlike in a form.
                var password = parts[1].replace("+", "%2B");
                database.setPassword(URLDecoder.decode(password, StandardCharsets.UTF_8));
            }
        }
    }

    /**
     * A transaction that sees one moment of the source and changes nothing.
     *
     * @throws LakemillException UNAVAILABLE when it does not answer; FAILED_PRECONDITION when it is
     *     too old or its texts have no encoding
     */
    Connection open() throws SQLException {
        Connection connection;
        try {
            connection = database.getConnection();
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the source %s does not let us in: %s".formatted(label, e.getMessage()),
                    "see that it runs, that this machine reaches it, and that user and password"
                            + " are right",
                    e);
        }
        try (var statement = connection.createStatement()) {
            statement.execute(SESSION + TEXTS);
            require(
                    connection.getMetaData().getDatabaseMajorVersion() >= 13,
                    "the source runs Postgres "
                            + connection.getMetaData().getDatabaseProductVersion(),
                    "upgrade it to 13 or newer");
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            require(
                    !"SQL_ASCII".equals(encoding(connection)),
                    "the source's texts have no encoding (SQL_ASCII)",
                    "dump it and load it into a database with ENCODING 'UTF8'; import that");
            return connection;
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private void require(boolean holds, String problem, String hint) {
        if (!holds) {
            throw new LakemillException(ErrorCode.FAILED_PRECONDITION, problem, hint);
        }
    }

    static String encoding(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SHOW server_encoding")) {
            rows.next();
            return rows.getString(1);
        }
    }
}
