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
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * How people log in: by name and password, and by codes that work once, with which they choose
 * their first password.
 *
 * <p>An unknown name, a wrong password, a user without one and an inactive user are the same work
 * and the same answer. Failures are limited by name and by address.
 */
public final class Passwords {
    private static final int LENGTH_MIN = 12;
    private static final int LENGTH_MAX = 256;

    /** Each check is long work for a processor; more of them wait, and then are refused. */
    private static final int CHECKS_AT_ONCE_MAX = 2;

    private static final int CHECK_WAIT_SECONDS = 10;

    private final DataSource database;
    private final Principals principals;
    private final AuditLog audit;
    private final SecureRandom random;
    private final Clock clock;
    private final RateLimit names;
    private final RateLimit addresses;
    private final Semaphore checks = new Semaphore(CHECKS_AT_ONCE_MAX, true);

    private final int iterations;

    /** What unknown users are checked against. */
    private final Verifier nobody;

    Passwords(Identity.Parts parts, RateLimit addresses) {
        this.database = parts.database();
        this.principals = parts.catalog().principals();
        this.audit = parts.catalog().audit();
        this.random = parts.random();
        this.clock = parts.clock();
        this.names = new RateLimit(10, Duration.ofSeconds(30), clock);
        this.addresses = addresses;
        this.iterations = parts.passwordIterations();
        this.nobody = Verifier.ofNobody(iterations, random);
    }

    /**
     * Says who logs in.
     *
     * @throws LakemillException UNAUTHENTICATED, the same for every reason; RESOURCE_EXHAUSTED
     *     after too many failures
     */
    public Principal login(String name, String password, Peer peer) {
        addresses.take(peer.address());
        names.take(name);
        var user = user(name);
        // Unknown names are looked for as well, so that the time does not tell them apart.
        var id = user.map(u -> u.principal().id()).orElse(new UUID(0, 0));
        var verifier = verifier(id).orElse(nobody);
        var matches = matches(verifier, password);
        if (!matches || verifier == nobody || user.isEmpty()) {
            throw refused(peer, Map.of("user", name, "by", "password"));
        }
        names.giveBack(name);
        addresses.giveBack(peer.address());
        return loggedIn(user.get().principal(), peer, "password");
    }

    private Optional<PrincipalInfo> user(String name) {
        return principals
                .find(name)
                .filter(p -> p.active() && p.principal().kind() == PrincipalKind.USER);
    }

    private boolean matches(Verifier verifier, String password) {
        try {
            if (!checks.tryAcquire(CHECK_WAIT_SECONDS, TimeUnit.SECONDS)) {
                throw new LakemillException(
                        ErrorCode.RESOURCE_EXHAUSTED, "too many log in at once", "try again");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LakemillException(ErrorCode.UNAVAILABLE, "the node stops", "try again", e);
        }
        try {
            var clipped = password.length() <= LENGTH_MAX ? password : "";
            return verifier.matches(clipped) && clipped.equals(password);
        } finally {
            checks.release();
        }
    }

    private Principal loggedIn(Principal user, Peer peer, String by) {
        audit.record(peer.done(user, "login", Map.of("user", user.name(), "by", by)));
        return user;
    }

    private LakemillException refused(Peer peer, Map<String, String> parameters) {
        var failure =
                new LakemillException(
                        ErrorCode.UNAUTHENTICATED,
                        "the login is not right",
                        "check name and password, or ask an admin for a login link");
        audit.record(peer.refused("login", parameters, 401, failure.problem()));
        return failure;
    }

    /** Whether the user has chosen one. */
    public boolean exists(UUID user) {
        return verifier(user).isPresent();
    }

    /**
     * Makes a code by which the user logs in once; codes made before end.
     *
     * @throws LakemillException PERMISSION_DENIED unless the caller is an admin
     */
    public String newCode(Caller caller, UUID user, Duration timeToLive) {
        requireAdmin(caller);
        var principal =
                principals
                        .find(user)
                        .filter(p -> p.principal().kind() == PrincipalKind.USER)
                        .orElseThrow(() -> noUser(user))
                        .principal();
        var code = RandomText.make(random);
        var expiresAt = Timestamp.from(clock.instant().plus(timeToLive));
        Transactions.run(
                database,
                connection -> {
                    delete(connection, "login_codes", user);
                    return insert(connection, RandomText.hash(code), user, expiresAt);
                });
        audit.record(
                AuditEvent.done(
                        caller, "accounts", "createLoginCode", Map.of("user", principal.name())));
        return code;
    }

    private static LakemillException noUser(UUID id) {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no user " + id,
                "'./lakemill principal list' shows those that there are");
    }

