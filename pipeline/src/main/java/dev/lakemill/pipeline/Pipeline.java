package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;

/**
 * A running pipeline. One thread owns it and runs its batches; commit rounds run beside it on
 * another, one at a time. All public methods may be called from any thread.
 *
 * <p>A pipeline that fails stops running batches, brings the good ones to Delta, and answers {@link
 * #status} and {@link #audit} until it is closed; other pipelines go on. To start it again, close
 * it and start a new one: it repeats the batch that failed.
 */
public final class Pipeline implements AutoCloseable {
    /**
     * What a pipeline is connected to.
     *
     * @param sources the feed of each ingested table that the plan reads
     * @param outputs opens the Delta table of an output; the tables stay the caller's
     * @param feed where batches and rounds go; it stays the caller's
     * @param limits up to where the sources are read
     * @param models the folder of a version of a model
     * @param asked the models that {@code ai_query} asks
     * @param folder of the pipeline's own: journal, checkpoints, temporary files
     */
    public record Wiring(
            Map<TableName, TableFeed> sources,
            Function<PipelineOutputs.Output, DeltaTable> outputs,
            GroupFeed feed,
            Function<ModelUse, Path> models,
            AskedModels asked,
            Path folder,
            BufferAllocator allocator,
            InstantSource clock,
            SourceLimits limits) {
        /** Of all rows of the sources, with no models to ask. */
        public Wiring(
                Map<TableName, TableFeed> sources,
                Function<PipelineOutputs.Output, DeltaTable> outputs,
                GroupFeed feed,
                Function<ModelUse, Path> models,
                Path folder,
                BufferAllocator allocator,
                InstantSource clock) {
            this(
                    sources,
                    outputs,
                    feed,
                    models,
                    AskedModels.NONE,
                    folder,
                    allocator,
                    clock,
                    SourceLimits.NONE);
        }
    }

    private final String name;
    private final PipelineLoop loop;
    private final Thread owner;
    private final Collection<TableFeed> feeds;
    private final Runnable wake;

    private Pipeline(String name, PipelineLoop loop, Collection<TableFeed> feeds) {
        this.name = name;
        this.loop = loop;
        this.feeds = List.copyOf(feeds);
        this.wake = loop::wake;
        this.feeds.forEach(feed -> feed.onPublish(wake));
        this.owner = Thread.ofPlatform().name("pipeline-" + name).start(loop);
    }

    /**
     * Starts the plan where its outputs stand, on a thread of its own; what hinders it shows in
     * {@link #status}.
     *
     * @throws LakemillException UNIMPLEMENTED, with the place in the pipeline's text, for what
     *     DuckDB cannot compute as Spark does
     */
    public static Pipeline start(PipelinePlan plan, PipelineConfig config, Wiring wiring) {
        var program = Program.of(plan);
        var application = DeltaOutput.application(program.name());
        var sources = new HashMap<TableName, SourceRows>();
        for (var source : program.sources()) {
            var feed = wiring.sources().get(source.name());
            if (feed == null) {
                throw new IllegalArgumentException("no feed of " + source.name());
            }
            var rows = wiring.limits().limited(source.name(), feed);
            sources.put(source.name(), new DeclaredRows(rows, source.schema()));
        }
        var outputs = new HashMap<TableName, OutputTable>();
        for (var output : program.outputs()) {
            outputs.put(
                    output.name(), new DeltaOutput(wiring.outputs().apply(output), application));
        }
        var parts =
                new PipelineRun.Parts(
                        sources,
                        outputs,
                        wiring.feed(),
                        wiring.models(),
                        wiring.asked(),
                        wiring.folder(),
                        new LocalDisk(),
                        wiring.allocator(),
                        wiring.clock());
        return new Pipeline(
                program.name(),
                new PipelineLoop(program, config, parts),
                wiring.sources().values());
    }

    static Pipeline start(Program program, PipelineConfig config, PipelineRun.Parts parts) {
        return new Pipeline(program.name(), new PipelineLoop(program, config, parts), List.of());
    }

    public String name() {
        return name;
    }

    /** Looks for input now. */
    void wake() {
        wake.run();
    }

    public PipelineStatus status() {
        return loop.status();
    }

    /**
     * Holds every view against its query, between two batches; waits for it.
     *
     * @throws LakemillException FAILED_PRECONDITION when the pipeline could not start or is closed
     */
    public List<ViewAudit> audit() throws InterruptedException {
        try {
            return loop.audit().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LakemillException known) {
                throw known;
            }
            throw new LakemillException(
                    ErrorCode.INTERNAL,
                    "the audit of %s failed: %s".formatted(name, e.getCause()),
                    "",
                    e);
        }
    }

    /** Finishes the running batch, brings everything to Delta, and stops. */
    @Override
    public void close() {
        feeds.forEach(feed -> feed.offPublish(wake));
        loop.close();
        var interrupted = false;
        while (owner.isAlive()) {
            try {
                owner.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
