package dev.lakemill.api.agent;

import dev.lakemill.api.agent.Suspension.Reason;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs an agent: claims its runs one by one on each of its threads, and keeps them by renewing
 * their leases. Any number of workers, on any machines, share an agent's runs. A worker that dies
 * loses its runs to others when their leases end; if it was only slow, whatever it still writes is
 * refused.
 */
public final class AgentWorker implements AutoCloseable {
    private static final Logger log = System.getLogger(AgentWorker.class.getName());
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(15);
    private static final long IDLE_MILLIS_MIN = 100;
    private static final long IDLE_MILLIS_MAX = 500;
    private static final long AWAY_MILLIS_MAX = 5_000;
    private static final String CONNECTION_FAILED = "08001";

    /**
     * How it works.
     *
     * @param agent its registered name
     * @param threads runs at a time; each has a connection, and one more renews the leases
     * @param lease after which a dead worker's runs are taken over
     */
    public record Options(String agent, int threads, Duration lease) {
        /** Two runs at a time, taken over after 30 seconds. */
        public static Options of(String agent) {
            return new Options(agent, 2, Duration.ofSeconds(30));
        }
    }

    private record Held(Journal.Claim claim, Thread thread) {}

    private final Options options;
    private final Agent agent;
    private final ConnectionSource connections;
    private final ModelClient models;
    private final String name = ProcessHandle.current().pid() + "-" + UUID.randomUUID();
    private final Map<UUID, Held> held = new ConcurrentHashMap<>();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();

    private AgentWorker(
            Options options, Agent agent, ConnectionSource connections, ModelClient models) {
        this.options = options;
        this.agent = agent;
        this.connections = connections;
        this.models = models;
    }

    /** Begins; what is away now is tried again until {@link #close}. */
    public static AgentWorker start(
            Options options, Agent agent, ConnectionSource connections, ModelClient models) {
        var worker = new AgentWorker(options, agent, connections, models);
        for (var i = 0; i < options.threads(); i++) {
            worker.threads.add(
                    Thread.ofVirtual()
                            .name("agent-" + options.agent() + "-" + i)
                            .start(worker::work));
        }
        worker.threads.add(
                Thread.ofVirtual()
                        .name("agent-" + options.agent() + "-leases")
                        .start(worker::renew));
        return worker;
    }

    private void work() {
        loop(
                journal -> {
                    var claim = journal.claim(options.agent(), name, options.lease().toMillis());
                    if (claim.isEmpty()) {
                        return IDLE_MILLIS_MIN
                                + ThreadLocalRandom.current()
                                        .nextLong(IDLE_MILLIS_MAX - IDLE_MILLIS_MIN);
                    }
                    attempt(journal, claim.get());
                    return 0;
                });
    }

    private void renew() {
        var pause = Math.max(20, options.lease().toMillis() / 3);
        loop(
                journal -> {
                    var all = List.copyOf(held.values());
                    if (!all.isEmpty()) {
                        var claims = all.stream().map(Held::claim).toList();
                        for (var lost : journal.renew(claims, options.lease().toMillis())) {
                            all.stream()
                                    .filter(h -> h.claim().run().equals(lost))
                                    .forEach(this::interrupt);
                        }
                    }
                    return pause;
                });
    }

    /** Within the map's lock, so that no interrupt comes when the attempt is over. */
    private void interrupt(Held lost) {
        held.computeIfPresent(
                lost.claim().run(),
                (_, now) -> {
                    if (now.equals(lost)) {
                        now.thread().interrupt();
                    }
                    return now;
                });
    }

    private interface Turn {
        long pauseMillis(Journal journal) throws SQLException;
    }

    /** Turns, on one session; on a new one when that is lost. Nothing but the end ends them. */
    private void loop(Turn turn) {
        @Nullable Journal journal = null;
        var away = IDLE_MILLIS_MIN;
        try {
            while (!isEnding()) {
                var pause = 0L;
                try {
                    if (journal == null) {
                        journal = open();
                    }
                    pause = turn.pauseMillis(journal);
                    away = IDLE_MILLIS_MIN;
                } catch (SQLException | RuntimeException | Error e) {
                    var level = e instanceof SQLException ? Level.DEBUG : Level.ERROR;
                    log.log(level, "agent " + options.agent(), e);
                    journal = close(journal);
                    pause = away;
                    away = Math.min(AWAY_MILLIS_MAX, away * 2);
                }
                pause(pause);
            }
        } finally {
            close(journal);
        }
    }

    /** Until the end at most. An interrupt, meant for whatever is over by now, shortens it. */
    private void pause(long millis) {
        try {
            var _ = ending.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            log.log(Level.DEBUG, "agent " + options.agent(), e);
        }
    }

    /** What hands out the login may be away as well, whatever it throws then. */
    private Journal open() throws SQLException {
        try {
            return Journal.open(connections);
        } catch (RuntimeException e) {
            throw new SQLException("no connection: " + e.getMessage(), CONNECTION_FAILED, e);
        }
    }

    private static @Nullable Journal close(@Nullable Journal journal) {
        if (journal != null) {
            try {
                journal.close();
            } catch (SQLException | RuntimeException e) {
                log.log(Level.DEBUG, "a connection is not closed", e);
            }
        }
        return null;
    }

    private boolean isEnding() {
        return ending.getCount() == 0;
    }

    private void attempt(Journal journal, Journal.Claim claim) throws SQLException {
        held.put(claim.run(), new Held(claim, Thread.currentThread()));
        try {
            try {
                var run = new AgentRun(journal, claim, models, journal.steps(claim));
                journal.succeed(claim, Journal.JSON.valueToTree(agent.run(run)));
            } catch (Throwable e) {
                end(journal, claim, told(e, AgentRun.backoffMillis(claim)));
            }
        } finally {
            held.remove(claim.run());
            // Whoever interrupted meant this attempt.
            Thread.interrupted();
        }
    }

    private Suspension told(Throwable failure, long backoffMillis) {
        if (failure instanceof InterruptedException
                || (isEnding() && Thread.currentThread().isInterrupted())) {
            return Suspension.of(Reason.PAUSED, "INTERRUPTED", "the worker or the run pauses");
        }
        return Refusals.of(failure, backoffMillis);
    }

    /** By a session of its own when the run's is lost. */
    private void end(Journal journal, Journal.Claim claim, Suspension over) throws SQLException {
        Thread.interrupted();
        if (journal.isUsable()) {
            tell(journal, claim, over);
        } else {
            try (var other = open()) {
                tell(other, claim, over);
            }
        }
    }

    private void tell(Journal journal, Journal.Claim claim, Suspension over) throws SQLException {
        try {
            switch (over.reason()) {
                case WAITING -> {}
                case LOST -> {}
                case PAUSED -> journal.release(claim);
                case RETRY -> journal.retry(claim, over.code(), over.message(), over.retryMillis());
                case FAILED -> journal.fail(claim, over.code(), over.message());
            }
        } catch (SQLException e) {
            var refusal = Refusals.suspension(e);
            if (refusal == null || refusal.reason() != Reason.LOST) {
                throw e;
            }
        }
    }

    /** Puts the runs that it has back, and ends. */
    @Override
    public void close() {
        ending.countDown();
        held.values().forEach(h -> h.thread().interrupt());
        var until = System.nanoTime() + END_WAIT_MAX.toNanos();
        try {
            for (var thread : threads) {
                thread.join(Duration.ofNanos(Math.max(1, until - System.nanoTime())));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