    private void requireAdmin(Caller caller) {
        if (!principals.isAdmin(caller.principal().id())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "only metastore admins may do this",
                    "ask a member of the group " + Principals.ADMINS);
        }
    }

    /** Whose code it is, without using it; empty when it is not good. */
    public Optional<Principal> peek(String code, Peer peer) {
        addresses.take(peer.address());
        var user = Transactions.run(database, c -> find(c, RandomText.hash(code)));
        if (user.isPresent()) {
            addresses.giveBack(peer.address());
        }
        return user.flatMap(principals::find)
                .filter(PrincipalInfo::active)
                .map(PrincipalInfo::principal);
    }

    /**
     * Uses the code up, sets the password when one is given, and says who logs in.
     *
     * @throws LakemillException UNAUTHENTICATED when the code is not good; INVALID_ARGUMENT when
     *     the password is too short, and the code stays good
     */
    public Principal redeem(String code, @Nullable String password, Peer peer) {
        var user = peek(code, peer).orElseThrow(() -> refused(peer, Map.of("by", "one-time code")));
        if (password != null) {
            check(user, password);
        }
        var text = password == null ? null : made(password);
        var used =
                Transactions.run(
                        database,
                        connection -> {
                            if (delete(connection, "login_codes", user.id()) == 0) {
                                return false;
                            }
                            if (text != null) {
                                set(connection, user.id(), text);
                            }
                            return true;
                        });
        if (!used) {
            throw refused(peer, Map.of("by", "one-time code"));
        }
        if (password != null) {
            audit.record(peer.done(user, "changePassword", Map.of("user", user.name())));
        }
        return loggedIn(user, peer, "one-time code");
    }

    /** Replaces the password of the user, who proves to know the old one. */
    public void change(Principal user, String old, String password, Peer peer) {
        login(user.name(), old, peer);
        check(user, password);
        var text = made(password);
        Transactions.run(database, connection -> set(connection, user.id(), text));
        audit.record(peer.done(user, "changePassword", Map.of("user", user.name())));
    }

    private String made(String password) {
        return Verifier.of(password, iterations, random).toString();
    }

    private static void check(Principal user, String password) {
        if (password.length() < LENGTH_MIN
                || password.length() > LENGTH_MAX
                || password.equalsIgnoreCase(user.name())) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the password is too short, too long, or the name",
                    "choose %d to %d characters".formatted(LENGTH_MIN, LENGTH_MAX));
        }
    }

    private Optional<Verifier> verifier(UUID user) {
        return Transactions.run(database, c -> verifier(c, user));
    }

    private static Optional<Verifier> verifier(Connection connection, UUID user)
            throws SQLException {
        var sql = "SELECT verifier FROM lakemill.passwords WHERE principal_id = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, user);
            try (var rows = query.executeQuery()) {
                return rows.next()
                        ? Optional.of(Verifier.parse(rows.getString(1)))
                        : Optional.empty();
            }
        }
    }

    private Optional<UUID> find(Connection connection, byte[] hash) throws SQLException {
        var sql = "SELECT principal_id FROM lakemill.login_codes WHERE hash = ? AND expires_at > ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setBytes(1, hash);
            query.setTimestamp(2, Timestamp.from(clock.instant()));
            try (var rows = query.executeQuery()) {
                return rows.next() ? Optional.of(rows.getObject(1, UUID.class)) : Optional.empty();
            }
        }
    }

    private static int insert(Connection connection, byte[] hash, UUID user, Timestamp expiresAt)
            throws SQLException {
        var sql =
                "INSERT INTO lakemill.login_codes (hash, principal_id, expires_at)"
                        + " VALUES (?, ?, ?)";
        try (var insert = connection.prepareStatement(sql)) {
            insert.setBytes(1, hash);
            insert.setObject(2, user);
            insert.setTimestamp(3, expiresAt);
            return insert.executeUpdate();
        }
    }

    private int set(Connection connection, UUID user, String verifier) throws SQLException {
        delete(connection, "passwords", user);
        var sql =
                "INSERT INTO lakemill.passwords (principal_id, verifier, changed_at)"
                        + " VALUES (?, ?, ?)";
        try (var insert = connection.prepareStatement(sql)) {
            insert.setObject(1, user);
            insert.setString(2, verifier);
            insert.setTimestamp(3, Timestamp.from(clock.instant()));
            return insert.executeUpdate();
        }
    }

    private static int delete(Connection connection, String table, UUID user) throws SQLException {
        var sql = "DELETE FROM lakemill.%s WHERE principal_id = ?".formatted(table);
        try (var delete = connection.prepareStatement(sql)) {
            delete.setObject(1, user);
            return delete.executeUpdate();
        }
    }
}
