package dev.lakemill.pipeline;

import dev.lakemill.plan.RefreshPolicy;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a view the way that costs less: by recomputing it, or by its inputs' changes if the query's
 * form allows that.
 *
 * <p>A view starts by recomputing. Where that takes long enough to matter, the other way is tried
 * for a few batches, and the cheaper one stays. The decision is taken again when the recomputation
 * has become much dearer than it was when it won, and, of a view kept by changes, when a batch
 * takes longer than recomputing did. Both ways give the same rows, so that time, which is not the
 * same in a replay, decides nothing that can be seen.
 */
final class MeasuredMaintenance implements ViewMaintenance {
    /** A recomputation that takes less is not worth what the other way would keep. */
    private static final long WORTHWHILE_NANOS = 3_000_000;

    private static final int TRIAL_REFRESHES = 8;
    private static final double DEARER = 1.5;
    private static final double NEWEST_SHARE = 0.2;

    private final ViewContent content;
    private final FullRecompute full;
    private final @Nullable Incremental incremental;
    private final String reason;
    private final MaintenanceChoice choice;
    private final LongSupplier nanos;

    /** Whether what the incremental way keeps stands at the batch before. */
    private boolean ready;

    /** Refreshes since {@link #ready}. */
    private int kept;

    private double fullNanos;
    private double incrementalNanos;

    /** What a recomputation cost when it won; 0 before it did. */
    private double wonAtNanos;

    private MeasuredMaintenance(
            Step.View view,
            ViewContent content,
            @Nullable Incremental incremental,
            String reason,
            MaintenanceChoice choice) {
        this.content = content;
        this.full = new FullRecompute(view, content);
        this.incremental = choice == MaintenanceChoice.RECOMPUTE ? null : incremental;
        this.reason = reason;
        this.choice = choice;
        this.nanos = System::nanoTime;
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
        var began = nanos.getAsLong();
        if (incremental != null && ready && !refresh.everything()) {
            full.forget();
            var changes = incremental.refresh(refresh);
            incrementalNanos = mean(incrementalNanos, nanos.getAsLong() - began, kept);
            kept++;
            ready = choice == MaintenanceChoice.INCREMENTAL || isIncrementalCheaper();
            return changes;
        }
        var changes = full.refresh(refresh);
        fullNanos =
                fullNanos == 0
                        ? nanos.getAsLong() - began
                        : mean(fullNanos, nanos.getAsLong() - began, 1);
        ready = false;
        if (incremental != null && isWorthTrying()) {
            incremental.build(refresh);
            ready = true;
            kept = 0;
        }
        return changes;
    }

    private boolean isWorthTrying() {
        return choice == MaintenanceChoice.INCREMENTAL
                || (fullNanos > WORTHWHILE_NANOS && fullNanos > wonAtNanos * DEARER);
    }

    private boolean isIncrementalCheaper() {
        if (kept < TRIAL_REFRESHES || incrementalNanos <= fullNanos) {
            return true;
        }
        wonAtNanos = fullNanos;
        return false;
    }

    private static double mean(double before, long newest, int count) {
        return count == 0 ? newest : before + NEWEST_SHARE * (newest - before);
    }

    @Override
    public void undone() {
        ready = false;
        full.forget();
    }

    @Override
    public void close() {
        full.forget();
    }

    @Override
    public ViewStatus status() {
        return incremental != null && ready
                ? new ViewStatus(incremental.kinds(), "", (long) (incrementalNanos / 1_000))
                : new ViewStatus(
                        Set.of(MaintenanceKind.RECOMPUTE),
                        incremental == null && reason.isEmpty()
                                ? "the configuration says so"
                                : reason.isEmpty() ? "it is cheap enough" : reason,
                        (long) (fullNanos / 1_000));
    }

    ViewContent content() {
        return content;
    }
}
