package dev.lakemill.identity;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/** Tokens that principals make for scripts and tools of theirs, list, and end one by one. */
public final class PersonalTokens {
    private static final int TOKENS_MAX = 100;
    private static final int COMMENT_LENGTH_MAX = 256;

    private final DataSource database;
    private final Tokens tokens;
    private final Clock clock;

    PersonalTokens(Identity.Parts parts, Tokens tokens) {
        this.database = parts.database();
        this.tokens = tokens;
        this.clock = parts.clock();
    }

    /** RESOURCE_EXHAUSTED when the caller has a hundred already. */
    public IssuedToken create(Caller caller, String comment, Duration timeToLive) {
        if (comment.length() > COMMENT_LENGTH_MAX) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the comment is longer than %d characters".formatted(COMMENT_LENGTH_MAX),
                    "shorten it");
        }
        var principal = caller.principal();
        if (list(caller).size() >= TOKENS_MAX) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%s has %d tokens already".formatted(principal.name(), TOKENS_MAX),
                    "end one that is not used any more");
        }
        var issued = tokens.issue(caller, TokenRequest.of(principal).withTimeToLive(timeToLive));
        Transactions.run(database, connection -> insert(connection, issued.info(), comment));
        return issued;
    }

    /** Of the caller, those that have not ended. */
    public List<PersonalToken> list(Caller caller) {
        return Transactions.run(database, c -> list(c, caller.principal().id()));
    }

    /** NOT_FOUND when the caller has no such token. */
    public void delete(Caller caller, String id) {
        if (list(caller).stream().noneMatch(token -> token.id().equals(id))) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "you have no token " + id,
                    "list your tokens to see their ids");
        }
        tokens.revoke(caller, caller.principal().id(), id);
        Transactions.run(database, connection -> delete(connection, id));
    }

    private List<PersonalToken> list(Connection connection, UUID principal) throws SQLException {
        var sql =
                """
                SELECT id, comment, created_at, expires_at FROM lakemill.personal_tokens
                WHERE principal_id = ? AND expires_at > ? ORDER BY created_at
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, principal);
            query.setTimestamp(2, Timestamp.from(clock.instant()));
            try (var rows = query.executeQuery()) {
                var found = new ArrayList<PersonalToken>();
                while (rows.next()) {
                    found.add(
                            new PersonalToken(
                                    rows.getString(1),
                                    rows.getString(2),
                                    rows.getTimestamp(3).toInstant(),
                                    rows.getTimestamp(4).toInstant()));
                }
                return found;
            }
        }
    }

    private int insert(Connection connection, TokenInfo info, String comment) throws SQLException {
        deleteEnded(connection, clock.instant());
        var sql =
                """
                INSERT INTO lakemill.personal_tokens
                    (id, principal_id, comment, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setString(1, info.id());
            insert.setObject(2, info.principal().id());
            insert.setString(3, comment);
            insert.setTimestamp(4, Timestamp.from(info.issuedAt()));
            insert.setTimestamp(5, Timestamp.from(info.expiresAt()));
            return insert.executeUpdate();
        }
    }

    private static void deleteEnded(Connection connection, Instant now) throws SQLException {
        try (var delete =
                connection.prepareStatement(
                        "DELETE FROM lakemill.personal_tokens WHERE expires_at < ?")) {
            delete.setTimestamp(1, Timestamp.from(now));
            delete.executeUpdate();
        }
    }

    private static int delete(Connection connection, String id) throws SQLException {
        try (var delete =
                connection.prepareStatement("DELETE FROM lakemill.personal_tokens WHERE id = ?")) {
            delete.setString(1, id);
            return delete.executeUpdate();
        }
    }
}
