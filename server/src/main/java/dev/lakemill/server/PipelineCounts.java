package dev.lakemill.server;

import dev.lakemill.pipeline.PipelineStatus;
import dev.lakemill.pipeline.TableCount;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.server.NodeStatus.AuditState;
import dev.lakemill.server.NodeStatus.ExpectationState;
import dev.lakemill.server.NodeStatus.OutputState;
import dev.lakemill.server.NodeStatus.ViewState;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What became of a pipeline's rows, and how its views are kept, for the status. */
final class PipelineCounts {
    private PipelineCounts() {}

    static List<OutputState> outputs(PipelinePlan plan, PipelineStatus status) {
        var states = new ArrayList<OutputState>();
        for (var dataset : plan.datasets()) {
            var count = status.tables().get(dataset.name());
            if (dataset instanceof Dataset.StreamingTable && count != null) {
                states.add(
                        new OutputState(
                                dataset.name().toString(),
                                count.in(),
                                count.kept(),
                                count.quarantined(),
                                count.dropped()));
            }
        }
        return states;
    }

    static List<ExpectationState> expectations(PipelinePlan plan, PipelineStatus status) {
        var states = new ArrayList<ExpectationState>();
        for (var dataset : plan.datasets()) {
            var count = status.tables().get(dataset.name());
            for (var rule : rules(dataset)) {
                if (count != null) {
                    count.rules().stream()
                            .filter(r -> r.rule().equals(rule.name()))
                            .forEach(r -> states.add(state(dataset.name(), rule, r)));
                }
            }
        }
        return states;
    }

    private static ExpectationState state(
            TableName table, Expectation rule, TableCount.RuleCount count) {
        return new ExpectationState(
                table.toString(),
                rule.name(),
                rule.onViolation().name(),
                count.passed(),
                count.failed());
    }

    static List<ViewState> views(PipelineStatus status) {
        return new TreeMap<>(status.views())
                .entrySet().stream()
                        .map(
                                view ->
                                        new ViewState(
                                                view.getKey().toString(),
                                                view.getValue().kinds().stream()
                                                        .sorted()
                                                        .map(Enum::name)
                                                        .toList(),
                                                view.getValue().reason(),
                                                view.getValue().refreshMicros() / 1e3))
                        .toList();
    }

    static @Nullable AuditState audit(PipelineStatus.Audits audits) {
        var last = audits.last();
        return last == null
                ? null
                : new AuditState(audits.count(), audits.differing(), last.view().toString());
    }

    private static List<Expectation> rules(Dataset dataset) {
        return switch (dataset) {
            case Dataset.IngestedTable _, Dataset.FileTable _ -> List.of();
            case Dataset.StreamingTable table -> table.expectations();
            case Dataset.MaterializedView view -> view.expectations();
        };
    }
}
