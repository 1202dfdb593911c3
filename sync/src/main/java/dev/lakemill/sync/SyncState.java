package dev.lakemill.sync;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A group's row in {@code lakemill.sync_state}: the batch that its synced tables show.
 *
 * @param sources position reached in each source table
 * @param versions of Delta that are shown, by source; empty where rows come before Delta has them
 * @param receivedMicros of the newest source row; 0 for none
 */
record SyncState(
        long batch,
        Instant now,
        Map<TableName, Long> sources,
        Map<TableName, Long> versions,
        long receivedMicros) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The row; empty when there is none yet. */
    static Optional<SyncState> read(Connection connection, String group) throws SQLException {
        var sql =
                """
                SELECT batch, now, sources::text, source_versions::text FROM lakemill.sync_state
                WHERE pipeline = ?
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, group);
            try (var rows = query.executeQuery()) {
                return rows.next()
                        ? Optional.of(
                                new SyncState(
                                        rows.getLong(1),
                                        rows.getTimestamp(2).toInstant(),
                                        numbers(rows.getString(3)),
                                        numbers(rows.getString(4)),
                                        0))
                        : Optional.empty();
            }
        }
    }

    private static Map<TableName, Long> numbers(String json) {
        try {
            var numbers = new HashMap<TableName, Long>();
            JSON.readTree(json)
                    .properties()
                    .forEach(e -> numbers.put(TableName.parse(e.getKey()), e.getValue().asLong()));
            return numbers;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The batch of the row; empty when there is no row yet. */
    static OptionalLong readBatch(Connection connection, String pipeline) throws SQLException {
        var sql = "SELECT batch FROM lakemill.sync_state WHERE pipeline = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, pipeline);
            try (var rows = query.executeQuery()) {
                return rows.next() ? OptionalLong.of(rows.getLong(1)) : OptionalLong.empty();
            }
        }
    }

    /** Writes the row and returns its applied_at. Without new source rows the old time stays. */
    Instant write(Connection connection, String pipeline) throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.sync_state AS s
                    (pipeline, batch, now, sources, source_versions, received_at, applied_at)
                VALUES (?, ?, ?, ?::jsonb, ?::jsonb, ?, clock_timestamp())
                ON CONFLICT (pipeline) DO UPDATE SET
                    batch = EXCLUDED.batch, now = EXCLUDED.now, sources = EXCLUDED.sources,
                    source_versions = EXCLUDED.source_versions,
                    received_at = coalesce(EXCLUDED.received_at, s.received_at),
                    applied_at = EXCLUDED.applied_at
                RETURNING applied_at
                """;
        try (var upsert = connection.prepareStatement(sql)) {
            upsert.setString(1, pipeline);
            upsert.setLong(2, batch);
            upsert.setTimestamp(3, Timestamp.from(now));
            upsert.setString(4, json(sources));
            upsert.setString(5, json(versions));
            upsert.setTimestamp(6, received());
            try (var rows = upsert.executeQuery()) {
                rows.next();
                return rows.getTimestamp(1).toInstant();
            }
        }
    }

    private static String json(Map<TableName, Long> numbers) {
        var object = JsonNodeFactory.instance.objectNode();
        numbers.forEach((table, position) -> object.put(table.toString(), position));
        return object.toString();
    }

    private @Nullable Timestamp received() {
        return receivedMicros == 0
                ? null
                : Timestamp.from(Instant.EPOCH.plus(receivedMicros, ChronoUnit.MICROS));
    }
}
