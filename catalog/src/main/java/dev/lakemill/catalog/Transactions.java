package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Work that is done whole or not at all. */
public final class Transactions {
    private static final String UNIQUE_VIOLATION = "23505";
    private static final String BAD_VALUE_CLASS = "22";

    private Transactions() {}

    /** What is done with the connection; it commits when this returns. */
    public interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    /**
     * UNAVAILABLE when Postgres does not do it, ALREADY_EXISTS when a unique name is taken,
     * INVALID_ARGUMENT when it cannot hold a value.
     */
    public static <T> T run(DataSource database, Work<T> work) {
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                var result = work.run(connection);
                connection.commit();
                return result;
            } catch (SQLException | RuntimeException e) {
                rollback(connection, e);
                throw e;
            } finally {
                restore(connection);
            }
        } catch (SQLException e) {
            throw told(e);
        }
    }

    private static void rollback(Connection connection, Exception cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /** A broken connection cannot be restored and is thrown away by its pool. */
    private static void restore(Connection connection) throws SQLException {
        if (!connection.isClosed()) {
            connection.setAutoCommit(true);
        }
    }

    private static LakemillException told(SQLException e) {
        var state = String.valueOf(e.getSQLState());
        if (state.equals(UNIQUE_VIOLATION)) {
            return new LakemillException(
                    ErrorCode.ALREADY_EXISTS, "the name is taken: " + e.getMessage(), "", e);
        }
        if (state.startsWith(BAD_VALUE_CLASS)) {
            return new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the catalog cannot hold it: " + e.getMessage(),
                    "leave out what it names; the character U+0000 is one such",
                    e);
        }
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the catalog's Postgres did not do it: " + e.getMessage(),
                "see that Postgres runs; then try again",
                e);
    }
}
