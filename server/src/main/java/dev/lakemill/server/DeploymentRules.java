package dev.lakemill.server;

import dev.lakemill.pipeline.Rebuild;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.Set;

/** Which texts may take the place of one that has run. */
final class DeploymentRules {
    private DeploymentRules() {}

    /**
     * A table of rows that came once cannot have other columns for them.
     *
     * @param changed the tables to which the plan gives other columns
     * @throws LakemillException FAILED_PRECONDITION naming the tables that need a full refresh
     */
    static void check(PipelinePlan plan, Set<TableName> changed, Path folder) {
        var streaming =
                plan.datasets().stream()
                        .filter(Dataset.StreamingTable.class::isInstance)
                        .map(Dataset::name)
                        .filter(table -> isChanged(table, changed))
                        .toList();
        if (!streaming.isEmpty() && Rebuild.hasRun(folder)) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    ("the new text gives %s other columns or partitions;"
                                    + " these tables need a full refresh")
                            .formatted(streaming),
                    "'./lakemill pipeline refresh --full' computes them from the first row, while"
                            + " the old ones can be read");
        }
    }

    private static boolean isChanged(TableName table, Set<TableName> changed) {
        return changed.contains(table)
                || changed.stream().anyMatch(c -> c.toString().equals(table + "_quarantine"));
    }

    /**
     * @throws LakemillException FAILED_PRECONDITION when a table forbids it
     */
    static void checkFullRefresh(PipelinePlan plan) {
        for (var dataset : plan.datasets()) {
            var allowed =
                    OutputTables.options(plan, dataset.name())
                            .properties()
                            .getOrDefault("pipelines.reset.allowed", "true");
            if (dataset instanceof Dataset.StreamingTable && allowed.equalsIgnoreCase("false")) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "%s says pipelines.reset.allowed = false".formatted(dataset.name()),
                        "take the property out if its rows may be computed anew");
            }
        }
    }
}
