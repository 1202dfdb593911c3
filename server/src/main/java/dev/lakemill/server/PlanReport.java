package dev.lakemill.server;

import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.TableName;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A plan for people: the graph, each table's columns with where they come from, and its upkeep. */
final class PlanReport {
    private final PipelinePlan plan;
    private final PrintWriter out;
    private final Map<TableName, String> maintenance;

    /** By target and column. */
    private final Map<String, List<String>> origins = new TreeMap<>();

    private PlanReport(PipelinePlan plan, PrintWriter out) {
        this.plan = plan;
        this.out = out;
        this.maintenance = PipelineOutputs.maintenance(plan);
        for (var edge : PlanLineage.ofDatasets(plan)) {
            var source = edge.source();
            var target = edge.target();
            if (source == null || target == null) {
                continue;
            }
            for (var columns : edge.columns()) {
                origins.computeIfAbsent(
                                target.name() + " " + columns.target(), _ -> new ArrayList<>())
                        .add(source.name() + "." + columns.source());
            }
        }
    }

    static void print(PipelinePlan plan, PrintWriter out) {
        new PlanReport(plan, out).print();
    }

    private void print() {
        out.println("pipeline " + plan.name());
        for (var dataset : plan.datasets()) {
            switch (dataset) {
                case Dataset.IngestedTable table -> {
                    out.printf("%n  %s  ingested%n", table.name());
                    columns(table);
                }
                case Dataset.FileTable table -> {
                    out.printf(
                            "%n  %s  %s files of %s%n",
                            table.name(), table.files().format(), table.files().path());
                    columns(table);
                }
                case Dataset.StreamingTable table -> streaming(table);
                case Dataset.MaterializedView view -> view(view);
            }
        }
        for (var synced : plan.syncedTables()) {
            out.printf(
                    "%n  %s  synced table%n    ← %s, key %s%n",
                    synced.name(), synced.source(), String.join(", ", synced.primaryKey()));
        }
    }

    private void streaming(Dataset.StreamingTable table) {
        out.printf(
                "%n  %s  %sstreaming table%n",
                table.name(), table.options().isPrivate() ? "private " : "");
        reads(Relations.scans(table.query()).toList());
        table.once().forEach(flow -> out.printf("    once: flow %s%n", flow.name()));
        if (table.options().flows().size() > 1) {
            out.printf("    flows: %s%n", String.join(", ", table.options().flows()));
        }
        out.println("    kept by: each new row of its streams, once");
        columns(table);
        rules(table.expectations());
    }

    private void view(Dataset.MaterializedView view) {
        out.printf(
                "%n  %s  %smaterialized view%n",
                view.name(), view.options().isPrivate() ? "private " : "");
        reads(Relations.scans(view.query()).toList());
        out.printf("    kept by: %s%n", maintenance.getOrDefault(view.name(), ""));
        columns(view);
        rules(view.expectations());
    }

    private void reads(List<Relation.Scan> scans) {
        scans.stream()
                .map(s -> (s.streaming() ? "STREAM " : "") + s.table())
                .distinct()
                .forEach(read -> out.println("    ← " + read));
    }

    private void columns(Dataset dataset) {
        for (var column : dataset.schema().columns()) {
            var from = origins.getOrDefault(dataset.name() + " " + column.name(), List.of());
            out.printf(
                    "      %-28s %-24s%s%n",
                    column.name(),
                    column.type().sql() + (column.nullable() ? "" : " NOT NULL"),
                    from.isEmpty() ? "" : " ← " + String.join(", ", from));
        }
    }

    private void rules(List<Expectation> rules) {
        if (!rules.isEmpty()) {
            out.println(
                    rules.stream()
                            .map(rule -> "%s %s".formatted(rule.name(), rule.onViolation()))
                            .collect(Collectors.joining(", ", "    expects: ", "")));
        }
    }
}
