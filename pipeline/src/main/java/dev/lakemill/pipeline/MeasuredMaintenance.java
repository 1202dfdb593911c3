package dev.lakemill.pipeline;

import dev.lakemill.plan.RefreshPolicy;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a view the way that costs less: by recomputing it, or by its inputs' changes if the query's
 * form allows that.
 *
 * <p>A view starts by recomputing. Where that takes long enough to matter, the other way is tried
 * for a few batches, and the cheaper one stays. The decision is taken again when the recomputation
 * has become dearer than it was when it won, less and less often, and, of a view kept by changes,
 * when batches take longer than recomputing did. What a way costs is the thread's own time of the
 * cheapest of its last refreshes, whatever else the machine does. Both ways give the same rows, so
 * that time, which is not the same in a replay, decides nothing that can be seen.
 */
final class MeasuredMaintenance implements ViewMaintenance {
    /** A recomputation that takes less is not worth what the other way would keep. */
    private static final long WORTHWHILE_NANOS = 3_000_000;

    private static final int TRIAL_REFRESHES = 8;

    /** After so few, a way that is {@link #HOPELESS} times as dear has lost. */
    private static final int HOPELESS_REFRESHES = 3;

    private static final double HOPELESS = 2;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final double DEARER = 1.5;

    /** So much is no chance: nothing is waited for. */
    private static final double MUCH_DEARER = 4;

    /** Recomputations after the first trial that was lost; twice as many after each one more. */
    private static final long REST_REFRESHES = 64;

    private static final int REST_DOUBLINGS_MAX = 10;

    private final ViewContent content;
    private final FullRecompute full;
    private final @Nullable Incremental incremental;
    private final String reason;
    private final MaintenanceChoice choice;

    /** While {@link #ready}, of a view with an interval. */
    private final DeferredChanges deferred;

    private long deferNanos;

    /** The now() of the last refresh. */
    private long refreshedMicros;

    /** Whether what the incremental way keeps stands at the batch before. */
    private boolean ready;

    /** Refreshes since {@link #ready}. */
    private int kept;

    private final Cost fullCost = new Cost();
    private final Cost incrementalCost = new Cost();

    /** What a recomputation cost when it won; 0 before it did. */
    private long wonAtNanos;

    /** Trials that the other way has lost, and recomputations since. */
    private int lost;

    private long rested;

    /** What the last refreshes of one way took. */
    private static final class Cost {
        private final ArrayDeque<Long> nanos = new ArrayDeque<>();

        void add(long taken) {
            nanos.addLast(taken);
            if (nanos.size() > TRIAL_REFRESHES) {
                nanos.removeFirst();
            }
        }

        long leastNanos() {
            return nanos.stream().mapToLong(Long::longValue).min().orElse(0);
        }

        long meanMicros() {
            return (long) (nanos.stream().mapToLong(Long::longValue).average().orElse(0) / 1_000);
        }
    }

    private MeasuredMaintenance(
            Step.View view,
            ViewContent content,
            @Nullable Incremental incremental,
            String reason,
            MaintenanceChoice choice) {
        this.content = content;
        this.full = new FullRecompute(view, content);
        this.deferred = new DeferredChanges(view);
        this.incremental = choice == MaintenanceChoice.RECOMPUTE ? null : incremental;
        this.reason = reason;
        this.choice = choice;
    }

    /**
     * @param usual of views whose policy leaves it open
     */
    static MeasuredMaintenance of(Step.View view, MaintenanceChoice usual) {
        var choice =
                switch (view.policy()) {
                    case AUTO -> usual;
                    case INCREMENTAL, INCREMENTAL_STRICT -> MaintenanceChoice.INCREMENTAL;
                    case FULL -> MaintenanceChoice.RECOMPUTE;
                };
        var content = new ViewContent(view);
        try {
            return new MeasuredMaintenance(
                    view,
                    content,
                    Incremental.of(view, content),
                    view.policy() == RefreshPolicy.FULL ? "its REFRESH POLICY is FULL" : "",
                    choice);
        } catch (MaintenancePlan.NotIncremental e) {
            return new MeasuredMaintenance(view, content, null, e.reason(), choice);
        }
    }

