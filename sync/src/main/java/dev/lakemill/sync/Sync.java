package dev.lakemill.sync;

import dev.lakemill.feed.BatchGone;
import dev.lakemill.feed.Changes;
import dev.lakemill.feed.GroupBatch;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.feed.GroupFeed.Round;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the synced tables of one pipeline in Postgres equal to their sources.
 *
 * <p>One thread follows the pipeline's feed. Invariant: after every commit all tables show the
 * state's batch, whole. The state's row is committed with them, so after a lost connection it tells
 * which batch the tables show. When that is the batch that this thread saw committed last, it goes
 * on with the next one; at a start, when batches are gone from memory, and whenever the state is
 * not what it expects, it compares all tables in full with a round of Delta that is not older than
 * what they show, writes the difference, and goes on from there.
 *
 * <p>While Postgres is away it tries again, at most 1 s apart. A table that Postgres refuses stays
 * as it is, says why in its status, and is looked at again after 10 s; the others go on.
 */
public final class Sync implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sync.class);
    private static final Duration FEED_WAIT = Duration.ofMillis(100);
    private static final int FOLDED_BATCHES_MAX = 64;
    private static final int FOLDED_ROWS_MAX = 50_000;

    /** What the tables show, as this thread saw it committed. */
    private record Shown(long batch, Instant at) {}

    private final SyncPlan plan;
    private final GroupFeed feed;
    private final Patience patience;
    private final SessionLoop loop;
    private final List<Target> targets;
    private final List<Consumer<Applied>> listeners = new CopyOnWriteArrayList<>();
    private volatile @Nullable Shown shown;

    /** Whether the tables may differ from what {@link #shown} says. */
    private boolean inDoubt = true;

    private long comparedNanos;

    private Sync(SyncPlan plan, GroupFeed feed, DataSource owner, Patience patience) {
        this.plan = plan;
        this.feed = feed;
        this.patience = patience;
        this.targets =
                IntStream.range(0, plan.tables().size())
                        .mapToObj(i -> new Target(plan.tables().get(i), i))
                        .toList();
        this.loop = new SessionLoop(plan.pipeline(), owner, patience, new Follower());
    }

    /**
     * Starts to follow the feed.
     *
     * @param owner connections as the owner; the sync keeps one of them, so they are best unpooled
     */
    public static Sync start(SyncPlan plan, GroupFeed feed, DataSource owner) {
        return start(plan, feed, owner, Patience.DEFAULT);
    }

    static Sync start(SyncPlan plan, GroupFeed feed, DataSource owner, Patience patience) {
        var sync = new Sync(plan, feed, owner, patience);
        sync.loop.start();
        return sync;
    }

    /**
     * Drops a synced table from Postgres. One that a running sync still has is made anew, in the
     * form that its spec says: how a changed primary key is taken over.
     *
     * @throws LakemillException NOT_FOUND when there is no synced table of that name;
     *     FAILED_PRECONDITION when something in Postgres depends on it
     */
    public static void drop(TableName name, DataSource owner) {
        Registry.MIGRATIONS.apply(owner);
        try (var connection = owner.getConnection()) {
            connection.setAutoCommit(false);
            var found = new Registry(connection, "").drop(name);
            connection.commit();
            if (!found) {
                throw new LakemillException(
                        ErrorCode.NOT_FOUND,
                        "there is no synced table %s".formatted(name),
                        "lakemill.synced_tables in Postgres lists those that there are");
            }
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "Postgres does not drop the synced table %s: %s"
                            .formatted(name, e.getMessage()),
                    "drop first what depends on it",
                    e);
        }
    }

    /** Leaves a synced table as it is, for another group to take over. */
    public static void release(TableName name, DataSource owner) {
        Registry.MIGRATIONS.apply(owner);
        try (var connection = owner.getConnection()) {
            new Registry(connection, "").release(name);
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "Postgres does not release the synced table %s: %s"
                            .formatted(name, e.getMessage()),
                    "try again",
                    e);
        }
    }

    /**
     * Runs the listener after each commit, on the sync's thread: it must not block. It may miss
     * batches that were applied together with later ones.
     */
    public void onApplied(Consumer<Applied> listener) {
        listeners.add(listener);
    }

    /** How each table stands, in the plan's order. */
    public List<SyncStatus> status() {
        var current = shown;
        var batch = current == null ? 0 : current.batch();
        var behind = Math.max(0, feed.position() - batch);
        return targets.stream()
                .map(
                        target ->
                                new SyncStatus(
                                        target.spec().name(),
                                        target.spec().source(),
                                        target.rows(),
                                        batch,
                                        behind,
                                        current == null ? null : current.at(),
                                        target.skippedByText(),
                                        target.refused(),
                                        target.progress()))
                .toList();
    }

    /** Finishes the transaction that runs, and stops. */
    @Override
    public void close() {
        loop.close();
    }

    /** On the loop's thread. */
    private final class Follower implements SessionLoop.Work {
        @Override
        public List<Target> targets() {
            return targets;
        }

        @Override
        public void follow(Session session)
                throws SQLException, TableFailure, InterruptedException {
            var batch = session.shownBatch();
            var current = shown;
            if (inDoubt
                    || current == null
                    || batch.isEmpty()
                    || batch.getAsLong() != current.batch()) {
                compare(session, batch.orElse(0));
            }
            while (!loop.isClosing()) {
                step(session);
            }
        }

        /** What the connection or Postgres took back leaves no doubt about what is shown. */
        @Override
        public void failed(Throwable e) {
            targets.forEach(Target::endLoad);
            inDoubt |= e instanceof TableFailure failure && !failure.mayPass();
            inDoubt |= e instanceof Error;
            inDoubt |= e instanceof RuntimeException && !(e instanceof LakemillException);
        }
    }

    private void step(Session session) throws SQLException, TableFailure, InterruptedException {
        var next = shownBatch() + 1;
        loop.tendAgain(session);
        if (targets.stream().anyMatch(Target::isBehind)) {
            compare(session, next - 1);
        } else if (targets.stream().anyMatch(Target::isDoubtful)
                && System.nanoTime() - comparedNanos > patience.againNanos()) {
            compare(session, next - 1);
        } else {
            try {
                apply(session, next);
            } catch (BatchGone e) {
                LOG.info("comparing in full: {}", e.getMessage());
                compare(session, next);
            }
        }
    }

    private void apply(Session session, long next)
            throws SQLException, TableFailure, InterruptedException {
        var batches = take(next);
        try {
            if (!batches.isEmpty()) {
                var appliedAt = session.apply(batches);
                var receivedMicros = batches.stream().mapToLong(GroupBatch::receivedMicros).max();
                show(batches.getLast().number(), appliedAt, receivedMicros.orElse(0));
            }
        } finally {
            batches.forEach(GroupBatch::close);
        }
    }

    /** The next batches that are there, up to a limit; none after a short wait. */
    private List<GroupBatch> take(long next) throws InterruptedException {
        var batches = new ArrayList<GroupBatch>();
        var rows = 0L;
        var wait = FEED_WAIT;
        while (batches.size() < FOLDED_BATCHES_MAX && rows < FOLDED_ROWS_MAX) {
            GroupBatch batch;
            try {
                batch = feed.await(next + batches.size(), wait);
            } catch (BatchGone e) {
                if (batches.isEmpty()) {
                    throw e;
                }
                break;
            }
            if (batch == null) {
                break;
            }
            batches.add(batch);
            rows += batch.changes().values().stream().mapToLong(Sync::rowCount).sum();
            wait = Duration.ZERO;
        }
        return batches;
    }

    private static long rowCount(Changes changes) {
        return (long) changes.inserted().count() + changes.deleted().count();
    }

    private void compare(Session session, long batchMin)
            throws SQLException, TableFailure, InterruptedException {
        var round = awaitRound(batchMin);
        if (round != null) {
            inDoubt = true;
            var appliedAt = session.compare(round);
            inDoubt = false;
            comparedNanos = System.nanoTime();
            show(round.number(), appliedAt, round.receivedMicros());
        }
    }

    /**
     * A round that is not older than what the tables show; null when closing. When the pipeline
     * itself has stayed behind them for long, its tables were made anew or restored: then Delta is
     * right, and the tables go back.
     */
    private @Nullable Round awaitRound(long batchMin) throws InterruptedException {
        var startedNanos = System.nanoTime();
        while (!loop.isClosing()) {
            var round = feed.awaitRound(batchMin, FEED_WAIT);
            if (round != null) {
                return round;
            }
            var last = feed.lastRound();
            if (last != null
                    && feed.position() < batchMin
                    && System.nanoTime() - startedNanos > patience.aheadNanosMax()) {
                LOG.warn(
                        "Postgres shows batch {} of {}, which is at {}: going back to Delta's",
                        batchMin,
                        plan.pipeline(),
                        feed.position());
                return last;
            }
        }
        return null;
    }

    private void show(long batch, Instant at, long receivedMicros) {
        shown = new Shown(batch, at);
        loop.succeeded();
        var applied = new Applied(plan.pipeline(), batch, at, receivedMicros);
        for (var listener : listeners) {
            try {
                listener.accept(applied);
            } catch (RuntimeException e) {
                LOG.warn("a listener to the sync of {} failed", plan.pipeline(), e);
            }
        }
    }

    private long shownBatch() {
        var current = shown;
        return current == null ? 0 : current.batch();
    }
}
