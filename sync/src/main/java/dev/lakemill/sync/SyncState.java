package dev.lakemill.sync;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline's row in {@code lakemill.sync_state}: the batch that its synced tables show.
 *
 * @param sources position reached in each source table
 * @param receivedMicros of the newest source row; 0 for none
 */
record SyncState(long batch, Instant now, Map<TableName, Long> sources, long receivedMicros) {
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
                    (pipeline, batch, now, sources, received_at, applied_at)
                VALUES (?, ?, ?, ?::jsonb, ?, clock_timestamp())
                ON CONFLICT (pipeline) DO UPDATE SET
                    batch = EXCLUDED.batch, now = EXCLUDED.now, sources = EXCLUDED.sources,
                    received_at = coalesce(EXCLUDED.received_at, s.received_at),
                    applied_at = EXCLUDED.applied_at
                RETURNING applied_at
                """;
        try (var upsert = connection.prepareStatement(sql)) {
            upsert.setString(1, pipeline);
            upsert.setLong(2, batch);
            upsert.setTimestamp(3, Timestamp.from(now));
            upsert.setString(4, sourcesJson());
            upsert.setTimestamp(5, received());
            try (var rows = upsert.executeQuery()) {
                rows.next();
                return rows.getTimestamp(1).toInstant();
            }
        }
    }

    private String sourcesJson() {
        var object = JsonNodeFactory.instance.objectNode();
        sources.forEach((table, position) -> object.put(table.toString(), position));
        return object.toString();
    }

    private @Nullable Timestamp received() {
        return receivedMicros == 0
                ? null
                : Timestamp.from(Instant.EPOCH.plus(receivedMicros, ChronoUnit.MICROS));
    }
}
