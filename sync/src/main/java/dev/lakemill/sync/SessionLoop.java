package dev.lakemill.sync;

import dev.lakemill.types.LakemillException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that works in sessions with Postgres, one after the other: after a failure it opens the
 * next, at most 1 s later, until it is closed. Beside each session indexes are built.
 *
 * <p>A table that Postgres refuses twice in a row stays as it is; the others go on without it.
 */
final class SessionLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionLoop.class);
    private static final long PAUSE_MILLIS_MIN = 100;
    private static final long PAUSE_MILLIS_MAX = 1_000;
    private static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long CLOSE_MILLIS_MAX = 10_000;

    /** What is done with a session. */
    interface Work {
        /** The tables of the next session. */
        List<Target> targets();

        /** Until closing, or until another session is needed; the tables are prepared. */
        void follow(Session session) throws SQLException, TableFailure, InterruptedException;

        /** The session ended within a transaction, for a reason that was told. */
        void failed(Throwable e);
    }

    private final String group;
    private final DataSource owner;
    private final Patience patience;
    private final Work work;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private @Nullable IndexBuilder builder;
    private volatile @Nullable Session session;
    private volatile String problem = "";
    private boolean migrated;
    private long tendedNanos;

    /**
     * @param owner connections as the owner; the loop keeps one of them, so they are best unpooled
     */
    SessionLoop(String group, DataSource owner, Patience patience, Work work) {
        this.group = group;
        this.owner = owner;
        this.patience = patience;
        this.work = work;
        this.thread = Thread.ofPlatform().daemon().name("sync-" + group).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    boolean isClosing() {
        return closing.getCount() == 0;
    }

    /** Why it does not go on at present; empty while it does. */
    String problem() {
        return problem;
    }

    /** A transaction went through. */
    void succeeded() {
        problem = "";
    }

    /** Says that it is to end; returns at once. */
    void stop() {
        closing.countDown();
    }

    /** Finishes the transaction that runs, and stops. */
    @Override
    public void close() {
        stop();
        try {
            if (!thread.join(Duration.ofMillis(CLOSE_MILLIS_MAX))) {
                var stuck = session;
                if (stuck != null) {
                    stuck.abort();
                }
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            LOG.warn("the sync's connection does not close", e);
        }
    }

    private void run() {
        var pauseMillis = PAUSE_MILLIS_MIN;
        try {
            while (!isClosing()) {
                var startedNanos = System.nanoTime();
                var again = followUntilFailure();
                if (again || System.nanoTime() - startedNanos > STEADY_NANOS) {
                    pauseMillis = PAUSE_MILLIS_MIN;
                }
                closing.await(pauseMillis, TimeUnit.MILLISECONDS);
                pauseMillis = Math.min(2 * pauseMillis, PAUSE_MILLIS_MAX);
            }
        } catch (InterruptedException e) {
            LOG.warn("the sync of {} was interrupted and ends", group);
        }
    }

    /** Whether it ended without a failure, to begin anew. */
    private boolean followUntilFailure() throws InterruptedException {
        try (var opened = open();
                var indexes = new IndexBuilder(group, owner, patience)) {
            builder = indexes;
            prepare(opened);
            work.follow(opened);
            return true;
        } catch (TableFailure e) {
            refuse(e);
            warn(e);
            work.failed(e);
        } catch (SQLException | LakemillException e) {
            warn(e);
            work.failed(e);
        } catch (RuntimeException | Error e) {
            LOG.error("the sync of {} tries again", group, e);
            problem = "a defect: " + e;
            work.failed(e);
        } finally {
            session = null;
        }
        return false;
    }

    private Session open() throws SQLException {
        if (!migrated) {
            Registry.MIGRATIONS.apply(owner);
            migrated = true;
        }
        var opened = Session.open(owner, group, work.targets());
        session = opened;
        return opened;
    }

    /** Once per kind of trouble: an outage is one line, not one per attempt. */
    private void warn(Exception e) {
        var text = String.valueOf(e.getMessage());
        if (!text.equals(problem)) {
            LOG.warn("the sync of {} tries again after: {}", group, text);
            problem = text;
        }
    }

    private static void refuse(TableFailure e) {
        if (!e.mayPass() && e.target().countFailure()) {
            LOG.error("{} is not synced any more", e.target().name(), e);
            e.target().condemn("Postgres refused it, until the next start: " + e.getMessage());
        }
    }

    /** Brings the tables to their forms. */
    private void prepare(Session session) throws SQLException, TableFailure {
        session.prepare();
        tend(session);
    }

    private void tend(Session session) throws SQLException {
        session.declareKeys();
        var indexes = builder;
        if (indexes != null) {
            indexes.tend(session.targets());
        }
        tendedNanos = System.nanoTime();
    }

    /** Looks now and then after what could not be done at once. */
    void tendAgain(Session session) throws SQLException, TableFailure {
        if (System.nanoTime() - tendedNanos < patience.againNanos()) {
            return;
        }
        if (session.hasRefused()) {
            prepare(session);
        } else if (session.hasUndeclaredKeys()) {
            tend(session);
        }
    }
}
