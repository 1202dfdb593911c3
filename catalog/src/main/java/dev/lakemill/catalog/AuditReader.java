package dev.lakemill.catalog;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/** Reads the audit records. Who may is for its callers to decide. Safe to use from any thread. */
public final class AuditReader {
    /** How many records a page may have. */
    public static final int PAGE_RECORDS_MAX = 1_000;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, String>> PAIRS = new TypeReference<>() {};
    private static final Pattern TOKEN = Pattern.compile("([0-9]{1,20})-([0-9]{1,18})");
    private static final String NEWEST = "18446744073709551615-" + Integer.MAX_VALUE;
    private static final String COLUMNS =
            """
            SELECT a.event_id, a.event_time, a.version, a.source_ip_address, a.user_agent,
                a.session_id, a.user_email, a.user_subject_name, a.service_name, a.action_name,
                a.request_id, a.request_params, a.status_code, a.error_message, a.audit_level,
                a.run_by, a.run_as, a.door, coalesce(s.sequence, 0),
                coalesce(encode(s.hash, 'hex'), ''), a.transaction_id || '-' || a.number
            """;

    /**
     * Records, newest first.
     *
     * @param nextToken empty when these were the last
     */
    public record Page(List<AuditRecord> records, String nextToken) {}

    private final DataSource database;

    public AuditReader(DataSource database) {
        this.database = database;
    }

    /**
     * @param token of the page before; empty for the first
     * @throws LakemillException INVALID_ARGUMENT for a token that is none of ours
     */
    public Page events(AuditFilter filter, int recordsMax, String token) {
        var place = TOKEN.matcher(token.isEmpty() ? NEWEST : token);
        if (!place.matches()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no page token of the audit log".formatted(token),
                    "send the token of the page before, or none");
        }
        var sql =
                COLUMNS
                        + """
                        FROM lakemill.audit a LEFT JOIN lakemill.audit_seals s
                            ON s.chain = 'audit' AND s.number = a.number
                        WHERE (a.transaction_id, a.number) < (?::xid8, ?)
                            AND a.event_time >= ? AND a.event_time < ?
                            AND ? IN ('', a.user_email) AND ? IN ('', a.service_name)
                            AND ? IN ('', a.action_name)
                        ORDER BY a.transaction_id DESC, a.number DESC LIMIT ?
                        """;
        var limit = Math.clamp(recordsMax, 1, PAGE_RECORDS_MAX);
        return Transactions.run(
                database,
                connection -> {
                    try (var query = connection.prepareStatement(sql)) {
                        query.setString(1, place.group(1));
                        query.setLong(2, Long.parseLong(place.group(2)));
                        query.setTimestamp(3, Timestamp.from(filter.from()));
                        query.setTimestamp(4, Timestamp.from(filter.before()));
                        query.setString(5, filter.email());
                        query.setString(6, filter.service());
                        query.setString(7, filter.action());
                        query.setInt(8, limit);
                        return page(query, limit);
                    }
                });
    }

    /** Sealed records behind a place of the chain, in its order. */
    public List<AuditRecord> sealedAfter(long sequence, int recordsMax) {
        var sql =
                COLUMNS
                        + """
                        FROM lakemill.audit_seals s JOIN lakemill.audit a ON a.number = s.number
                        WHERE s.chain = 'audit' AND s.sequence > ? AND s.sequence <= ?
                        ORDER BY s.sequence
                        """;
        return Transactions.run(
                database,
                connection -> {
                    try (var query = connection.prepareStatement(sql)) {
                        query.setLong(1, sequence);
                        query.setLong(2, sequence + recordsMax);
                        return page(query, recordsMax).records();
                    }
                });
    }

    private static Page page(PreparedStatement query, int limit) throws SQLException {
        var records = new ArrayList<AuditRecord>();
        var last = "";
        try (var rows = query.executeQuery()) {
            while (rows.next()) {
                records.add(read(rows));
                last = rows.getString(21);
            }
        }
        return new Page(records, records.size() < limit ? "" : last);
    }

    private static AuditRecord read(ResultSet row) throws SQLException {
        return new AuditRecord(
                row.getObject(1, UUID.class),
                row.getTimestamp(2).toInstant(),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                row.getString(6),
                row.getString(7),
                row.getString(8),
                row.getString(9),
                row.getString(10),
                row.getString(11),
                pairs(row.getString(12)),
                row.getInt(13),
                row.getString(14),
                row.getString(15),
                row.getString(16),
                row.getString(17),
                row.getString(18),
                row.getLong(19),
                row.getString(20));
    }

    private static Map<String, String> pairs(String json) {
        try {
            var pairs = JSON.readValue(json, PAIRS);
            // What SQL recorded may have values that are null.
            pairs.values().removeIf(Objects::isNull);
            return pairs;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
