package dev.lakemill.server;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.pipeline.MaintenanceChoice;
import dev.lakemill.pipeline.Pipeline;
import dev.lakemill.pipeline.PipelineConfig;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.pipeline.PipelineStatus;
import dev.lakemill.pipeline.SourceLimits;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.SyncedTable;
import dev.lakemill.sync.Applied;
import dev.lakemill.sync.Sync;
import dev.lakemill.sync.SyncPlan;
import dev.lakemill.sync.SyncStatus;
import dev.lakemill.sync.SyncedTableSpec;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A plan at work: its batches, the sync of its tables, and the care for its files. */
final class RunningPipeline implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RunningPipeline.class);
    private static final long FEED_BYTES_MAX = 16L << 20;
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(8);
    private static final Duration MAINTENANCE_INTERVAL = Duration.ofMinutes(1);

    private final PipelinePlan plan;
    private final Stores stores;
    private final GroupFeed feed;
    private final Pipeline pipeline;
    private final PipelineHost.Parts parts;
    private final Consumer<Applied> applied;
    private final Thread maintenance;

    /** Guards the sync's exchange. */
    private final ReentrantLock exchanging = new ReentrantLock();

    private volatile @Nullable Sync sync;
    private boolean closed;

    /**
     * Where a pipeline's rows stand.
     *
     * @param outputs opens the table of an output
     * @param files gives the feed of a table of files
     */
    record Stores(
            Function<PipelineOutputs.Output, DeltaTable> outputs,
            Function<TableName, TableFeed> files) {}

    /**
     * Starts it.
     *
     * @param applied told of each batch that becomes visible in Postgres, on the sync's thread
     */
    RunningPipeline(
            PipelinePlan plan, PipelineHost.Parts parts, Stores stores, Consumer<Applied> applied) {
        this.plan = plan;
        this.stores = stores;
        this.feed = new GroupFeed(plan.name(), FEED_BYTES_MAX);
        this.parts = parts;
        this.applied = applied;
        this.sync = startSync();
        pipeline =
                Pipeline.start(
                        plan,
                        config(parts.config()),
                        wiring(plan, parts, stores, feed, SourceLimits.NONE));
        maintenance = Thread.ofVirtual().name("maintenance-" + plan.name()).start(this::maintain);
    }

    static Pipeline.Wiring wiring(
            PipelinePlan plan,
            PipelineHost.Parts parts,
            Stores stores,
            GroupFeed feed,
            SourceLimits limits) {
        Map<TableName, TableFeed> sources = new HashMap<>();
        for (var dataset : plan.datasets()) {
            if (dataset instanceof Dataset.IngestedTable table) {
                sources.put(table.name(), parts.tables().feed(table.name()));
            } else if (dataset instanceof Dataset.FileTable table) {
                sources.put(table.name(), stores.files().apply(table.name()));
            }
        }
        return new Pipeline.Wiring(
                sources,
                stores.outputs(),
                feed,
                parts.models()::folder,
                parts.asked(),
                parts.folder(),
                parts.allocator(),
                Clock.systemUTC(),
                limits);
    }

    private @Nullable Sync startSync() {
        var outputs =
                PipelineOutputs.of(plan).stream()
                        .collect(
                                Collectors.toMap(
                                        PipelineOutputs.Output::name,
                                        PipelineOutputs.Output::schema));
        var specs =
                Stream.concat(
                                plan.syncedTables().stream().map(table -> spec(plan, table)),
                                parts.synced().ofPipeline(plan.name(), outputs).stream())
                        .toList();
        if (specs.isEmpty()) {
            return null;
        }
        var started =
                Sync.start(
                        new SyncPlan(plan.name(), specs), feed, parts.postgres().ownerUnpooled());
        started.onApplied(applied);
        return started;
    }

    /** Takes synced tables of the catalog in and out; what they show stays. */
    void resync() {
        exchanging.lock();
        try {
            var old = sync;
            if (closed) {
                return;
            }
            if (old != null) {
                old.close();
            }
            sync = startSync();
        } finally {
            exchanging.unlock();
        }
    }

    Pipeline pipeline() {
        return pipeline;
    }

    PipelineStatus status() {
        return pipeline.status();
    }

    /** How many rows of each view differ from its query, both ways. */
    Map<String, Long> audit() throws InterruptedException {
        var differences = new TreeMap<String, Long>();
        for (var view : pipeline.audit()) {
            differences.put(view.view().toString(), view.missing() + view.surplus());
        }
        return differences;
    }

    List<SyncStatus> synced() {
        var now = sync;
        return now == null ? List.of() : now.status();
    }

    /** Runs what was handed on to its end, commits, shows it in Postgres, and stops. */
    @Override
    public void close() {
        endMaintenance();
        var handedOn = pipeline.status();
        await(() -> isDrained(handedOn));
        pipeline.close();
        exchanging.lock();
        try {
            closed = true;
            var now = sync;
            if (now != null) {
                await(() -> synced().stream().allMatch(t -> t.batchesBehind() == 0));
                now.close();
            }
        } finally {
            exchanging.unlock();
        }
        feed.close();
    }

    /** Whether all rows are taken that were there then; more may come for ever. */
    private boolean isDrained(PipelineStatus then) {
        var now = pipeline.status();
        return now.state() == PipelineStatus.State.FAILED
                || then.backlog().entrySet().stream()
                        .allMatch(
                                source ->
                                        now.positions().getOrDefault(source.getKey(), 0L)
                                                >= then.positions()
                                                                .getOrDefault(source.getKey(), 0L)
                                                        + source.getValue());
    }

    private void endMaintenance() {
        maintenance.interrupt();
        try {
            maintenance.join(DRAIN_TIMEOUT);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Joins small files and deletes old ones, beside the batches, a table after the other; not
     * before the pipeline has loaded its last complete round, whose files it has kept from then on.
     */
    private void maintain() {
        try {
            while (true) {
                Thread.sleep(MAINTENANCE_INTERVAL);
                if (feed.lastRound() != null) {
                    PipelineOutputs.of(plan).forEach(this::maintain);
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void maintain(PipelineOutputs.Output output) {
        var table = stores.outputs().apply(output);
        try {
            if (output.kind() != TableKind.MATERIALIZED_VIEW) {
                table.compact();
            }
            table.vacuum(Tables.OUTPUT.fileRetention());
        } catch (LakemillException e) {
            log.warn("maintenance of {}: {}", output.name(), e.getMessage());
        }
    }

    static PipelineConfig config(Config config) {
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

    private static SyncedTableSpec spec(PipelinePlan plan, SyncedTable table) {
        return new SyncedTableSpec(
                table.name(),
                table.source(),
                schema(plan, table.source()),
                table.primaryKey(),
                table.indexes());
    }

    /** The columns of a dataset that a synced table shows. */
    static TableSchema schema(PipelinePlan plan, TableName source) {
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
