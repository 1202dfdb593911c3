package dev.lakemill.server;

import dev.lakemill.pipeline.PipelineStatus;
import dev.lakemill.pipeline.TableCount;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relations;
import dev.lakemill.server.EventLog.Event;
import dev.lakemill.server.EventLog.Level;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Tells the event log of one pipeline: when an update begins and how it goes, what it defines, and
 * every few seconds what its flows have done since.
 */
final class PipelineEvents {
    private static final TableCount NONE = new TableCount(0, 0, 0, 0, List.of());

    private final String pipeline;
    private final Consumer<Event> log;

    /** Guarded by this, as is the next. */
    private final Map<TableName, TableCount> told = new HashMap<>();

    private String state = "";

    /** By table. */
    private final Map<String, NodeStatus.FileState> files = new HashMap<>();

    PipelineEvents(String pipeline, Consumer<Event> log) {
        this.pipeline = pipeline;
        this.log = log;
    }

    /** What hinders a pipeline, for people. */
    static String said(Throwable hindrance) {
        return hindrance instanceof LakemillException known
                ? String.valueOf(known.getMessage())
                : "a defect: " + hindrance;
    }

    /** Why answers to its ai_query do not come. */
    static Event unanswered(String pipeline, String problem) {
        return new Event(
                "operation_progress",
                Level.WARN,
                "ai_query waits: " + problem,
                Map.of("pipeline_name", pipeline),
                Map.of("type", "AI_QUERY"),
                null);
    }

    /** A plan begins to run. */
    void created(PipelinePlan plan, boolean full) {
        var cause = full ? "FULL_REFRESH" : "DEPLOY";
        add(
                "create_update",
                Level.INFO,
                "pipeline %s runs a text (%s)".formatted(pipeline, plan.textHash()),
                Map.of("text_hash", plan.textHash()),
                Map.of("cause", cause, "full_refresh", full));
        for (var dataset : plan.datasets()) {
            define(dataset);
        }
    }

    /** A text that does not run. */
    void refused(String error) {
        log.accept(
                new Event(
                        "create_update",
                        Level.ERROR,
                        "the new text of pipeline %s does not run".formatted(pipeline),
                        Map.of("pipeline_name", pipeline),
                        Map.of("cause", "DEPLOY"),
                        error));
    }

    /** Files that were set aside since, and folders that cannot be read. */
    void files(List<NodeStatus.FileState> states) {
        for (var now : states) {
            var then = files.put(now.table(), now);
            var told = new ArrayList<String>();
            if (!now.newestBad().isEmpty()
                    && (then == null || !then.newestBad().equals(now.newestBad()))) {
                told.add("a file is set aside: " + now.newestBad().getFirst());
            }
            if (!now.error().isEmpty() && (then == null || !then.error().equals(now.error()))) {
                told.add("no file is read: " + now.error());
            }
            for (var message : told) {
                add(
                        "operation_progress",
                        Level.WARN,
                        message,
                        origin(TableName.parse(now.table())),
                        Map.of("type", "AUTO_LOADER", "path", now.path(), "files", now.files()));
            }
        }
    }

    /** Tables are computed anew. */
    void rebuilding(NodeStatus.RebuildState rebuild) {
        var details = new LinkedHashMap<String, Object>();
        details.put("state", "REBUILDING");
        details.put("tables", rebuild.tables());
        details.put("done", rebuild.done());
        var left = rebuild.leftSeconds();
        if (left != null) {
            details.put("left_seconds", left);
        }
        add(
                "update_progress",
                Level.INFO,
                "%.0f %% of %s is computed anew".formatted(100 * rebuild.done(), rebuild.tables()),
                Map.of(),
                details);
    }

    /**
     * What has happened since the last call. To be called once more when a plan has stopped: what
     * the next one finds counted is not told.
     */
    synchronized void sample(PipelinePlan plan, PipelineStatus status) {
        if (!status.state().name().equals(state)) {
            state = status.state().name();
            var failed = status.state() == PipelineStatus.State.FAILED;
            log.accept(
                    new Event(
                            "update_progress",
                            failed ? Level.ERROR : Level.INFO,
                            "pipeline %s is %s".formatted(pipeline, state),
                            Map.of("pipeline_name", pipeline),
                            Map.of("state", state, "batch", status.batch()),
                            failed ? status.error() + "; hint: " + status.hint() : null));
        }
        for (var dataset : plan.datasets()) {
            var count = status.tables().get(dataset.name());
            if (count == null) {
                continue;
            }
            var before = told.put(dataset.name(), count);
            if (before == null && status.batch() == status.batches().count()) {
                progress(dataset, status, count, NONE);
            } else if (before != null && !before.equals(count)) {
                progress(dataset, status, count, before.in() > count.in() ? NONE : before);
            }
        }
    }

