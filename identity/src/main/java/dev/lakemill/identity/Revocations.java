package dev.lakemill.identity;

import dev.lakemill.catalog.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;

/**
 * Tokens that ended early: single ones and sessions by id until they would have ended anyway, all
 * of a principal by raising its generation. Kept in Postgres, asked in memory.
 */
final class Revocations {
    private static final int IDS_MAX = 100_000;

    private final DataSource database;
    private final Clock clock;
    private final Map<String, Instant> ids = new ConcurrentHashMap<>();
    private final Map<UUID, Long> generations = new ConcurrentHashMap<>();

    Revocations(DataSource database, Clock clock) {
        this.database = database;
        this.clock = clock;
        Transactions.run(database, this::read);
    }

    boolean isRevoked(String id) {
        return ids.containsKey(id);
    }

    long generation(UUID principal) {
        return generations.getOrDefault(principal, 0L);
    }

    /**
     * @return false when there is no room for more ids: revoke all of the principal then
     */
    synchronized boolean revoke(String id, Instant expiresAt) {
        var now = clock.instant();
        ids.values().removeIf(end -> !end.isAfter(now));
        if (ids.size() >= IDS_MAX) {
            return false;
        }
        Transactions.run(database, connection -> write(connection, id, expiresAt, now));
        ids.merge(id, expiresAt, (a, b) -> a.isAfter(b) ? a : b);
        return true;
    }

    synchronized void revokeAll(UUID principal) {
        var next = generation(principal) + 1;
        Transactions.run(database, connection -> write(connection, principal, next));
        generations.put(principal, next);
    }

    private int read(Connection connection) throws SQLException {
        var standing = "SELECT id, expires_at FROM lakemill.revoked_tokens WHERE expires_at > ?";
        try (var select = connection.prepareStatement(standing)) {
            select.setTimestamp(1, Timestamp.from(clock.instant()));
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    ids.put(rows.getString(1), rows.getTimestamp(2).toInstant());
                }
            }
        }
        try (var statement = connection.createStatement()) {
            try (var rows =
                    statement.executeQuery(
                            "SELECT principal_id, generation FROM lakemill.token_generations")) {
                while (rows.next()) {
                    generations.put(rows.getObject(1, UUID.class), rows.getLong(2));
                }
            }
        }
        return ids.size();
    }

    private static int write(Connection connection, String id, Instant expiresAt, Instant now)
            throws SQLException {
        var sql =
                """
                WITH ended AS (DELETE FROM lakemill.refresh_tokens WHERE session = ?)
                INSERT INTO lakemill.revoked_tokens AS r (id, expires_at) VALUES (?, ?)
                ON CONFLICT (id) DO UPDATE
                SET expires_at = greatest(r.expires_at, EXCLUDED.expires_at)
                """;
        try (var delete =
                        connection.prepareStatement(
                                "DELETE FROM lakemill.revoked_tokens WHERE expires_at < ?");
                var insert = connection.prepareStatement(sql)) {
            delete.setTimestamp(1, Timestamp.from(now));
            delete.executeUpdate();
            insert.setString(1, id);
            insert.setString(2, id);
            insert.setTimestamp(3, Timestamp.from(expiresAt));
            return insert.executeUpdate();
        }
    }

    private static int write(Connection connection, UUID principal, long generation)
            throws SQLException {
        var sql =
                """
                WITH ended AS (DELETE FROM lakemill.refresh_tokens WHERE principal_id = ?),
                    personal AS (DELETE FROM lakemill.personal_tokens WHERE principal_id = ?)
                INSERT INTO lakemill.token_generations (principal_id, generation) VALUES (?, ?)
                ON CONFLICT (principal_id) DO UPDATE SET generation = EXCLUDED.generation
                """;
        try (var insert = connection.prepareStatement(sql)) {
            for (var parameter = 1; parameter <= 3; parameter++) {
                insert.setObject(parameter, principal);
            }
            insert.setLong(4, generation);
            return insert.executeUpdate();
        }
    }
}
