package dev.lakemill.identity;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * How programs log in: the secrets of service principals, each with an end of its own, several at a
 * time, so that one can be replaced while the other is in use.
 *
 * <p>A secret is {@code lms_id_random}: its id finds its verifier, so that each check is one look
 * and one comparison, whether the client is known or not.
 */
public final class ClientSecrets {
    /** Of one service principal. */
    static final int SECRETS_MAX = 5;

    private static final Duration TTL_MAX = Duration.ofDays(730);
    private static final String PREFIX = "lms_";
    private static final int ID_LENGTH = 22;

    /** A new secret and its text. */
    public record Created(ClientSecret secret, String text) {
        @Override
        public String toString() {
            return "Created[" + secret + "]";
        }
    }

    private record Row(UUID principal, Verifier verifier) {}

    private final DataSource database;
    private final Principals principals;
    private final AuditLog audit;
    private final SecureRandom random;
    private final Clock clock;
    private final RateLimit addresses;
    private final Verifier nobody;

    ClientSecrets(Identity.Parts parts, RateLimit addresses) {
        this.database = parts.database();
        this.principals = parts.catalog().principals();
        this.audit = parts.catalog().audit();
        this.random = parts.random();
        this.clock = parts.clock();
        this.addresses = addresses;
        this.nobody = Verifier.ofNobody(Verifier.SECRET_ITERATIONS, random);
    }