    private void progress(Dataset dataset, PipelineStatus status, TableCount now, TableCount then) {
        var details = new LinkedHashMap<String, Object>();
        details.put("status", status.state().name());
        details.put("metrics", metrics(dataset, status, now, then));
        if (!(dataset instanceof Dataset.IngestedTable || dataset instanceof Dataset.FileTable)) {
            details.put("data_quality", quality(dataset, now, then));
        }
        log.accept(
                new Event(
                        "flow_progress",
                        Level.METRICS,
                        "flow %s: %,d rows".formatted(dataset.name(), now.kept() - then.kept()),
                        origin(dataset.name()),
                        details,
                        null));
    }

    private static Map<String, Object> metrics(
            Dataset dataset, PipelineStatus status, TableCount now, TableCount then) {
        var metrics = new LinkedHashMap<String, Object>();
        metrics.put("num_output_rows", now.kept() - then.kept());
        metrics.put("num_input_rows", now.in() - then.in());
        metrics.put("num_quarantined_rows", now.quarantined() - then.quarantined());
        metrics.put("backlog_bytes", backlog(dataset, status));
        var freshness = status.committedFreshnessMillis();
        if (freshness != null) {
            metrics.put("freshness_ms", freshness);
        }
        metrics.put("batch", status.batch());
        return metrics;
    }

    /** Of the sources that the flow itself reads. */
    private static long backlog(Dataset dataset, PipelineStatus status) {
        var sources = new ArrayList<TableName>();
        switch (dataset) {
            case Dataset.IngestedTable table -> sources.add(table.name());
            case Dataset.FileTable table -> sources.add(table.name());
            case Dataset.StreamingTable table -> sources.addAll(Relations.sources(table.query()));
            case Dataset.MaterializedView view -> sources.addAll(Relations.sources(view.query()));
        }
        return sources.stream().mapToLong(s -> status.backlog().getOrDefault(s, 0L)).sum();
    }

    private static Map<String, Object> quality(Dataset dataset, TableCount now, TableCount then) {
        var earlier = new TreeMap<String, TableCount.RuleCount>();
        then.rules().forEach(rule -> earlier.put(rule.rule(), rule));
        var expectations = new ArrayList<Map<String, Object>>();
        for (var rule : now.rules()) {
            var old =
                    earlier.getOrDefault(rule.rule(), new TableCount.RuleCount(rule.rule(), 0, 0));
            // Of a view, the counts are of its content as it stands.
            var isView = dataset instanceof Dataset.MaterializedView;
            expectations.add(
                    Map.of(
                            "name",
                            rule.rule(),
                            "dataset",
                            dataset.name().toString(),
                            "passed_records",
                            isView ? rule.passed() : rule.passed() - old.passed(),
                            "failed_records",
                            isView ? rule.failed() : rule.failed() - old.failed()));
        }
        return Map.of(
                "dropped_records", now.dropped() - then.dropped(), "expectations", expectations);
    }

    private void define(Dataset dataset) {
        var columns =
                dataset.schema().columns().stream()
                        .map(c -> Map.of("name", c.name(), "data_type", c.type().sql()))
                        .toList();
        log.accept(
                new Event(
                        "dataset_definition",
                        Level.INFO,
                        "%s is defined at %s".formatted(dataset.name(), dataset.position()),
                        origin(dataset.name()),
                        Map.of("dataset_type", type(dataset), "schema", columns),
                        null));
        var inputs =
                switch (dataset) {
                    case Dataset.IngestedTable _, Dataset.FileTable _ -> List.<TableName>of();
                    case Dataset.StreamingTable table ->
                            List.copyOf(Relations.sources(table.query()));
                    case Dataset.MaterializedView view ->
                            List.copyOf(Relations.sources(view.query()));
                };
        if (!inputs.isEmpty()) {
            log.accept(
                    new Event(
                            "flow_definition",
                            Level.INFO,
                            "flow %s reads %s".formatted(dataset.name(), inputs),
                            origin(dataset.name()),
                            Map.of(
                                    "output_dataset",
                                    dataset.name().toString(),
                                    "input_datasets",
                                    inputs.stream().map(TableName::toString).toList()),
                            null));
        }
    }

    private static String type(Dataset dataset) {
        return switch (dataset) {
            case Dataset.IngestedTable _, Dataset.FileTable _ -> "TABLE";
            case Dataset.StreamingTable _ -> "STREAMING_TABLE";
            case Dataset.MaterializedView _ -> "MATERIALIZED_VIEW";
        };
    }

    private Map<String, String> origin(TableName dataset) {
        return Map.of(
                "pipeline_name",
                pipeline,
                "dataset_name",
                dataset.toString(),
                "flow_name",
                dataset.toString());
    }

    private void add(
            String type,
            Level level,
            String message,
            Map<String, String> origin,
            Map<String, ?> details) {
        var all = new TreeMap<>(origin);
        all.put("pipeline_name", pipeline);
        log.accept(new Event(type, level, message, all, details, null));
    }
}
