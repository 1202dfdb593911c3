package dev.lakemill.server;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.pipeline.MaintenanceChoice;
import dev.lakemill.pipeline.Pipeline;
import dev.lakemill.pipeline.PipelineConfig;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.pipeline.PipelineStatus;
import dev.lakemill.pipeline.TableCount;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.SyncedTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.server.NodeStatus.ExpectationState;
import dev.lakemill.server.NodeStatus.OutputState;
import dev.lakemill.server.NodeStatus.PipelineState;
import dev.lakemill.sync.Applied;
import dev.lakemill.sync.Sync;
import dev.lakemill.sync.SyncPlan;
import dev.lakemill.sync.SyncStatus;
import dev.lakemill.sync.SyncedTableSpec;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One pipeline of the node with the sync of its tables.
 *
 * <p>What hinders it (its text, a table that changed, a rule) is its own state: the node and its
 * other pipelines go on, and producers are served.
 */
final class PipelineHost implements AutoCloseable {
    /** Properties of a catalog table: which pipeline writes it, and what a synced table copies. */
    static final String PIPELINE = "pipeline";

    static final String SOURCE = "source";

    private static final Logger log = LoggerFactory.getLogger(PipelineHost.class);
    private static final long FEED_BYTES_MAX = 16L << 20;
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(8);
    private static final Duration MAINTENANCE_INTERVAL = Duration.ofMinutes(1);

    /** What a pipeline is given of the node. */
    record Parts(
            Config config,
            Path folder,
            Tables tables,
            Postgres postgres,
            PipelineRights rights,
            BufferAllocator allocator) {}

    private final String name;
    private final Parts parts;
    private final GroupFeed feed;
    private final List<Consumer<LiveTables.Applied>> listeners = new ArrayList<>();
    private @Nullable PipelinePlan plan;
    private @Nullable Thread maintenance;
    private volatile @Nullable Pipeline pipeline;
    private volatile @Nullable Sync sync;
    private volatile @Nullable String error;
    private volatile @Nullable Long freshnessMs;

    /** Declares the pipeline's tables; {@link #run} starts it. */
    PipelineHost(String name, Compilation compilation, Parts parts) {
        this.name = name;
        this.parts = parts;
        this.feed = new GroupFeed(name, FEED_BYTES_MAX);
        guarded(
                () -> {
                    var compiled = compilation.orThrow();
                    declare(compiled);
                    plan = compiled;
                });
    }

    String name() {
        return name;
    }

    /** What it runs; none while its text is bad. */
    Optional<PipelinePlan> plan() {
        return Optional.ofNullable(plan);
    }

    /** Starts batches and sync, unless the plan is bad. */
    void run() {
        var compiled = plan;
        if (compiled != null) {
            guarded(() -> start(compiled));
        }
    }

    /** Tells of each batch that becomes visible in Postgres, on the sync's thread. */
    void onApplied(Consumer<LiveTables.Applied> listener) {
        listeners.add(listener);
    }

    /** Why it does not run; empty while it does. */
    Optional<String> error() {
        var running = pipeline;
        if (error != null || running == null) {
            return Optional.ofNullable(error);
        }
        var status = running.status();
        return status.error().isEmpty()
                ? Optional.empty()
                : Optional.of(status.error() + "; hint: " + status.hint());
    }

    List<SyncStatus> synced() {
        var running = sync;
        return running == null ? List.of() : running.status();
    }

    /** Whether Postgres shows everything that the feeds have handed on. */
    boolean caughtUp() {
        var running = pipeline;
        return running != null
                && running.status().state() == PipelineStatus.State.RUNNING
                && running.status().backlog().values().stream().allMatch(bytes -> bytes == 0)
                && synced().stream().allMatch(table -> table.batchesBehind() == 0);
    }

    /** From durable to visible, of the newest rows, for tables of the kind. */
    @Nullable Long freshnessMs(TableKind kind) {
        var running = pipeline;
        if (kind == TableKind.SYNCED) {
            return freshnessMs;
        }
        return running == null ? null : running.status().committedFreshnessMillis();
    }

