package dev.lakemill.sync;

import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One synced table at work. The sync's thread changes it; the fields that others read for the
 * status are volatile.
 */
final class Target {
    private static final int FAILURES_MAX = 2;
    private static final double STEPS_PER_PASS = 4;

    private final SyncedTableSpec spec;
    private final TargetSql sql;
    private final RowEncoder encoder;

    /** Failures of this table since its last success. */
    private int failures;

    /** Whether it was refused since it was last compared. */
    private boolean behind;

    /** Whether a row that was hidden may have to show, since it was last compared. */
    private boolean doubtful;

    private volatile long rows;
    private volatile Map<SkipReason, Long> skipped = Map.of();
    private volatile String refused = "";
    private volatile String indexProblem = "";
    private volatile long rowsLoaded;
    private volatile long rowsToLoad;
    private final AtomicInteger stepsDone = new AtomicInteger();
    private volatile int stepsToDo;

    /** Since when a snapshot is being written; null while none is. */
    private volatile @Nullable Instant loadingSince;

    Target(SyncedTableSpec spec, int number) {
        this.spec = spec;
        this.sql = new TargetSql(spec, number);
        this.encoder = new RowEncoder(spec);
    }

    SyncedTableSpec spec() {
        return spec;
    }

    TargetSql sql() {
        return sql;
    }

    RowEncoder encoder() {
        return encoder;
    }

    String name() {
        return spec.name().toString();
    }

    /**
     * A snapshot is being written.
     *
     * @param steps that come when its rows are read: each takes a quarter of that, by experience
     */
    void begin(long rowsTotal, int steps) {
        rowsLoaded = 0;
        rowsToLoad = rowsTotal;
        stepsDone.set(0);
        stepsToDo = steps;
        loadingSince = Instant.now();
    }

    /** The snapshot is written, or will be written anew. */
    void endLoad() {
        loadingSince = null;
    }

    /** Of the snapshot that is being written; null while none is. */
    SourceStatus.@Nullable Progress progress() {
        var since = loadingSince;
        return since == null ? null : progress(since);
    }

    /**
     * @param began when the work of which it is a part did
     */
    SourceStatus.Progress progress(Instant began) {
        var seconds = Duration.between(began, Instant.now()).toMillis() / 1e3;
        var done = completion();
        var left = done == 0 ? 0 : seconds * (1 - done) / done;
        return new SourceStatus.Progress(rowsLoaded, rowsToLoad, done, left);
    }

    void loads(long rowsRead) {
        rowsLoaded = rowsRead;
    }

    void stepDone() {
        stepsDone.incrementAndGet();
    }

    /** How much of the snapshot's work is done, from 0 to 1. */
    private double completion() {
        var all = rowsToLoad * (1 + stepsToDo / STEPS_PER_PASS);
        return all == 0
                ? 0
                : Math.min(1, (rowsLoaded + rowsToLoad * stepsDone.get() / STEPS_PER_PASS) / all);
    }

    /** What was counted by an earlier run. */
    void remember(long rowsCounted, Map<SkipReason, Long> counted) {
        rows = rowsCounted;
        skipped = Map.copyOf(counted);
    }

    long rows() {
        return rows;
    }

    String refused() {
        return refused;
    }

    /** Why an index is not built at present; empty when all are. */
    String indexProblem() {
        return indexProblem;
    }

    void setIndexProblem(String why) {
        indexProblem = why;
    }

    boolean isActive() {
        return refused.isEmpty();
    }

    /** Whether it is to be compared soon; that lasts over sessions, as the tables do. */
    boolean isDoubtful() {
        return doubtful && isActive();
    }

    /**
     * @param why empty to accept it again
     */
    void refuse(String why) {
        behind |= !why.isEmpty();
        refused = why;
    }

    /**
     * Whether it is to be compared before it goes on with the others. That lasts over sessions:
     * another one than that which refused it may accept it.
     */
    boolean isBehind() {
        return behind && isActive();
    }

    /** Refuses it until the next start. */
    void condemn(String why) {
        failures = FAILURES_MAX;
        refused = why;
    }

    /** A second failure in a row is one too many: then true, and the caller condemns it. */
    boolean countFailure() {
        return ++failures >= FAILURES_MAX;
    }

    boolean isCondemned() {
        return failures >= FAILURES_MAX;
    }

    boolean hasSkipped() {
        return !skipped.isEmpty();
    }

    boolean hasDuplicates() {
        return skipped.containsKey(SkipReason.DUPLICATE_KEY);
    }

    Map<String, Long> skippedByText() {
        return skipped.entrySet().stream()
                .collect(Collectors.toMap(e -> e.getKey().text(), Map.Entry::getValue));
    }

    /** A transaction that changed the table was committed. */
    void committed(Outcome outcome) {
        failures = 0;
        behind &= !outcome.whole();
        doubtful = outcome.doubtful() || (doubtful && !outcome.whole());
        endLoad();
        rows = (outcome.whole() ? 0 : rows) + outcome.rows();
        var counts = new EnumMap<SkipReason, Long>(SkipReason.class);
        if (!outcome.whole()) {
            counts.putAll(skipped);
        }
        outcome.skipped().forEach((reason, count) -> counts.merge(reason, count, Long::sum));
        counts.values().removeIf(count -> count <= 0);
        skipped = Map.copyOf(counts);
    }

    /**
     * What a transaction did to the table.
     *
     * @param whole whether the numbers are the table's; otherwise they are to be added to it
     * @param doubtful whether another row of a key may have to show: only a comparison can tell
     */
    record Outcome(
            Target target,
            boolean whole,
            boolean doubtful,
            long rows,
            Map<SkipReason, Long> skipped) {}
}
