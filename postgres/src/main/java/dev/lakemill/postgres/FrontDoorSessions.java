package dev.lakemill.postgres;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.Future;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is in: counted by principal, found by process id, ended when revoked, idle or old.
 *
 * <p>A token may be revoked while a login by it is under way. So a login is added first and asked
 * after then; whoever revokes does the reverse, and one of the two sees the other.
 */
final class FrontDoorSessions {
    private static final Logger log = LoggerFactory.getLogger(FrontDoorSessions.class);
    private static final long SWEEP_MILLIS = 500;
    private static final long TELL_SECONDS_MAX = 1;

    private final FrontDoorConfig config;
    private final FrontDoorBackend backend;
    private final FrontDoorAudit audit;
    private final Clock clock = Clock.systemUTC();
    private final Map<Integer, FrontDoorSession> byPid = new ConcurrentHashMap<>();
    private final Map<String, Integer> seats = new HashMap<>();
    private int seatsTaken;
    private volatile boolean closed;

    FrontDoorSessions(FrontDoorConfig config, FrontDoorBackend backend, FrontDoorAudit audit) {
        this.config = config;
        this.backend = backend;
        this.audit = audit;
    }

    void sweepOn(EventLoopGroup loops) {
        loops.next()
                .scheduleAtFixedRate(
                        this::sweep, SWEEP_MILLIS, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
    }

    List<FrontDoorConnection> list() {
        return byPid.values().stream().map(FrontDoorSession::facts).toList();
    }

    /** Counts one more connection of a principal, or refuses it. */
    synchronized void takeSeat(String principal) throws FrontDoorRefusal {
        var limits = config.limits();
        var own = seats.getOrDefault(principal, 0);
        if (own >= limits.connectionsPerPrincipal()) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.TOO_MANY_CONNECTIONS,
                    "%s has %d connections, the most that a principal may have"
                            .formatted(principal, own),
                    "close some, or use a smaller pool");
        }
        if (seatsTaken >= limits.connections()) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.TOO_MANY_CONNECTIONS,
                    "all %d connections are taken".formatted(seatsTaken),
                    "close some, use smaller pools, or raise postgres.max_connections");
        }
        seats.put(principal, own + 1);
        seatsTaken++;
    }

    synchronized void leaveSeat(String principal) {
        seats.computeIfPresent(principal, (_, count) -> count == 1 ? null : count - 1);
        seatsTaken--;
    }

    /** The last step of a login. Afterwards the session can be found, cancelled and ended. */
    void add(FrontDoorSession session) throws FrontDoorRefusal {
        var facts = session.facts();
        byPid.put(facts.backendPid(), session);
        boolean in = false;
        try {
            if (closed) {
                throw shutDown();
            }
            if (!facts.login().stands().getAsBoolean()) {
                throw revoked();
            }
            audit.opened(facts);
            in = true;
        } finally {
            if (!in) {
                byPid.remove(facts.backendPid(), session);
            }
        }
    }

    void remove(FrontDoorSession session) {
        byPid.remove(session.facts().backendPid(), session);
        leaveSeat(session.facts().login().principal());
        Thread.ofVirtual()
                .name("front-door-closed")
                .start(() -> audit.closed(session.facts(), session.reason()));
    }

    /** The session that may be cancelled by this id and key; null for none. */
    @Nullable FrontDoorSession cancellable(int pid, byte[] key) {
        var session = byPid.get(pid);
        return session != null && session.hasKey(key) ? session : null;
    }

    int endToken(String tokenId) {
        return end(s -> s.facts().login().tokenId().equals(tokenId), revoked());
    }

    int endPrincipal(String name) {
        return end(s -> s.facts().login().principal().equals(name), revoked());
    }

    int endRevoked() {
        return end(s -> !s.facts().login().stands().getAsBoolean(), revoked());
    }

    /**
     * Ends all, and lets nobody in any more. Returns when the clients were told, for an event loop
     * that shuts down closes its channels before it does what waits.
     */
    void close() {
        closed = true;
        var ended = new LinkedHashMap<FrontDoorSession, Future<?>>();
        byPid.values().forEach(session -> end(session, shutDown(), ended));
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TELL_SECONDS_MAX);
        ended.values()
                .forEach(
                        told ->
                                told.awaitUninterruptibly(
                                        Math.max(0, deadline - System.nanoTime()),
                                        TimeUnit.NANOSECONDS));
        ended.keySet().forEach(FrontDoorSession::cut);
    }

    private void sweep() {
        try {
            var limits = config.limits();
            var now = clock.instant();
            endRevoked();
            end(s -> s.ageNanos() > limits.life().toNanos(), tooOld());
            end(s -> s.quietNanos() > limits.idle().toNanos(), tooQuiet());
            if (config.endAtExpiry()) {
                end(s -> s.facts().login().expires().isBefore(now), expired());
            }
        } catch (RuntimeException e) {
            log.error("connections could not be looked after; trying again", e);
        }
    }

    private int end(Predicate<FrontDoorSession> which, FrontDoorRefusal why) {
        var ended = new LinkedHashMap<FrontDoorSession, Future<?>>();
        for (var session : byPid.values()) {
            if (session.isOpen() && which.test(session)) {
                end(session, why, ended);
            }
        }
        if (!ended.isEmpty()) {
            Thread.ofVirtual().name("front-door-end").start(() -> terminate(ended));
        }
        return ended.size();
    }

    private static void end(
            FrontDoorSession session,
            FrontDoorRefusal why,
            Map<FrontDoorSession, Future<?>> ended) {
        var told = session.end(why);
        if (told != null) {
            ended.put(session, told);
        }
    }

    /** After the client was told, so that our reason comes before Postgres's own word. */
    private void terminate(Map<FrontDoorSession, Future<?>> ended) {
        try {
            ended.values().forEach(Future::awaitUninterruptibly);
            backend.terminate(ended.keySet().stream().map(FrontDoorSession::facts).toList());
        } catch (SQLException e) {
            log.warn("{} sessions end only after their statement", ended.size(), e);
        } finally {
            ended.keySet().forEach(FrontDoorSession::cut);
        }
    }

    private static FrontDoorRefusal revoked() {
        return new FrontDoorRefusal(
                FrontDoorRefusal.SHUT_DOWN,
                "the token of this connection was revoked",
                "connect again with a new token");
    }

    private static FrontDoorRefusal expired() {
        return new FrontDoorRefusal(
                FrontDoorRefusal.SHUT_DOWN,
                "the token of this connection has expired",
                "connect again with a new token");
    }

    private FrontDoorRefusal tooQuiet() {
        return new FrontDoorRefusal(
                FrontDoorRefusal.IDLE_TOO_LONG,
                "this connection was idle for " + words(config.limits().idle()),
                "connect again; pools do so by themselves");
    }

    private FrontDoorRefusal tooOld() {
        return new FrontDoorRefusal(
                FrontDoorRefusal.SHUT_DOWN,
                "this connection is older than " + words(config.limits().life()),
                "connect again; pools do so by themselves");
    }

    private static FrontDoorRefusal shutDown() {
        return new FrontDoorRefusal(
                FrontDoorRefusal.SHUT_DOWN, "Lakemill is stopping", "connect again later");
    }

    private static String words(Duration duration) {
        var hours = duration.toHours();
        return hours > 0 ? hours + " hours" : duration.toSeconds() + " seconds";
    }
}
