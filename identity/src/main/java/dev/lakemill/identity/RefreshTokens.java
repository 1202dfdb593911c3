package dev.lakemill.identity;

import dev.lakemill.catalog.Transactions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Consumer;
import javax.sql.DataSource;

/**
 * Refresh tokens, each good once: using one gives the next of its session. A second use means that
 * somebody has a copy, and ends the session (RFC 9700, 4.14.2).
 */
final class RefreshTokens {
    static final Duration SESSION_TTL = Duration.ofDays(30);

    /** Used tokens of one session that are still known when they are replayed. */
    private static final int KEPT_MAX = 200;

    /** Sessions of one principal; the oldest gives way. */
    private static final int SESSIONS_MAX = 100;

    /**
     * Whose session it is.
     *
     * @param generation of the principal's tokens, when the session began
     */
    record Session(
            String id,
            UUID principal,
            String clientId,
            String scope,
            Instant expiresAt,
            long generation) {}

    /** What became of a token that was shown. */
    sealed interface Outcome {
        record Rotated(Session session, String next) implements Outcome {}

        record Replayed(Session session) implements Outcome {}

        record Unknown() implements Outcome {}
    }

    private final DataSource database;
    private final SecureRandom random;
    private final Clock clock;
    private final Tokens tokens;

    RefreshTokens(Identity.Parts parts, Tokens tokens) {
        this.database = parts.database();
        this.random = parts.random();
        this.clock = parts.clock();
        this.tokens = tokens;
    }

    /** The first token of a session. */
    String begin(Session session) {
        var text = RandomText.make(random);
        Transactions.run(
                database,
                connection -> {
                    forget(connection, session.principal());
                    return insert(connection, text, session);
                });
        return text;
    }

    /**
     * Uses a token of the client's.
     *
     * @param check throws for what the session is not good for; the token is not used then
     */
    Outcome use(String text, String clientId, Consumer<Session> check) {
        return Transactions.run(database, connection -> use(connection, text, clientId, check));
    }

    private Outcome use(
            Connection connection, String text, String clientId, Consumer<Session> check)
            throws SQLException {
        var sql =
                """
                SELECT session, principal_id, client_id, scope, expires_at, generation, used
                FROM lakemill.refresh_tokens WHERE hash = ? FOR UPDATE
                """;
        Session session;
        boolean used;
        try (var query = connection.prepareStatement(sql)) {
            query.setBytes(1, RandomText.hash(text));
            try (var rows = query.executeQuery()) {
                if (!rows.next()) {
                    return new Outcome.Unknown();
                }
                session = session(rows);
                used = rows.getBoolean(7);
            }
        }
        if (!session.clientId().equals(clientId)
                || !session.expiresAt().isAfter(clock.instant())
                || session.generation() != tokens.generation(session.principal())) {
            return new Outcome.Unknown();
        }
        if (used) {
            return new Outcome.Replayed(session);
        }
        check.accept(session);
        spend(connection, text);
        var next = RandomText.make(random);
        insert(connection, next, session);
        return new Outcome.Rotated(session, next);
    }

    /** The session of a token, used or not; ends it. */
    Outcome end(String text) {
        return Transactions.run(
                database,
                connection -> {
                    var sql =
                            """
                            DELETE FROM lakemill.refresh_tokens WHERE hash = ? RETURNING
                                session, principal_id, client_id, scope, expires_at, generation
                            """;
                    try (var delete = connection.prepareStatement(sql)) {
                        delete.setBytes(1, RandomText.hash(text));
                        try (var rows = delete.executeQuery()) {
                            return rows.next()
                                    ? new Outcome.Replayed(session(rows))
                                    : new Outcome.Unknown();
                        }
                    }
                });
    }

    private static Session session(ResultSet row) throws SQLException {
        return new Session(
                row.getString(1),
                row.getObject(2, UUID.class),
                row.getString(3),
                row.getString(4),
                row.getTimestamp(5).toInstant(),
                row.getLong(6));
    }

    private static void spend(Connection connection, String text) throws SQLException {
        var sql = "UPDATE lakemill.refresh_tokens SET used = true WHERE hash = ?";
        try (var update = connection.prepareStatement(sql)) {
            update.setBytes(1, RandomText.hash(text));
            update.executeUpdate();
        }
    }

    private int insert(Connection connection, String text, Session session) throws SQLException {
        trim(connection, session.id());
        var sql =
                """
                INSERT INTO lakemill.refresh_tokens
                    (hash, session, principal_id, client_id, scope, expires_at, generation)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setBytes(1, RandomText.hash(text));
            insert.setString(2, session.id());
            insert.setObject(3, session.principal());
            insert.setString(4, session.clientId());
            insert.setString(5, session.scope());
            insert.setTimestamp(6, Timestamp.from(session.expiresAt()));
            insert.setLong(7, session.generation());
            return insert.executeUpdate();
        }
    }

    /** Forgets the oldest used tokens of a session that is refreshed without end. */
    private static void trim(Connection connection, String session) throws SQLException {
        var sql =
                """
                DELETE FROM lakemill.refresh_tokens WHERE hash IN (
                    SELECT hash FROM lakemill.refresh_tokens WHERE session = ? AND used
                    ORDER BY number DESC OFFSET ?)
                """;
        try (var delete = connection.prepareStatement(sql)) {
            delete.setString(1, session);
            delete.setInt(2, KEPT_MAX);
            delete.executeUpdate();
        }
    }

    /** Forgets what has expired, and the principal's oldest sessions beyond the limit. */
    private void forget(Connection connection, UUID principal) throws SQLException {
        var sql =
                """
                DELETE FROM lakemill.refresh_tokens WHERE expires_at < ? OR session IN (
                    SELECT session FROM lakemill.refresh_tokens WHERE principal_id = ?
                    GROUP BY session ORDER BY max(expires_at) DESC OFFSET ?)
                """;
        try (var delete = connection.prepareStatement(sql)) {
            delete.setTimestamp(1, Timestamp.from(clock.instant()));
            delete.setObject(2, principal);
            delete.setInt(3, SESSIONS_MAX - 1);
            delete.executeUpdate();
        }
    }
}
