package dev.lakemill.api.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/** An agent's own statements, between those of its journal. */
final class Statements {
    private static final Set<String> ENDS =
            Set.of("commit", "rollback", "close", "abort", "setAutoCommit", "unwrap");

    private Statements() {}

    interface Work {
        JsonNode run() throws SQLException;
    }

    static JsonNode inTransaction(Journal journal, Work work) throws SQLException {
        var connection = journal.connection();
        connection.setAutoCommit(false);
        var done = false;
        try {
            var result = work.run();
            connection.commit();
            done = true;
            return result;
        } finally {
            if (!connection.isClosed()) {
                if (!done) {
                    connection.rollback();
                }
                connection.setAutoCommit(true);
            }
        }
    }

    /** Reads in a transaction that Postgres lets write nothing. */
    static ArrayNode read(
            Journal journal, String sql, Object[] parameters, int rowsMax, List<String> reads)
            throws SQLException {
        var connection = journal.connection();
        var found = Journal.JSON.createArrayNode();
        connection.setReadOnly(true);
        try {
            inTransaction(
                    journal,
                    () -> {
                        read(connection, sql, parameters, rowsMax, found);
                        reads.addAll(journal.touched());
                        return found;
                    });
        } finally {
            if (!connection.isClosed()) {
                connection.setReadOnly(false);
            }
        }
        return found;
    }

    private static void read(
            Connection connection, String sql, Object[] parameters, int rowsMax, ArrayNode found)
            throws SQLException {
        var asJson = "SELECT to_jsonb(q)::text FROM (\n" + sql + "\n) q";
        try (var query = connection.prepareStatement(asJson)) {
            query.setMaxRows(rowsMax + 1);
            for (var i = 0; i < parameters.length; i++) {
                query.setObject(i + 1, parameters[i]);
            }
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    found.add(Journal.parse(rows.getString(1)));
                }
            }
        }
        if (found.size() > rowsMax) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the query gives more than %d rows".formatted(rowsMax),
                    "add a LIMIT, or let SQL count and sum");
        }
    }

    /** Runs an effect and holds it to its transaction. */
    static JsonNode run(Journal journal, Effect effect) throws SQLException {
        var before = transaction(journal.connection());
        var receipt = effect.run(guarded(journal.connection()));
        if (!before.equals(transaction(journal.connection()))) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "an effect has ended its transaction",
                    "leave COMMIT and ROLLBACK out of it");
        }
        return Journal.JSON.valueToTree(receipt);
    }

    private static String transaction(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT pg_current_xact_id()::text")) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static Connection guarded(Connection connection) {
        return (Connection)
                Proxy.newProxyInstance(
                        Statements.class.getClassLoader(),
                        new Class<?>[] {Connection.class},
                        (_, method, arguments) -> {
                            if (ENDS.contains(method.getName())) {
                                throw new LakemillException(
                                        ErrorCode.INVALID_ARGUMENT,
                                        "an effect calls " + method.getName(),
                                        "its transaction ends by itself, with its record");
                            }
                            try {
                                return method.invoke(connection, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause() == null ? e : e.getCause();
                            }
                        });
    }
}