    @Override
    public Optional<ViewChange> refresh(Refresh refresh) {
        var began = threadNanos();
        if (incremental != null && ready && !refresh.everything()) {
            full.forget();
            var changes = follow(incremental, refresh);
            incrementalCost.add(threadNanos() - began + deferNanos);
            deferNanos = 0;
            kept++;
            ready = choice == MaintenanceChoice.INCREMENTAL || isIncrementalCheaper();
            return changes;
        }
        refreshedMicros = refresh.duck().nowMicros();
        deferred.forget();
        deferNanos = 0;
        rested++;
        ready = false;
        if (incremental != null && isWorthTrying()) {
            // Sums of floating-point numbers are what they are kept as, to the last digit: by that
            // rows are found again when they go.
            var changes = full.refresh(incremental.build(refresh));
            ready = true;
            kept = 0;
            return changes;
        }
        var changes = full.refresh(refresh);
        fullCost.add(threadNanos() - began);
        return changes;
    }

    private Optional<ViewChange> follow(Incremental incremental, Refresh refresh) {
        var duck = refresh.duck();
        var before = refreshedMicros;
        refreshedMicros = duck.nowMicros();
        if (deferred.isEmpty()) {
            return duck.since(before, () -> incremental.refresh(refresh));
        }
        deferred.add(refresh);
        var together = deferred.together(refresh);
        var changes = duck.since(before, () -> incremental.refresh(together));
        deferred.forget();
        return changes;
    }

    @Override
    public Instant refreshed() {
        return Instant.EPOCH.plus(refreshedMicros, ChronoUnit.MICROS);
    }

    @Override
    public void defer(Refresh refresh) {
        if (incremental == null || !ready) {
            return;
        }
        var began = threadNanos();
        if (!deferred.add(refresh)) {
            ready = false;
            deferred.forget();
        }
        deferNanos += threadNanos() - began;
    }

    private static long threadNanos() {
        return Thread.currentThread().isVirtual()
                ? System.nanoTime()
                : THREADS.getCurrentThreadCpuTime();
    }

    private boolean isWorthTrying() {
        var nanos = fullCost.leastNanos();
        return choice == MaintenanceChoice.INCREMENTAL
                || (nanos > WORTHWHILE_NANOS
                        && nanos > wonAtNanos * (isRested() ? DEARER : MUCH_DEARER));
    }

    private boolean isRested() {
        return lost == 0 || rested >= REST_REFRESHES << Math.min(lost - 1, REST_DOUBLINGS_MAX);
    }

    private boolean isIncrementalCheaper() {
        var dearer = (double) incrementalCost.leastNanos() / fullCost.leastNanos();
        if (dearer <= 1
                || kept < HOPELESS_REFRESHES
                || (kept < TRIAL_REFRESHES && dearer < HOPELESS)) {
            return true;
        }
        wonAtNanos = fullCost.leastNanos();
        lost++;
        rested = 0;
        return false;
    }

    @Override
    public void undone() {
        ready = false;
        full.forget();
        deferred.forget();
    }

    @Override
    public void close() {
        full.forget();
    }

    @Override
    public ViewStatus status() {
        return incremental != null && ready
                ? new ViewStatus(incremental.kinds(), "", incrementalCost.meanMicros())
                : new ViewStatus(
                        Set.of(MaintenanceKind.RECOMPUTE),
                        incremental == null && reason.isEmpty()
                                ? "the configuration says so"
                                : reason.isEmpty() ? "it is cheap enough" : reason,
                        fullCost.meanMicros());
    }

    ViewContent content() {
        return content;
    }
}
