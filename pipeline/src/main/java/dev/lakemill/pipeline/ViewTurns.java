package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * When views with an interval are refreshed: at the first batch behind each whole multiple of it
 * since 1970, if something has changed by then. Batches have their time from the journal, so a
 * replay refreshes at the same ones. After a start all views count as changed, which costs at most
 * a refresh that finds nothing.
 */
final class ViewTurns {
    private final List<Step.View> views;
    private final Set<TableName> behind = new HashSet<>();

    ViewTurns(Program program) {
        this.views = program.views().stream().filter(v -> !v.interval().isZero()).toList();
        undone();
    }

    /** A batch was undone. */
    void undone() {
        views.forEach(view -> behind.add(view.name()));
    }

    /**
     * Whether the view is to be refreshed in this batch; it is then taken for refreshed.
     *
     * @param changed whether its inputs have in this batch, or it uses now()
     * @param everything whether all views are refreshed
     * @param before the time of the batch before
     */
    boolean isDue(
            Step.View view, boolean changed, boolean everything, Instant before, Instant now) {
        if (view.interval().isZero()) {
            return changed || everything;
        }
        if (changed) {
            behind.add(view.name());
        }
        var isTurn = turn(view.interval(), before) != turn(view.interval(), now);
        return (everything || isTurn) && (behind.remove(view.name()) || everything);
    }

    /** Whether inputs have changed since the view was refreshed. */
    boolean isBehind(Step.View view) {
        return behind.contains(view.name());
    }

    /**
     * When the next view's turn comes that is behind; empty when none is.
     *
     * @param now of the last batch
     */
    Optional<Instant> next(Instant now) {
        return views.stream()
                .filter(this::isBehind)
                .map(Step.View::interval)
                .map(i -> Instant.EPOCH.plus(i.multipliedBy(turn(i, now) + 1)))
                .min(Instant::compareTo);
    }

    private static long turn(Duration interval, Instant now) {
        return Math.floorDiv(now.toEpochMilli(), interval.toMillis());
    }
}