    /** How many rows of each view differ from its query, both ways. */
    Map<String, Long> audit() throws InterruptedException {
        var running = pipeline;
        if (running == null) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "pipeline '%s' does not run: %s".formatted(name, error),
                    "mend it and start the node again");
        }
        var differences = new TreeMap<String, Long>();
        running.audit()
                .forEach(v -> differences.put(v.view().toString(), v.missing() + v.surplus()));
        return differences;
    }

    PipelineState state() {
        var running = pipeline;
        if (running == null) {
            return new PipelineState(
                    name,
                    "FAILED",
                    0,
                    0,
                    error().orElse("not started"),
                    List.of(),
                    List.of(),
                    List.of(),
                    null);
        }
        var status = running.status();
        return new PipelineState(
                name,
                status.state().name(),
                status.batch(),
                status.batches().lastMillis(),
                error().orElse(null),
                outputs(status),
                expectations(status),
                views(status),
                audit(status.audits()));
    }

    private static List<NodeStatus.ViewState> views(PipelineStatus status) {
        return new TreeMap<>(status.views())
                .entrySet().stream()
                        .map(
                                view ->
                                        new NodeStatus.ViewState(
                                                view.getKey().toString(),
                                                view.getValue().kinds().stream()
                                                        .sorted()
                                                        .map(Enum::name)
                                                        .toList(),
                                                view.getValue().reason(),
                                                view.getValue().refreshMicros() / 1e3))
                        .toList();
    }

    private static NodeStatus.@Nullable AuditState audit(PipelineStatus.Audits audits) {
        var last = audits.last();
        return last == null
                ? null
                : new NodeStatus.AuditState(
                        audits.count(), audits.differing(), last.view().toString());
    }

    private static MaintenanceChoice choice(String text) {
        return Arrays.stream(MaintenanceChoice.values())
                .filter(choice -> choice.name().equalsIgnoreCase(text.strip()))
                .findFirst()
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.INVALID_ARGUMENT,
                                        "%s is '%s'".formatted(Setting.PIPELINE_VIEWS.key(), text),
                                        "write measured, incremental or recompute"));
    }

    /** Runs what was handed on to its end, commits, shows it in Postgres, and stops. */
    @Override
    public void close() {
        endMaintenance();
        var running = pipeline;
        if (running != null) {
            await(() -> drained(running));
            running.close();
        }
        var following = sync;
        if (following != null) {
            await(() -> synced().stream().allMatch(t -> t.batchesBehind() == 0));
            following.close();
        }
        feed.close();
    }

    private void endMaintenance() {
        var keeper = maintenance;
        if (keeper != null) {
            keeper.interrupt();
            try {
                keeper.join(DRAIN_TIMEOUT);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static boolean drained(Pipeline pipeline) {
        var status = pipeline.status();
        return status.state() == PipelineStatus.State.FAILED
                || status.backlog().values().stream().allMatch(bytes -> bytes == 0);
    }

    private void declare(PipelinePlan compiled) {
        parts.rights().check(compiled);
        var owner = Map.of(PIPELINE, name);
        for (var dataset : compiled.datasets()) {
            if (dataset instanceof Dataset.IngestedTable table) {
                ensure(
                        table.name(),
                        new Declared(
                                TableKind.INGESTED, table.schema(), table.comment(), Map.of()));
            }
        }
        for (var output : PipelineOutputs.of(compiled)) {
            ensure(
                    output.name(),
                    new Declared(output.kind(), output.schema(), output.comment(), owner));
        }
        for (var synced : compiled.syncedTables()) {
            var schema = schema(compiled, synced.source());
            var properties = Map.of(PIPELINE, name, SOURCE, synced.source().toString());
            ensure(synced.name(), new Declared(TableKind.SYNCED, schema, "", properties));
        }
    }

    /** A table as the pipeline declares it. */
    private record Declared(
            TableKind kind, TableSchema schema, String comment, Map<String, String> properties) {}

    private void ensure(TableName table, Declared declared) {
        var made =
                parts.tables()
                        .ensure(
                                table,
                                declared.kind(),
                                declared.schema(),
                                declared.comment(),
                                declared.properties());
        if (made) {
            parts.rights().own(table);
        }
    }

    private void start(PipelinePlan compiled) {
        var sources = new HashMap<TableName, dev.lakemill.feed.TableFeed>();
        for (var dataset : compiled.datasets()) {
            if (dataset instanceof Dataset.IngestedTable table) {
                sources.put(table.name(), parts.tables().feed(table.name()));
            }
        }
        var specs = compiled.syncedTables().stream().map(table -> spec(compiled, table)).toList();
        if (!specs.isEmpty()) {
            var following =
                    Sync.start(new SyncPlan(name, specs), feed, parts.postgres().ownerUnpooled());
            following.onApplied(this::applied);
            sync = following;
        }
        pipeline =
                Pipeline.start(
                        compiled,
                        pipelineConfig(),
                        new Pipeline.Wiring(
                                sources,
                                output -> parts.tables().delta(output.name()),
                                feed,
                                parts.folder(),
                                parts.allocator(),
                                Clock.systemUTC()));
        maintenance =
                Thread.ofVirtual().name("maintenance-" + name).start(() -> maintain(compiled));
    }

    /** Joins small files and deletes old ones, beside the batches, a table after the other. */
    private void maintain(PipelinePlan compiled) {
        try {
            while (true) {
                Thread.sleep(MAINTENANCE_INTERVAL);
                for (var output : PipelineOutputs.of(compiled)) {
                    maintain(output);
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void maintain(PipelineOutputs.Output output) {
        var table = parts.tables().delta(output.name());
        try {
            if (output.kind() != TableKind.MATERIALIZED_VIEW) {
                table.compact();
            }
            table.vacuum(Tables.OUTPUT.fileRetention());
        } catch (LakemillException e) {
            log.warn("maintenance of {}: {}", output.name(), e.getMessage());
        }
    }

    private PipelineConfig pipelineConfig() {
        var config = parts.config();
        var usual = PipelineConfig.DEFAULT;
        return new PipelineConfig(
                new PipelineConfig.Batches(
                        usual.batches().coalesce(),
                        config.number(Setting.PIPELINE_BATCH_ROWS),
                        usual.batches().bytesMax(),
                        usual.batches().tick()),
                new PipelineConfig.Rounds(
                        Duration.ofMillis(config.number(Setting.PIPELINE_COMMIT_MS)),
                        usual.rounds().retryMax(),
                        usual.rounds().pendingBytesMax(),
                        usual.rounds().journalBytesMax()),
                new PipelineConfig.Duck(
                        (long) config.number(Setting.PIPELINE_MEMORY_MB) << 20,
                        usual.duck().temporaryBytesMax(),
                        config.number(Setting.PIPELINE_THREADS)),
                new PipelineConfig.Views(
                        choice(config.text(Setting.PIPELINE_VIEWS)),
                        Duration.ofSeconds(config.number(Setting.PIPELINE_AUDIT_S))));
    }

    private void applied(Applied batch) {
        if (batch.receivedMicros() > 0) {
            freshnessMs =
                    Math.max(0, batch.appliedAt().toEpochMilli() - batch.receivedMicros() / 1_000);
        }
        var told = freshnessMs;
        var news =
                new LiveTables.Applied(
                        name, batch.batch(), batch.appliedAt(), told == null ? 0 : told);
        listeners.forEach(listener -> listener.accept(news));
    }

    private static SyncedTableSpec spec(PipelinePlan plan, SyncedTable table) {
        return new SyncedTableSpec(
                table.name(),
                table.source(),
                schema(plan, table.source()),
                table.primaryKey(),
                table.indexes());
    }

    private static TableSchema schema(PipelinePlan plan, TableName source) {
        return PipelineOutputs.of(plan).stream()
                .filter(output -> output.name().equals(source))
                .findFirst()
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.INVALID_ARGUMENT,
                                        "the source %s of a synced table is not written by this"
                                                        .formatted(source)
                                                + " pipeline",
                                        "sync a streaming table or a materialized view of it"))
                .schema();
    }

    private List<OutputState> outputs(PipelineStatus status) {
        var states = new ArrayList<OutputState>();
        for (var dataset : datasets()) {
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

    private List<ExpectationState> expectations(PipelineStatus status) {
        var states = new ArrayList<ExpectationState>();
        for (var dataset : datasets()) {
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

    private List<Dataset> datasets() {
        var compiled = plan;
        return compiled == null ? List.of() : compiled.datasets();
    }

    private static List<Expectation> rules(Dataset dataset) {
        return switch (dataset) {
            case Dataset.IngestedTable _ -> List.of();
            case Dataset.StreamingTable table -> table.expectations();
            case Dataset.MaterializedView view -> view.expectations();
        };
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (LakemillException e) {
            error = String.valueOf(e.getMessage());
            log.error("pipeline '{}': {}", name, e.getMessage());
        }
    }

    private static void await(BooleanSupplier condition) {
        var deadline = System.nanoTime() + DRAIN_TIMEOUT.toNanos();
        try {
            Thread.sleep(50);
            while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
