package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A chain of hashes over the records of an append-only table.
 *
 * <p>The seal of record n is SHA-256(seal of n-1, n as 8 bytes, and for each text its length in
 * bytes of UTF-8 as 4 bytes and the bytes; length -1 and no bytes for NULL); before the first stand
 * 32 zero bytes. Writers do not wait for it: records are sealed in groups afterwards, in the order
 * of (transaction_id, number), up to the oldest transaction that still runs. Below that no record
 * can come in any more, whatever number it took and however late it commits, so the order of the
 * chain is the order of the table's key, and a record that stands there without a seal was slipped
 * in. Who rewrites the whole chain is found by comparing an older {@link Head}, kept elsewhere. Old
 * records may {@link #expire}: the chain then begins behind the last of them, with its seal.
 *
 * @param name in {@code lakemill.audit_chains}
 * @param table with columns {@code transaction_id xid8} and {@code number bigint}, its primary key
 * @param texts SQL expressions of what is sealed, as text
 */
public record AuditChain(String name, String table, List<String> texts) {
    private static final int FETCH_ROWS = 1_000;
    private static final String REWRITTEN =
            "its seal was another: the chain up to here was rewritten";

    /** Where a chain stood: {@code hash} in hexadecimal seals record {@code sequence}. */
    public record Head(long sequence, String hash) {}

    /** What a walk along the chain found. */
    public sealed interface Verdict {
        /**
         * Every record is as it was sealed.
         *
         * @param expired how many records came before the first that is still there
         * @param unsealed records that are not sealed yet
         */
        record Whole(long expired, Head head, long unsealed) implements Verdict {}

        /**
         * The first record that is not as it was sealed.
         *
         * @param sequence its place in the chain
         * @param number of the record in its table
         */
        record Broken(long sequence, long number, String problem) implements Verdict {}
    }

    private record Seal(long sequence, long number, byte[] hash) {}

    /** A seal and the transaction of its record: where a chain ends, or what it begins behind. */
    private record Place(Seal seal, String transactionId) {}

    public AuditChain {
        texts = List.copyOf(texts);
    }

    /** Seals up to so many final records; returns how many. UNAVAILABLE without Postgres. */
    public int seal(DataSource database, int recordsMax) {
        return Transactions.run(database, connection -> seal(connection, recordsMax));
    }

    /**
     * Walks the whole chain. Reads one state of the database, beside writers and sealers.
     *
     * @param known an older head that the chain must still contain, or null
     * @throws LakemillException FAILED_PRECONDITION when the known record has expired
     */
    public Verdict verify(DataSource database, @Nullable Head known) {
        return Transactions.run(
                database,
                connection -> {
                    try (var statement = connection.createStatement()) {
                        statement.execute(
                                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
                    }
                    return verify(connection, known);
                });
    }

    /**
     * Deletes the oldest sealed records, with their seals, up to the first that is not older. They
     * are the beginning of the chain, whose last seal stays as where it begins.
     *
     * @param before the time at which the records that stay begin
     * @param sequenceMax the last record that may go: those behind it are still needed
     * @return how many went; UNAVAILABLE without Postgres
     */
    public long expire(DataSource database, Instant before, long sequenceMax, int recordsMax) {
        return Transactions.run(
                database, connection -> expire(connection, before, sequenceMax, recordsMax));
    }

    private long expire(Connection connection, Instant before, long sequenceMax, int recordsMax)
            throws SQLException {
        end(connection, "FOR UPDATE");
        var start = start(connection);
        var last = lastBefore(connection, start, before, sequenceMax, recordsMax);
        if (last == null) {
            return 0;
        }
        move(connection, "first_", last);
        delete(connection, last);
        return last.seal().sequence() - start.seal().sequence();
    }

    /** The last of the records that may go; null when none may. */
    private @Nullable Place lastBefore(
            Connection connection, Place start, Instant before, long sequenceMax, int recordsMax)
            throws SQLException {
        var sql =
                """
                WITH oldest AS MATERIALIZED (
                    SELECT transaction_id, number, event_time,
                        row_number() OVER (ORDER BY transaction_id, number) AS place
                    FROM %s WHERE (transaction_id, number) > (?::xid8, ?)
                    ORDER BY transaction_id, number LIMIT ?
                )
                SELECT s.sequence, o.number, s.hash, o.transaction_id::text
                FROM oldest o JOIN lakemill.audit_seals s
                    ON s.chain = ? AND s.sequence = ? + o.place AND s.number = o.number
                WHERE NOT EXISTS (
                    SELECT FROM oldest y WHERE y.event_time >= ? AND y.place <= o.place)
                ORDER BY o.place DESC LIMIT 1
                """
                        .formatted(table);
        try (var query = connection.prepareStatement(sql)) {
            var sequence = start.seal().sequence();
            query.setString(1, start.transactionId());
            query.setLong(2, start.seal().number());
            query.setLong(3, Math.clamp(sequenceMax - sequence, 0, recordsMax));
            query.setString(4, name);
            query.setLong(5, sequence);
            query.setTimestamp(6, Timestamp.from(before));
            try (var rows = query.executeQuery()) {
                return rows.next() ? place(rows) : null;
            }
        }
    }

    /** Up to a place, which the triggers of both tables allow once the chain begins behind it. */
    private void delete(Connection connection, Place last) throws SQLException {
        var records = "DELETE FROM " + table + " WHERE (transaction_id, number) <= (?::xid8, ?)";
        try (var delete = connection.prepareStatement(records)) {
            delete.setString(1, last.transactionId());
            delete.setLong(2, last.seal().number());
            delete.executeUpdate();
        }
        var seals = "DELETE FROM lakemill.audit_seals WHERE chain = ? AND sequence <= ?";
        try (var delete = connection.prepareStatement(seals)) {
            delete.setString(1, name);
            delete.setLong(2, last.seal().sequence());
            delete.executeUpdate();
        }
    }

    private int seal(Connection connection, int recordsMax) throws SQLException {
        var end = end(connection, "FOR UPDATE");
        var sealed = new ArrayList<Seal>();
        var last = end;
        var sql =
                """
                SELECT number, transaction_id::text, %s FROM %s r
                WHERE (transaction_id, number) > (?::xid8, ?)
                    AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY r.transaction_id, r.number LIMIT ?
                """
                        .formatted(String.join(", ", texts), table);
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, end.transactionId());
            query.setLong(2, end.seal().number());
            query.setInt(3, recordsMax);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var sequence = last.seal().sequence() + 1;
                    var hash = hash(last.seal().hash(), sequence, rows, 3);
                    last = new Place(new Seal(sequence, rows.getLong(1), hash), rows.getString(2));
                    sealed.add(last.seal());
                }
            }
        }
        if (!sealed.isEmpty()) {
            insert(connection, sealed);
            move(connection, "", last);
        }
        return sealed.size();
    }

    private Place end(Connection connection, String lock) throws SQLException {
        return place(connection, "sequence, number, hash, transaction_id::text", lock);
    }

    /** The last record that has expired. */
    private Place start(Connection connection) throws SQLException {
        return place(
                connection,
                "first_sequence, first_number, first_hash, first_transaction_id::text",
                "");
    }

    private Place place(Connection connection, String columns, String lock) throws SQLException {
        var sql = "SELECT %s FROM lakemill.audit_chains WHERE name = ? %s".formatted(columns, lock);
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, name);
            try (var rows = query.executeQuery()) {
                if (!rows.next()) {
                    throw new IllegalStateException("there is no chain " + name);
                }
                return place(rows);
            }
        }
    }

    private static Place place(ResultSet row) throws SQLException {
        return new Place(
                new Seal(row.getLong(1), row.getLong(2), row.getBytes(3)), row.getString(4));
    }

    private void insert(Connection connection, List<Seal> seals) throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.audit_seals (chain, sequence, number, hash)
                SELECT ?, * FROM unnest(?::bigint[], ?::bigint[], ?::bytea[])
                """;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setString(1, name);
            insert.setObject(2, seals.stream().mapToLong(Seal::sequence).toArray());
            insert.setObject(3, seals.stream().mapToLong(Seal::number).toArray());
            insert.setObject(4, seals.stream().map(Seal::hash).toArray(byte[][]::new));
            insert.executeUpdate();
        }
    }

    /** Sets the chain's end, or with the prefix "first_" what it begins behind. */
    private void move(Connection connection, String prefix, Place place) throws SQLException {
        var sql =
                """
                UPDATE lakemill.audit_chains SET %1$ssequence = ?, %1$snumber = ?, %1$shash = ?,
                    %1$stransaction_id = ?::xid8 WHERE name = ?
                """
                        .formatted(prefix);
        try (var update = connection.prepareStatement(sql)) {
            update.setLong(1, place.seal().sequence());
            update.setLong(2, place.seal().number());
            update.setBytes(3, place.seal().hash());
            update.setString(4, place.transactionId());
            update.setString(5, name);
            update.executeUpdate();
        }
    }

    private Verdict verify(Connection connection, @Nullable Head known) throws SQLException {
        var start = start(connection);
        var end = end(connection, "");
        if (known != null && known.sequence() < start.seal().sequence()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the chain %s begins behind record %d; what you know of, %d, has expired"
                            .formatted(name, start.seal().sequence(), known.sequence()),
                    "compare with the Delta table, which keeps the hashes; note a newer head");
        }
        var sealSql =
                """
                SELECT sequence, number, hash FROM lakemill.audit_seals
                WHERE chain = ? ORDER BY sequence
                """;
        var recordSql =
                """
                SELECT number, %s FROM %s r WHERE (transaction_id, number) > (?::xid8, ?)
                    AND (transaction_id, number) <= (?::xid8, ?)
                ORDER BY r.transaction_id, r.number
                """
                        .formatted(String.join(", ", texts), table);
        try (var seals = connection.prepareStatement(sealSql);
                var records = connection.prepareStatement(recordSql)) {
            seals.setFetchSize(FETCH_ROWS);
            seals.setString(1, name);
            records.setFetchSize(FETCH_ROWS);
            records.setString(1, start.transactionId());
            records.setLong(2, start.seal().number());
            records.setString(3, end.transactionId());
            records.setLong(4, end.seal().number());
            try (var sealRows = seals.executeQuery();
                    var recordRows = records.executeQuery()) {
                var walk = new Walk(connection, start.seal(), end.seal(), known);
                var broken = walk.along(sealRows, recordRows);
                return broken != null ? broken : whole(connection, start, end);
            }
        }
    }

    private Verdict whole(Connection connection, Place start, Place end) throws SQLException {
        var sql =
                "SELECT count(*) FROM " + table + " WHERE (transaction_id, number) > (?::xid8, ?)";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, end.transactionId());
            query.setLong(2, end.seal().number());
            try (var rows = query.executeQuery()) {
                rows.next();
                var head = new Head(end.seal().sequence(), hex(end.seal().hash()));
                return new Verdict.Whole(start.seal().sequence(), head, rows.getLong(1));
            }
        }
    }

    /** Compares seal by seal with the records. Used by one thread, once. */
    private final class Walk {
        private final Connection connection;
        private final Seal end;
        private final @Nullable Head known;
        private Seal previous;

        Walk(Connection connection, Seal start, Seal end, @Nullable Head known) {
            this.connection = connection;
            this.previous = start;
            this.end = end;
            this.known = known;
        }

        Verdict.@Nullable Broken along(ResultSet seals, ResultSet records) throws SQLException {
            if (known != null
                    && known.sequence() == previous.sequence()
                    && !known.hash().equalsIgnoreCase(hex(previous.hash()))) {
                return broken(previous, REWRITTEN);
            }
            while (seals.next()) {
                var seal = new Seal(seals.getLong(1), seals.getLong(2), seals.getBytes(3));
                var broken = step(seal, records);
                if (broken != null) {
                    return broken;
                }
                previous = seal;
            }
            if (records.next()) {
                return slippedIn(records.getLong(1), previous.sequence() + 1);
            }
            if (previous.sequence() != end.sequence()
                    || !MessageDigest.isEqual(previous.hash(), end.hash())) {
                return broken(previous, "the seals behind it are missing");
            }
            return known != null && known.sequence() > end.sequence()
                    ? broken(end, "the chain once went on to record " + known.sequence())
                    : null;
        }

        private Verdict.@Nullable Broken step(Seal seal, ResultSet records) throws SQLException {
            var sequence = previous.sequence() + 1;
            if (seal.sequence() != sequence) {
                return new Verdict.Broken(sequence, 0, "its seal is missing");
            }
            if (!records.next()) {
                return broken(seal, "the record is missing");
            }
            if (records.getLong(1) != seal.number()) {
                return exists(seal.number())
                        ? slippedIn(records.getLong(1), sequence)
                        : broken(seal, "the record is missing");
            }
            var hash = hash(previous.hash(), sequence, records, 2);
            if (!MessageDigest.isEqual(hash, seal.hash())) {
                return broken(seal, "the record, or its seal, was changed");
            }
            return known == null
                            || known.sequence() != sequence
                            || known.hash().equalsIgnoreCase(hex(hash))
                    ? null
                    : broken(seal, REWRITTEN);
        }

        private boolean exists(long number) throws SQLException {
            var sql = "SELECT 1 FROM %s WHERE number = ?".formatted(table);
            try (var query = connection.prepareStatement(sql)) {
                query.setLong(1, number);
                try (var rows = query.executeQuery()) {
                    return rows.next();
                }
            }
        }

        private static Verdict.Broken broken(Seal seal, String problem) {
            return new Verdict.Broken(seal.sequence(), seal.number(), problem);
        }

        private static Verdict.Broken slippedIn(long number, long sequence) {
            return new Verdict.Broken(sequence, number, "the record was slipped in, or moved");
        }
    }

    private byte[] hash(byte[] previous, long sequence, ResultSet row, int firstText)
            throws SQLException {
        var digest = sha256();
        digest.update(previous);
        digest.update(ByteBuffer.allocate(8).putLong(sequence).array());
        for (var i = 0; i < texts.size(); i++) {
            var text = row.getString(firstText + i);
            var bytes = text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
            var length = text == null ? -1 : bytes.length;
            digest.update(ByteBuffer.allocate(4).putInt(length).array());
            digest.update(bytes);
        }
        return digest.digest();
    }

    static String hex(byte[] hash) {
        return HexFormat.of().formatHex(hash);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
