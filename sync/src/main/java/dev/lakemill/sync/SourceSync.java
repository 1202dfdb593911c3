package dev.lakemill.sync;

import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the synced tables of one group in Postgres equal to versions of Delta tables, whoever
 * writes those.
 *
 * <p>One thread does it. Invariant: after every commit each table shows, whole, the version (or the
 * position of the log) that the group's row in {@code lakemill.sync_state} names for its source;
 * both are written in one transaction. So there is nothing to recover: whoever starts reads the row
 * and goes on from there. What a table lacks (it is new, it has got a column, the older version is
 * gone) is compared in full.
 *
 * <p>While Postgres or the source is away it tries again, at most 1 s apart.
 */
public final class SourceSync implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SourceSync.class);
    private static final long LOOK_MILLIS = 500;

    /** What the tables show, as this thread saw it committed. */
    private record Shown(SyncState state, Instant appliedAt) {}

    private final SourcePlan plan;
    private final Patience patience;
    private final SessionLoop loop;
    private final Map<TableName, SyncSource> sources;
    private final Semaphore wake = new Semaphore(0);
    private final Runnable waker = wake::release;
    private final AtomicLong asked = new AtomicLong();

    /** Made anew with each session, since columns may have changed. */
    private volatile List<Target> targets = List.of();

    /** The columns of the sources that these were made of. */
    private volatile Map<TableName, TableSchema> schemas = Map.of();

    private volatile @Nullable Shown shown;
    private volatile @Nullable Instant startedAt;
    private volatile boolean working;
    private volatile long answered;
    private volatile Map<TableName, Long> versions = Map.of();
    private volatile Map<TableName, Long> positions = Map.of();

    /** When the tables were last seen to show all that the sources had. */
    private volatile Instant freshAt = Instant.now();

    /** Whether what lies between two versions could not be read. */
    private boolean inFull;

    /** Since when tables show rows of a feed that neither Delta nor the feed itself has. */
    private final Map<TableName, Long> aheadNanos = new HashMap<>();

    private SourceSync(SourcePlan plan, DataSource owner, Patience patience) {
        this.plan = plan;
        this.patience = patience;
        this.sources =
                plan.tables().stream()
                        .map(SourcePlan.Member::source)
                        .collect(Collectors.toMap(SyncSource::name, s -> s, (a, _) -> a));
        this.loop = new SessionLoop(plan.group(), owner, patience, new Sessions());
    }

    /**
     * Starts to follow the sources.
     *
     * @param owner connections as the owner; the sync keeps one of them, so they are best unpooled
     */
    public static SourceSync start(SourcePlan plan, DataSource owner) {
        return start(plan, owner, Patience.DEFAULT);
    }

    static SourceSync start(SourcePlan plan, DataSource owner, Patience patience) {
        var sync = new SourceSync(plan, owner, patience);
        if (plan.mode() == SyncMode.CONTINUOUS) {
            sync.feeds().forEach(feed -> feed.onPublish(sync.waker));
        }
        sync.loop.start();
        return sync;
    }

    /** Asks for what a SNAPSHOT or TRIGGERED table does on demand; returns at once. */
    public void refresh() {
        asked.incrementAndGet();
        wake.release();
    }

    /** How each table stands, in the plan's order. */
    public List<SourceStatus> status() {
        var current = targets;
        return plan.tables().stream()
                .map(
                        member ->
                                status(
                                        member,
                                        current.stream()
                                                .filter(t -> t.spec().name().equals(member.name()))
                                                .findFirst()
                                                .orElse(null)))
                .toList();
    }

    private SourceStatus status(SourcePlan.Member member, @Nullable Target target) {
        var now = shown;
        var source = member.source().name();
        var behind = asked.get() - answered;
        var micros = now == null ? 0 : now.state().receivedMicros();
        var began = startedAt;
        var progress = working && target != null && began != null ? target.progress(began) : null;
        var table =
                new SyncStatus(
                        member.name(),
                        source,
                        target == null ? 0 : target.rows(),
                        now == null ? 0 : now.state().batch(),
                        behind,
                        now == null ? null : now.appliedAt(),
                        target == null ? Map.of() : target.skippedByText(),
                        target == null ? "" : target.refused(),
                        progress);
        var trouble = table.refused().isEmpty() ? loop.problem() : table.refused();
        var notice = target == null ? "" : notice(target);
        return new SourceStatus(
                member.name(),
                state(now != null, trouble),
                table,
                member.source().isDelta() ? versions.getOrDefault(source, -1L) : -1,
                micros == 0 ? null : Instant.EPOCH.plusNanos(micros * 1_000),
                startedAt,
                trouble.isEmpty() ? notice : trouble,
                isBehind(member.source())
                        ? Math.max(0, Duration.between(freshAt, Instant.now()).toMillis())
                        : 0,
                progress);
    }

    /** What is not as it should be while the table goes on. */
    private String notice(Target target) {
        return target.indexProblem().isEmpty() ? leftOut(target) : target.indexProblem();
    }

    /** Whether a source has what its tables do not show; true when it cannot be asked. */
    private boolean isBehind(SyncSource source) {
        try {
            var version = versions.get(source.name());
            var feed = source.feed().filter(_ -> plan.mode() == SyncMode.CONTINUOUS);
            return feed.isPresent()
                    ? feed.get().position() > positions.getOrDefault(source.name(), -1L)
                    : version == null || source.hasNewer(version);
        } catch (LakemillException e) {
            return true;
        }
    }

    private SourceStatus.State state(boolean isShown, String trouble) {
        if (!trouble.isEmpty()) {
            return isShown
                    ? SourceStatus.State.ONLINE_PIPELINE_FAILED
                    : SourceStatus.State.OFFLINE_FAILED;
        }
        if (!isShown) {
            return working
                    ? SourceStatus.State.PROVISIONING_INITIAL_SNAPSHOT
                    : SourceStatus.State.PROVISIONING;
        }
        if (plan.mode() == SyncMode.CONTINUOUS) {
            return SourceStatus.State.ONLINE_CONTINUOUS_UPDATE;
        }
        return working || asked.get() != answered
                ? SourceStatus.State.ONLINE_TRIGGERED_UPDATE
                : SourceStatus.State.ONLINE_NO_PENDING_UPDATE;
    }

    /** Finishes the transaction that runs, and stops. */
    @Override
    public void close() {
        feeds().forEach(feed -> feed.offPublish(waker));
        loop.stop();
        sources.values().forEach(SyncSource::cancel);
        wake.release();
        loop.close();
    }

    private List<TableFeed> feeds() {
        return sources.values().stream().flatMap(source -> source.feed().stream()).toList();
    }

    /** A column that came later under a name that Postgres cannot have is left out, and told. */
    private SyncedTableSpec spec(SourcePlan.Member member) {
        return member.spec().apply(SyncedTableSpec.nameable(schema(member.source())));
    }

    private TableSchema schema(SyncSource source) {
        var seen = schemas.get(source.name());
        return seen == null ? source.schema() : seen;
    }

    private String leftOut(Target target) {
        var seen = schemas.get(target.spec().source());
        if (seen == null || seen.size() == target.spec().sourceSchema().size()) {
            return "";
        }
        return seen.columns().stream()
                .map(Column::name)
                .filter(name -> target.spec().sourceSchema().indexOf(name).isEmpty())
                .collect(
                        Collectors.joining(
                                ", ", "not shown, for Postgres has no such names: ", ""));
    }

    /** On the loop's thread. */
    private final class Sessions implements SessionLoop.Work {
        @Override
        public List<Target> targets() {
            schemas =
                    sources.values().stream()
                            .collect(Collectors.toMap(SyncSource::name, SyncSource::schema));
            var specs = plan.tables().stream().map(SourceSync.this::spec).toList();
            if (!targets.stream().map(Target::spec).toList().equals(specs)) {
                targets =
                        IntStream.range(0, specs.size())
                                .mapToObj(i -> new Target(specs.get(i), i))
                                .toList();
            }
            return targets;
        }

        @Override
        public void follow(Session session)
                throws SQLException, TableFailure, InterruptedException {
            var state = session.state();
            try (var follower = new Follower(session, state.orElse(null))) {
                while (!loop.isClosing() && follower.step()) {
                    loop.succeeded();
                }
            } finally {
                working = false;
            }
        }

        @Override
        public void failed(Throwable e) {}
    }

    /** A session at work. */
    private final class Follower implements AutoCloseable {
        private final Session session;
        private final FeedReaders readers = new FeedReaders();
        private @Nullable SyncState state;
        private boolean whole;
        private boolean moved;

        Follower(Session session, @Nullable SyncState state) {
            this.session = session;
            this.state = state;
            this.whole = inFull;
            if (state != null) {
                versions = state.versions();
                positions = state.sources();
            }
        }

        /** False when the session has to begin anew. */
        boolean step() throws SQLException, TableFailure, InterruptedException {
            if (moved || columnsMoved()) {
                return false;
            }
            loop.tendAgain(session);
            var request = asked.get();
            var partial = session.partial();
            var due = plan.mode() == SyncMode.CONTINUOUS || request != answered;
            var changed =
                    (due || whole || !partial.isEmpty()) && advance(partial, request != answered);
            if (moved) {
                return false;
            }
            answered = request;
            if (!changed) {
                rest(partial.isEmpty());
            }
            return true;
        }

        /**
         * @param isAllThere whether no table waits for rows that it lacks
         */
        private void rest(boolean isAllThere) throws InterruptedException {
            if (isAllThere && sources.values().stream().noneMatch(SourceSync.this::isBehind)) {
                freshAt = Instant.now();
            }
            var known = state;
            if (isAllThere && shown == null && known != null) {
                shown = new Shown(known, known.now());
            }
            if (wake.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                wake.drainPermits();
            }
        }

        private boolean columnsMoved() {
            for (var target : targets) {
                var source = source(target.spec().source());
                if (!source.schema().equals(schemas.get(source.name()))) {
                    LOG.info("{} has other columns now", source.name());
                    return true;
                }
            }
            return false;
        }

        /** Whether anything was written. */
        private boolean advance(Set<TableName> partial, boolean onDemand)
                throws SQLException, TableFailure {
            var before = state;
            var due = plan.mode() == SyncMode.CONTINUOUS || onDemand;
            try (var next = new NextState(before)) {
                for (var source : sources.values()) {
                    var isPartial = whole || partial.contains(source.name());
                    if (isPartial || due) {
                        var inFull = isPartial || plan.mode() == SyncMode.SNAPSHOT;
                        if (inFull || onDemand || !source.isResting()) {
                            read(source, inFull, next);
                        }
                    }
                }
                moved = columnsMoved();
                if (moved || next.advances.isEmpty()) {
                    return false;
                }
                startedAt = Instant.now();
                working = true;
                var reached = next.state(before == null ? 1 : before.batch() + 1);
                var appliedAt = write(next, reached);
                state = reached;
                shown = new Shown(reached, appliedAt);
                versions = reached.versions();
                positions = reached.sources();
                whole = false;
                return true;
            } finally {
                working = false;
            }
        }

        /** A difference that failed, as by files that are gone, is no second time a difference. */
        private Instant write(NextState next, SyncState reached) throws SQLException, TableFailure {
            try {
                var appliedAt = session.advance(next.advances, reached);
                inFull = false;
                return appliedAt;
            } catch (RuntimeException | Error e) {
                inFull = true;
                throw e;
            }
        }

        private void read(SyncSource source, boolean inFull, NextState next) {
            var feed = source.feed().filter(_ -> plan.mode() == SyncMode.CONTINUOUS);
            if (feed.isPresent() && !inFull && next.positions.containsKey(source.name())) {
                var batches = readers.poll(source.name(), feed.get(), next.position(source));
                next.appended(source.name(), batches);
                return;
            }
            var version = next.versions.get(source.name());
            if (!inFull && version != null && !source.hasNewer(version)) {
                return;
            }
            var snapshot = next.open(source);
            if (feed.isPresent() && isToWait(source, feed.get(), snapshot, next)) {
                return;
            }
            if (inFull || version == null) {
                next.whole(source, snapshot);
            } else if (snapshot.version() != version) {
                next.changed(source, snapshot, version);
            }
            if (feed.isPresent()) {
                next.versions.remove(source.name());
                readers.forget(source.name());
            }
        }

        /**
         * Whether Delta is still to get rows of the feed that the tables show: they would go, and
         * come again. When the feed itself has stayed behind them for long, it was made anew or
         * restored: then Delta is right, and the tables go back.
         */
        private boolean isToWait(
                SyncSource source, TableFeed feed, SourceSnapshot snapshot, NextState next) {
            var shownPosition = next.position(source);
            var isAhead = snapshot.position() < shownPosition;
            if (!isAhead || feed.position() >= shownPosition) {
                aheadNanos.remove(source.name());
                return isAhead;
            }
            var nowNanos = System.nanoTime();
            var sinceNanos = aheadNanos.computeIfAbsent(source.name(), _ -> nowNanos);
            if (nowNanos - sinceNanos <= patience.aheadNanosMax()) {
                return true;
            }
            aheadNanos.remove(source.name());
            LOG.warn(
                    "Postgres shows position {} of {}, which is at {}: going back to Delta's",
                    shownPosition,
                    source.name(),
                    feed.position());
            return false;
        }

        private SyncSource source(TableName name) {
            var source = sources.get(name);
            if (source == null) {
                throw new LakemillException(
                        ErrorCode.INTERNAL, "no source " + name, "this is a defect");
            }
            return source;
        }

        @Override
        public void close() {
            readers.close();
        }
    }
}
