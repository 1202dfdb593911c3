package dev.lakemill.pipeline;

import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.RefreshPolicy;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.TableName;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What {@code REFRESH POLICY} asks of a plan's views, and what their queries' forms allow. */
final class RefreshPolicies {
    private RefreshPolicies() {}

    /** INCREMENTAL STRICT where the form does not allow it. */
    static List<TextError> refusals(PipelinePlan plan) {
        var isStrict =
                plan.datasets().stream()
                        .anyMatch(
                                dataset ->
                                        dataset instanceof Dataset.MaterializedView view
                                                && isStrict(view.options().refreshPolicy()));
        return isStrict
                ? Program.of(plan).views().stream()
                        .filter(view -> isStrict(view.policy()))
                        .flatMap(view -> refusal(plan, view))
                        .toList()
                : List.of();
    }

    private static boolean isStrict(RefreshPolicy policy) {
        return policy == RefreshPolicy.INCREMENTAL_STRICT;
    }

    private static Stream<TextError> refusal(PipelinePlan plan, Step.View view) {
        return Incremental.refusal(view).stream()
                .flatMap(
                        reason ->
                                plan.datasets().stream()
                                        .filter(dataset -> dataset.name().equals(view.name()))
                                        .map(dataset -> refused(dataset, reason)));
    }

    private static TextError refused(Dataset view, String reason) {
        return new TextError(
                view.position(),
                "%s has REFRESH POLICY INCREMENTAL STRICT, but cannot be kept by its changes: %s"
                        .formatted(view.name(), reason),
                "change the query, or write REFRESH POLICY INCREMENTAL, which computes it anew"
                        + " where its form demands that");
    }

    /** How each view is kept, and why so. */
    static Map<TableName, String> told(PipelinePlan plan) {
        var told = new LinkedHashMap<TableName, String>();
        for (var view : Program.of(plan).views()) {
            told.put(view.name(), told(view) + interval(view));
        }
        return told;
    }

    private static String interval(Step.View view) {
        return view.interval().isZero()
                ? ""
                : "; refreshed every %d ms at most".formatted(view.interval().toMillis());
    }

    private static String told(Step.View view) {
        if (view.policy() == RefreshPolicy.FULL) {
            return "RECOMPUTE: its REFRESH POLICY is FULL";
        }
        var content = new ViewContent(view);
        try {
            var kinds = Incremental.of(view, content).kinds().stream().sorted().toList();
            return kinds
                    + (view.policy() == RefreshPolicy.AUTO
                            ? ", or RECOMPUTE where that is cheaper"
                            : "");
        } catch (MaintenancePlan.NotIncremental e) {
            return "RECOMPUTE: " + e.reason();
        }
    }
}
