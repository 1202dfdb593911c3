package dev.lakemill.sync;

import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One synced table at work. The sync's thread changes it; the fields that others read for the
 * status are volatile.
 */
final class Target {
    private static final int FAILURES_MAX = 2;

    private final SyncedTableSpec spec;
    private final TargetSql sql;
    private final RowEncoder encoder;

    /** Failures of this table since its last success. */
    private int failures;

    private volatile long rows;
    private volatile Map<SkipReason, Long> skipped = Map.of();
    private volatile String refused = "";
    private volatile long rowsLoaded;
    private volatile long rowsToLoad;

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

    /** A comparison in full has read so many rows. */
    void loads(long rows) {
        rowsLoaded = rows;
    }

    void willLoad(long rows) {
        rowsToLoad = rows;
    }

    long rowsLoaded() {
        return rowsLoaded;
    }

    long rowsToLoad() {
        return rowsToLoad;
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

    boolean isActive() {
        return refused.isEmpty();
    }

    /**
     * @param why empty to accept it again
     */
    void refuse(String why) {
        refused = why;
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
     */
    record Outcome(Target target, boolean whole, long rows, Map<SkipReason, Long> skipped) {}
}
