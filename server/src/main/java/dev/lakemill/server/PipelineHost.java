package dev.lakemill.server;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.pipeline.AskedModels;
import dev.lakemill.pipeline.Pipeline;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.pipeline.PipelineStatus;
import dev.lakemill.pipeline.Rebuild;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.server.NodeStatus.PipelineState;
import dev.lakemill.server.NodeStatus.RebuildState;
import dev.lakemill.sync.Applied;
import dev.lakemill.sync.SyncStatus;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
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
    private static final Logger log = LoggerFactory.getLogger(PipelineHost.class);
    private static final Duration REBUILD_LOOK = Duration.ofMillis(200);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(10);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(30);

    /** What a pipeline is given of the node. */
    record Parts(
            Config config,
            Path folder,
            Tables tables,
            Postgres postgres,
            RegisteredModels models,
            AskedModels asked,
            PipelineRights rights,
            Consumer<EventLog.Event> events,
            BufferAllocator allocator,
            SyncedTables synced,
            Runnable redeploy) {}

    private final String name;
    private final Parts parts;
    private final OutputTables outputs;
    private final GrownFiles grown;
    private final PipelineFiles files;
    private final PipelineEvents events;
    private final List<Consumer<LiveTables.Applied>> listeners = new ArrayList<>();

    /** Guards deployments: one at a time. */
    private final ReentrantLock deploying = new ReentrantLock();

    private volatile @Nullable PipelinePlan plan;
    private volatile @Nullable RunningPipeline running;
    private volatile @Nullable Rebuilding rebuilding;
    private volatile @Nullable String error;

    /** Why the newest text is not the one that runs; null when it is. */
    private volatile @Nullable String refused;

    private volatile @Nullable Long freshnessMs;
    private volatile boolean closing;

    /** Tables that are computed anew beside the running pipeline, and the thread that waits. */
    private record Rebuilding(
            PipelinePlan plan, Rebuild rebuild, Set<TableName> tables, Thread thread) {}

    /** Declares the pipeline's tables; {@link #run} starts it. */
    PipelineHost(String name, Compilation compilation, Parts parts) {
        this.name = name;
        this.parts = parts;
        this.outputs = new OutputTables(name, parts);
        this.grown = new GrownFiles(name, () -> rebuilding != null, parts.redeploy(), RETRY_PAUSE);
        this.files = new PipelineFiles(parts, grown::tell);
        this.events = new PipelineEvents(name, parts.events());
        guarded(
                () -> {
                    var compiled = compilation.orThrow();
                    if (Rebuild.swapping(parts.folder()).isEmpty()) {
                        var changed = outputs.changed(compiled, files.grows(compiled));
                        DeploymentRules.check(compiled, changed, parts.folder());
                    }
                    prepare(compiled);
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
            deploying.lock();
            try {
                guarded(() -> resume(compiled));
            } finally {
                deploying.unlock();
            }
        }
    }

    private void resume(PipelinePlan compiled) {
        files.open(compiled);
        Rebuild.finish(compiled, wiring(compiled), outputs::staged);
        outputs.adopt(compiled);
        outputs.closeStaged();
        begin(compiled, Rebuild.needed(compiled, parts.folder(), Set.of()));
    }

    /**
     * Puts a new text in the place of the one that runs, without losing its position: queries,
     * rules, views and new tables at once or, where rows before have to be read again, as soon as
     * they are.
     *
     * @param full whether all streaming tables are computed anew from their first row
     * @return what happens, for people
     * @throws LakemillException when the text is bad, or a table needs a full refresh and full is
     *     false; what runs goes on. {@link #refuse} is to be told of it.
     */
    String deploy(Compilation compilation, boolean full) {
        deploying.lock();
        try {
            if (closing) {
                throw new LakemillException(
                        ErrorCode.UNAVAILABLE, "the node stops", "start it again");
            }
            var compiled = compilation.orThrow();
            parts.rights().check(compiled);
            var under = rebuilding;
            if (under != null && !full && compiled.equals(under.plan())) {
                return computes(under.tables());
            }
            if (under != null) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "pipeline '%s' is computing tables anew".formatted(name),
                        "wait for it: ./lakemill pipeline status");
            }
            if (!full && running != null && error().isEmpty() && compiled.equals(plan)) {
                return "pipeline '%s' runs this text already".formatted(name);
            }
            var changed = outputs.changed(compiled, files.grows(compiled));
            if (!full) {
                DeploymentRules.check(compiled, changed, parts.folder());
            }
            var fresh = new LinkedHashSet<>(changed);
            if (full) {
                DeploymentRules.checkFullRefresh(compiled);
                PipelineOutputs.of(compiled).forEach(output -> fresh.add(output.name()));
            }
            var needed = Rebuild.needed(compiled, parts.folder(), fresh);
            if (needed.isEmpty()) {
                stop();
                prepare(compiled);
                files.open(compiled);
                start(compiled, full);
            } else {
                if (files.differ(compiled)) {
                    stop();
                    widen(compiled);
                }
                files.open(compiled);
                begin(compiled, needed);
            }
            refused = null;
            return needed.isEmpty()
                    ? "pipeline '%s' runs the new text".formatted(name)
                    : computes(needed);
        } finally {
            deploying.unlock();
        }
    }

    /** What hinders its newest text, after which it may be that nothing runs. */
    void refuse(RuntimeException hindrance) {
        deploying.lock();
        try {
            var why = PipelineEvents.said(hindrance);
            if (!why.equals(refused)) {
                events.refused(why);
            }
            refused = why;
            if (running == null) {
                error = why;
            }
        } finally {
            deploying.unlock();
        }
    }

    private String computes(Set<TableName> tables) {
        return "pipeline '%s' computes %s from the first row; the new text takes over then"
                .formatted(name, tables);
    }

    private void prepare(PipelinePlan compiled) {
        widen(compiled);
        outputs.prepare(compiled);
    }

    private void widen(PipelinePlan compiled) {
        if (files.grows(compiled)) {
            outputs.widen(compiled);
        }
    }

    private RunningPipeline.Stores stores() {
        return new RunningPipeline.Stores(outputs::output, files::feed);
    }

    private Pipeline.Wiring wiring(PipelinePlan compiled) {
        return RunningPipeline.wiring(
                compiled,
                parts,
                stores(),
                new GroupFeed(name, 1),
                source -> {
                    var now = running;
                    var positions =
                            now == null
                                    ? Rebuild.positions(parts.folder())
                                    : now.status().positions();
                    return positions.getOrDefault(source, 0L);
                });
    }

    private void begin(PipelinePlan compiled, Set<TableName> needed) {
        if (needed.isEmpty()) {
            Rebuild.forget(parts.folder());
            start(compiled, false);
            return;
        }
        outputs.ensureIngested(compiled);
        var rebuild =
                Rebuild.start(
                        compiled,
                        needed,
                        RunningPipeline.config(parts.config()),
                        wiring(compiled),
                        outputs::staged);
        var thread =
                Thread.ofVirtual()
                        .name("rebuild-" + name)
                        .unstarted(() -> guarded(() -> rebuild(compiled, rebuild)));
        rebuilding = new Rebuilding(compiled, rebuild, needed, thread);
        thread.start();
    }

    /** Waits for the tables, and puts them and the plan in place. */
    private void rebuild(PipelinePlan compiled, Rebuild rebuild) {
        try {
            while (!rebuild.isCaughtUp()) {
                Thread.sleep(REBUILD_LOOK);
            }
            deploying.lock();
            try {
                if (closing) {
                    return;
                }
                stop();
                rebuild.swapInto(() -> prepare(compiled));
                outputs.adopt(compiled);
                outputs.closeStaged();
                plan = compiled;
                start(compiled, true);
            } finally {
                deploying.unlock();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            rebuild.close();
            rebuilding = null;
        }
    }

    private void start(PipelinePlan compiled, boolean full) {
        events.created(compiled, full);
        running = new RunningPipeline(compiled, parts, stores(), this::applied);
        plan = compiled;
        error = null;
    }

    private void stop() {
        var now = running;
        if (now == null) {
            return;
        }
        now.close();
        sample();
        var status = now.status();
        running = null;
        if (status.committedBatch() != status.batch()) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "batch %d of pipeline '%s' did not reach Delta: %s"
                            .formatted(status.batch(), name, status.waiting()),
                    "mend that and start the node again");
        }
    }

    /** Tells of each batch that becomes visible in Postgres, on the sync's thread. */
    void onApplied(Consumer<LiveTables.Applied> listener) {
        listeners.add(listener);
    }

    /** Why it does not run, or why its newest text does not; empty while all is well. */
    Optional<String> error() {
        var now = running;
        if (error != null || now == null) {
            return Optional.ofNullable(error);
        }
        var status = now.status();
        return status.error().isEmpty()
                ? Optional.ofNullable(refused)
                        .map(e -> "the new text does not run: " + e)
                        .or(grown::error)
                        .or(files::error)
                : Optional.of(status.error() + "; hint: " + status.hint());
    }

    /** Synced tables of the catalog have come or gone. */
    void resync() {
        deploying.lock();
        try {
            Optional.ofNullable(running).ifPresent(RunningPipeline::resync);
        } finally {
            deploying.unlock();
        }
    }

    List<SyncStatus> synced() {
        var now = running;
        return now == null ? List.of() : now.synced();
    }

    /** Whether Postgres shows everything that the feeds have handed on. */
    boolean caughtUp() {
        var now = running;
        return now != null
                && now.status().state() == PipelineStatus.State.RUNNING
                && now.status().backlog().values().stream().allMatch(bytes -> bytes == 0)
                && synced().stream().allMatch(table -> table.batchesBehind() == 0);
    }

    /** Whether there is nothing left to do: all files are read, and everything shows. */
    boolean isIdle() {
        return files.isIdle() && caughtUp();
    }

    /** From durable to visible, of the newest rows, for tables of the kind. */
    @Nullable Long freshnessMs(TableKind kind) {
        var now = running;
        if (kind == TableKind.SYNCED) {
            return freshnessMs;
        }
        return now == null ? null : now.status().committedFreshnessMillis();
    }

    /** Where its batches stand; empty while none can run. */
    Optional<PipelineStatus> status() {
        return Optional.ofNullable(running).map(RunningPipeline::status);
    }

    /** Tells the event log what has happened since the last call. */
    void sample() {
        var compiled = plan;
        var now = running;
        var under = rebuildState();
        if (under != null) {
            events.rebuilding(under);
        }
        if (compiled != null && now != null) {
            events.sample(compiled, now.status());
            events.files(files.state());
        }
    }

    /** How many rows of each view differ from its query, both ways. */
    Map<String, Long> audit() throws InterruptedException {
        var now = running;
        if (now == null) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "pipeline '%s' does not run: %s".formatted(name, error),
                    "mend it and start the node again");
        }
        return now.audit();
    }

    PipelineState state() {
        var now = running;
        var compiled = plan;
        if (now == null || compiled == null) {
            var why = rebuilding == null ? error().orElse("not started") : null;
            return PipelineState.down(name, why, rebuildState(), files.state());
        }
        var status = now.status();
        return new PipelineState(
                name,
                status.state().name(),
                status.batch(),
                status.batches().lastMillis(),
                error().orElse(null),
                rebuildState(),
                PipelineCounts.outputs(compiled, status),
                PipelineCounts.expectations(compiled, status),
                PipelineCounts.views(status),
                PipelineCounts.audit(status.audits()),
                files.state());
    }

    private @Nullable RebuildState rebuildState() {
        var under = rebuilding;
        return under == null ? null : RebuildState.of(under.tables(), under.rebuild().progress());
    }

    /** Runs what was handed on to its end, commits, shows it in Postgres, and stops. */
    @Override
    public void close() {
        closing = true;
        grown.close();
        var under = rebuilding;
        if (under != null) {
            under.thread().interrupt();
            try {
                under.thread().join(END_WAIT_MAX);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        deploying.lock();
        try {
            var now = running;
            if (now != null) {
                now.close();
            }
            files.close();
            outputs.close();
        } finally {
            deploying.unlock();
        }
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

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (LakemillException e) {
            error = PipelineEvents.said(e);
            log.error("pipeline '{}': {}", name, error);
        } catch (RuntimeException e) {
            error = PipelineEvents.said(e);
            log.error("pipeline '{}' met a defect", name, e);
        }
    }
}
