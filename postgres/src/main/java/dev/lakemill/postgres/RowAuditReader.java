package dev.lakemill.postgres;

import dev.lakemill.catalog.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Reads the sealed records of {@code lakemill.row_audit} along their chain. The table has no index
 * by place in the chain, for it would cost every writer; so the place is found once, by looking
 * through the table, and kept. For one thread.
 */
public final class RowAuditReader {
    /**
     * A change of one row, or the TRUNCATE of a table.
     *
     * @param transaction its id in Postgres
     * @param user who was logged in
     * @param onBehalfOf as the application said; empty when it did not
     * @param oldRow JSON; null for an INSERT and a TRUNCATE
     * @param newRow JSON; null for a DELETE and a TRUNCATE
     * @param sequence its place in the chain
     * @param hash its seal in hexadecimal
     */
    public record RowChange(
            long transaction,
            Instant time,
            String schema,
            String table,
            String operation,
            String user,
            String onBehalfOf,
            String application,
            int backendPid,
            @Nullable String oldRow,
            @Nullable String newRow,
            long sequence,
            String hash) {}

    private record Place(long sequence, String transactionId, long number) {}

    private final DataSource database;
    private @Nullable Place place;

    public RowAuditReader(DataSource database) {
        this.database = database;
    }

    /**
     * The records behind a place of the chain, in its order.
     *
     * @param sequence of the last record that is known already; 0 for none
     */
    public List<RowChange> sealedAfter(long sequence, int recordsMax) {
        return Transactions.run(
                database, connection -> sealedAfter(connection, sequence, recordsMax));
    }

    private List<RowChange> sealedAfter(Connection connection, long sequence, int recordsMax)
            throws SQLException {
        var from = place;
        if (from == null || from.sequence() != sequence) {
            from = find(connection, sequence);
        }
        var sql =
                """
                SELECT r.transaction_id::text, r.number, r.event_time, r.table_schema, r.table_name,
                    r.operation, r.user_email, r.on_behalf_of, r.application_name, r.backend_pid,
                    r.old_row::text, r.new_row::text, s.sequence, encode(s.hash, 'hex')
                FROM (SELECT * FROM lakemill.row_audit
                    WHERE (transaction_id, number) > (?::xid8, ?)
                    ORDER BY transaction_id, number LIMIT ?) r
                JOIN lakemill.audit_seals s ON s.chain = 'row_audit' AND s.number = r.number
                ORDER BY s.sequence
                """;
        var changes = new ArrayList<RowChange>();
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, from.transactionId());
            query.setLong(2, from.number());
            query.setInt(3, recordsMax);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var transaction = rows.getString(1);
                    from = new Place(rows.getLong(13), transaction, rows.getLong(2));
                    changes.add(
                            new RowChange(
                                    Long.parseUnsignedLong(transaction),
                                    rows.getTimestamp(3).toInstant(),
                                    rows.getString(4),
                                    rows.getString(5),
                                    rows.getString(6),
                                    rows.getString(7),
                                    rows.getString(8),
                                    rows.getString(9),
                                    rows.getInt(10),
                                    rows.getString(11),
                                    rows.getString(12),
                                    rows.getLong(13),
                                    rows.getString(14)));
                }
            }
        }
        place = from;
        return changes;
    }

    /** A record that has expired is where the chain begins now. */
    private static Place find(Connection connection, long sequence) throws SQLException {
        var sql =
                """
                SELECT r.transaction_id::text, r.number, true AS stands
                FROM lakemill.audit_seals s JOIN lakemill.row_audit r ON r.number = s.number
                WHERE s.chain = 'row_audit' AND s.sequence = ?
                UNION ALL
                SELECT first_transaction_id::text, first_number, false
                FROM lakemill.audit_chains WHERE name = 'row_audit'
                ORDER BY stands DESC LIMIT 1
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setLong(1, sequence);
            try (var rows = query.executeQuery()) {
                rows.next();
                return new Place(sequence, rows.getString(1), rows.getLong(2));
            }
        }
    }
}