    /**
     * Makes a secret.
     *
     * @throws LakemillException PERMISSION_DENIED unless the caller is an admin; RESOURCE_EXHAUSTED
     *     when it has five already
     */
    public Created create(Caller caller, UUID servicePrincipal, Duration timeToLive) {
        var principal = require(caller, servicePrincipal);
        if (timeToLive.isNegative() || timeToLive.isZero() || timeToLive.compareTo(TTL_MAX) > 0) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a secret cannot live for %d s".formatted(timeToLive.toSeconds()),
                    "ask for 1 to %d s".formatted(TTL_MAX.toSeconds()));
        }
        var now = clock.instant();
        var id = RandomText.make(random).substring(0, ID_LENGTH).replace('_', '-');
        var secret = new ClientSecret(id, now, now.plus(timeToLive));
        var text = PREFIX + id + "_" + RandomText.make(random);
        var verifier = Verifier.of(text, Verifier.SECRET_ITERATIONS, random);
        Transactions.run(database, c -> insert(c, servicePrincipal, secret, verifier));
        audited(caller, "createServicePrincipalSecret", principal, id);
        return new Created(secret, text);
    }

    /** Those that have not ended; PERMISSION_DENIED unless the caller is an admin. */
    public List<ClientSecret> list(Caller caller, UUID servicePrincipal) {
        require(caller, servicePrincipal);
        return Transactions.run(database, c -> list(c, servicePrincipal));
    }

    /** Tokens that it got before stay good; {@link Tokens#revokeAll} ends them. */
    public void delete(Caller caller, UUID servicePrincipal, String id) {
        var principal = require(caller, servicePrincipal);
        if (Transactions.run(database, c -> delete(c, servicePrincipal, id)) == 0) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "%s has no secret %s".formatted(principal.name(), id),
                    "list its secrets to see their ids");
        }
        audited(caller, "deleteServicePrincipalSecret", principal, id);
    }

    private void audited(Caller caller, String action, Principal principal, String id) {
        audit.record(
                AuditEvent.done(
                        caller,
                        "accounts",
                        action,
                        Map.of("service_principal", principal.name(), "secret_id", id)));
    }

    private Principal require(Caller caller, UUID id) {
        if (!principals.isAdmin(caller.principal().id())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "only metastore admins may manage secrets",
                    "ask a member of the group " + Principals.ADMINS);
        }
        return principals
                .find(id)
                .map(PrincipalInfo::principal)
                .filter(p -> p.kind() == PrincipalKind.SERVICE_PRINCIPAL)
                .filter(p -> !p.name().equals(Principals.SYSTEM))
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no service principal " + id,
                                        "create it first, by SCIM or './lakemill principal'"));
    }

    /**
     * The service principal whose id (or name) and secret these are; empty when they are not right,
     * whatever the reason.
     *
     * @throws LakemillException RESOURCE_EXHAUSTED after too many failures from the address
     */
    Optional<Principal> check(String client, String secret, Peer peer) {
        addresses.take(peer.address());
        var row = find(secret);
        var matches = row.map(Row::verifier).orElse(nobody).matches(secret);
        var principal =
                row.map(Row::principal).flatMap(principals::find).filter(p -> isNamed(p, client));
        if (!matches || principal.isEmpty() || !principal.get().active()) {
            return Optional.empty();
        }
        addresses.giveBack(peer.address());
        return principal.map(PrincipalInfo::principal);
    }

    private static boolean isNamed(PrincipalInfo info, String client) {
        return info.principal().id().toString().equalsIgnoreCase(client)
                || info.principal().name().equalsIgnoreCase(client);
    }

    private Optional<Row> find(String secret) {
        var end = secret.indexOf('_', PREFIX.length());
        if (!secret.startsWith(PREFIX) || end < 0 || secret.length() > 128) {
            return Optional.empty();
        }
        return Transactions.run(database, c -> find(c, secret.substring(PREFIX.length(), end)));
    }

    private Optional<Row> find(Connection connection, String id) throws SQLException {
        var sql =
                "SELECT principal_id, verifier FROM lakemill.client_secrets"
                        + " WHERE id = ? AND expires_at > ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, id.replace('\0', ' '));
            query.setTimestamp(2, Timestamp.from(clock.instant()));
            try (var rows = query.executeQuery()) {
                if (!rows.next()) {
                    return Optional.empty();
                }
                var verifier = Verifier.parse(rows.getString(2));
                return Optional.of(new Row(rows.getObject(1, UUID.class), verifier));
            }
        }
    }

    private List<ClientSecret> list(Connection connection, UUID principal) throws SQLException {
        var sql =
                "SELECT id, created_at, expires_at FROM lakemill.client_secrets"
                        + " WHERE principal_id = ? AND expires_at > ? ORDER BY created_at";
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, principal);
            query.setTimestamp(2, Timestamp.from(clock.instant()));
            return read(query);
        }
    }

    private static List<ClientSecret> read(PreparedStatement query) throws SQLException {
        try (ResultSet rows = query.executeQuery()) {
            var secrets = new ArrayList<ClientSecret>();
            while (rows.next()) {
                secrets.add(
                        new ClientSecret(
                                rows.getString(1),
                                rows.getTimestamp(2).toInstant(),
                                rows.getTimestamp(3).toInstant()));
            }
            return secrets;
        }
    }

    private int insert(
            Connection connection, UUID principal, ClientSecret secret, Verifier verifier)
            throws SQLException {
        deleteEnded(connection);
        if (list(connection, principal).size() >= SECRETS_MAX) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "it has %d secrets already".formatted(SECRETS_MAX),
                    "delete one that nobody uses any more");
        }
        var sql =
                "INSERT INTO lakemill.client_secrets"
                        + " (id, principal_id, verifier, created_at, expires_at)"
                        + " VALUES (?, ?, ?, ?, ?)";
        try (var insert = connection.prepareStatement(sql)) {
            insert.setString(1, secret.id());
            insert.setObject(2, principal);
            insert.setString(3, verifier.toString());
            insert.setTimestamp(4, Timestamp.from(secret.createdAt()));
            insert.setTimestamp(5, Timestamp.from(secret.expiresAt()));
            return insert.executeUpdate();
        }
    }

    private void deleteEnded(Connection connection) throws SQLException {
        var sql = "DELETE FROM lakemill.client_secrets WHERE expires_at < ?";
        try (var delete = connection.prepareStatement(sql)) {
            delete.setTimestamp(1, Timestamp.from(clock.instant()));
            delete.executeUpdate();
        }
    }

    private static int delete(Connection connection, UUID principal, String id)
            throws SQLException {
        var sql = "DELETE FROM lakemill.client_secrets WHERE principal_id = ? AND id = ?";
        try (var delete = connection.prepareStatement(sql)) {
            delete.setObject(1, principal);
            delete.setString(2, id);
            return delete.executeUpdate();
        }
    }
}
