package dev.lakemill.postgres;

import dev.lakemill.catalog.AuditChain;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.postgresql.util.PSQLState;

/**
 * Who changed which row of a state table, and how it was before and after: a trigger writes it in
 * the same transaction to {@code lakemill.row_audit}, whose rows nobody changes.
 *
 * <p>The user is the one who logged in. For whom an application acts is what it sets as {@code
 * lakemill.on_behalf_of}; the record shows it as that application's word.
 */
public final class RowAudit {
    /** The chain over {@code lakemill.row_audit}. */
    public static final AuditChain CHAIN =
            new AuditChain(
                    "row_audit",
                    "lakemill.row_audit",
                    List.of(
                            "transaction_id::text",
                            "(extract(epoch FROM event_time) * 1000000)::bigint::text",
                            "table_schema",
                            "table_name",
                            "operation",
                            "user_email",
                            "on_behalf_of",
                            "application_name",
                            "backend_pid::text",
                            "old_row::text",
                            "new_row::text"));

    private static final String ROW_TRIGGER = "lakemill_row_audit";
    private static final String TRUNCATE_TRIGGER = "lakemill_truncate_audit";

    /** A partition has its parent's already. */
    private static final String ROWS =
            """
            CREATE OR REPLACE TRIGGER %1$s AFTER INSERT OR UPDATE OR DELETE ON %3$s
                FOR EACH ROW EXECUTE FUNCTION lakemill.record_row(%4$s, %5$s);
            ALTER TABLE %3$s ENABLE ALWAYS TRIGGER %1$s;
            """;

    private static final String TRUNCATES =
            """
            CREATE OR REPLACE TRIGGER %2$s AFTER TRUNCATE ON %3$s
                FOR EACH STATEMENT EXECUTE FUNCTION lakemill.record_truncate(%4$s, %5$s);
            ALTER TABLE %3$s ENABLE ALWAYS TRIGGER %2$s;
            """;

    private static final Migrations MIGRATIONS =
            new Migrations(
                    "row-audit",
                    RowAudit.class,
                    List.of("0001-row-audit.sql", "0002-row-audit-retention.sql"));

    /** A table that is not audited, and why. */
    public record OptOut(
            String schema, String table, String reason, String changedBy, Instant changedAt) {}

    /** How many rows of a table a user changed within an hour, and when last. */
    public record Writes(
            String schema, String table, String user, Instant hour, Instant newest, long rows) {}

    /** What a follower has not seen before: how many rows, and what they come to. */
    public record Followed(int rows, List<Writes> writes) {
        public Followed {
            writes = List.copyOf(writes);
        }
    }

    private final AuditLog audit;

    private RowAudit(AuditLog audit) {
        this.audit = audit;
    }

    /** Makes the tables; the catalog of the same database has been opened before. */
    public static RowAudit open(DataSource database, AuditLog audit) {
        MIGRATIONS.apply(database);
        return new RowAudit(audit);
    }

    /**
     * Audits a table from the end of the transaction on; does nothing when it is audited. Records
     * keep the names given here, also when the table moves to another schema.
     *
     * @throws LakemillException NOT_FOUND when there is no such table
     */
    public void attach(Connection transaction, Caller caller, String schema, String table)
            throws SQLException {
        if (isAttached(transaction, schema, table)) {
            return;
        }
        var command = isPartition(transaction, schema, table) ? TRUNCATES : ROWS + TRUNCATES;
        execute(
                transaction,
                command.formatted(
                        ROW_TRIGGER,
                        TRUNCATE_TRIGGER,
                        quoted(schema, table),
                        literal(schema),
                        literal(table)));
        forget(transaction, schema, table);
        audit.record(
                transaction,
                AuditEvent.done(
                        caller,
                        "postgres",
                        "attachRowAudit",
                        Map.of("table", schema + "." + table)));
    }

    private static boolean isPartition(Connection connection, String schema, String table)
            throws SQLException {
        var sql =
                """
                SELECT c.relispartition
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ? AND c.relname = ?
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, schema);
            query.setString(2, table);
            try (var rows = query.executeQuery()) {
                return rows.next() && rows.getBoolean(1);
            }
        }
    }

    /** Whether both triggers are there and fire always. */
    public boolean isAttached(Connection connection, String schema, String table)
            throws SQLException {
        var sql =
                """
                SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ? AND c.relname = ? AND t.tgenabled = 'A' AND t.tgname IN (?, ?)
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, schema);
            query.setString(2, table);
            query.setString(3, ROW_TRIGGER);
            query.setString(4, TRUNCATE_TRIGGER);
            try (var rows = query.executeQuery()) {
                rows.next();
                return rows.getInt(1) == 2;
            }
        }
    }

    /** Tables whose owners said so, by {@code lakemill.stop_row_audit}, by name. */
    public static List<OptOut> optOuts(Connection connection) throws SQLException {
        var found = new ArrayList<OptOut>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT table_schema, table_name, reason, changed_by, changed_at
                                FROM lakemill.row_audit_opt_outs ORDER BY 1, 2
                                """)) {
            while (rows.next()) {
                found.add(
                        new OptOut(
                                rows.getString(1),
                                rows.getString(2),
                                rows.getString(3),
                                rows.getString(4),
                                rows.getTimestamp(5).toInstant()));
            }
        }
        return found;
    }

    /**
     * Sums up the sealed records that a follower has not seen yet, and moves it past them in the
     * same transaction.
     *
     * @param follower its name; a new one begins at the first record
     */
    public static Followed follow(Connection transaction, String follower, int rowsMax)
            throws SQLException {
        run(
                transaction,
                """
                INSERT INTO lakemill.row_audit_followers (name) VALUES (?) ON CONFLICT DO NOTHING
                """,
                follower);
        var sql =
                """
                WITH seen AS MATERIALIZED (
                    SELECT f.transaction_id, f.number FROM lakemill.row_audit_followers f
                    WHERE f.name = ? FOR UPDATE
                ), fresh AS MATERIALIZED (
                    SELECT * FROM lakemill.row_audit r
                    WHERE (r.transaction_id, r.number) > (
                            SELECT s.transaction_id, s.number FROM seen s)
                        AND (r.transaction_id, r.number) <= (
                            SELECT c.transaction_id, c.number FROM lakemill.audit_chains c
                            WHERE c.name = 'row_audit')
                    ORDER BY r.transaction_id, r.number LIMIT ?
                ), moved AS (
                    UPDATE lakemill.row_audit_followers f
                    SET transaction_id = l.transaction_id, number = l.number
                    FROM (SELECT transaction_id, number FROM fresh
                        ORDER BY transaction_id DESC, number DESC LIMIT 1) l
                    WHERE f.name = ?
                )
                SELECT table_schema, table_name, user_email, date_trunc('hour', event_time, 'UTC'),
                    max(event_time), count(*)
                FROM fresh GROUP BY 1, 2, 3, 4
                """;
        var writes = new ArrayList<Writes>();
        try (var query = transaction.prepareStatement(sql)) {
            query.setString(1, follower);
            query.setInt(2, rowsMax);
            query.setString(3, follower);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    writes.add(
                            new Writes(
                                    rows.getString(1),
                                    rows.getString(2),
                                    rows.getString(3),
                                    rows.getTimestamp(4).toInstant(),
                                    rows.getTimestamp(5).toInstant(),
                                    rows.getLong(6)));
                }
            }
        }
        var count = writes.stream().mapToLong(Writes::rows).sum();
        return new Followed(Math.toIntExact(count), writes);
    }

    private static void run(Connection transaction, String sql, String... values)
            throws SQLException {
        try (var statement = transaction.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setString(i + 1, values[i]);
            }
            statement.executeUpdate();
        }
    }

    private static void forget(Connection transaction, String schema, String table)
            throws SQLException {
        run(
                transaction,
                """
                DELETE FROM lakemill.row_audit_opt_outs WHERE table_schema = ? AND table_name = ?
                """,
                schema,
                table);
    }

    private static void execute(Connection transaction, String sql) throws SQLException {
        try (var statement = transaction.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            if (PSQLState.UNDEFINED_TABLE.getState().equals(e.getSQLState())
                    || "3F000".equals(e.getSQLState())) {
                throw new LakemillException(
                        ErrorCode.NOT_FOUND,
                        String.valueOf(e.getMessage()),
                        "name a table of Postgres as schema and table",
                        e);
            }
            throw e;
        }
    }

    private static String quoted(String schema, String table) {
        return quoted(schema) + "." + quoted(table);
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static String quoted(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }
}
