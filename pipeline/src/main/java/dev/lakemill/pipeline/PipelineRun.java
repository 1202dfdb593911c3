package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.feed.GroupBatch;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pipeline without its threads: batches, rounds and recovery, step by step. One thread uses it;
 * only {@link CommitRound#run} may run on another.
 *
 * <p>The order of effects is what makes each row count once. A batch: its boundaries and now() are
 * journaled and synced; it runs in DuckDB; its changes go out on the feed and wait for Delta. A
 * round: the checkpoint is written and synced, the outputs that have changed are committed, each
 * with the batch as its transaction version; then the journal and older checkpoints are cut. A
 * process that ends between any two of these starts in {@link Recovery}, loads the outputs of the
 * last complete round and repeats the journaled batches, whose changes reach only those who do not
 * have them.
 *
 * <p>The last two complete checkpoints are kept, and the journal behind the older, so that one
 * damaged file costs nothing.
 */
final class PipelineRun implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PipelineRun.class);

    private final Program program;
    private final PipelineConfig config;
    private final Parts parts;
    private final Journal journal;
    private final Checkpoints checkpoints;
    private final PendingOutputs outputs;
    private final DuckSession duck;
    private final Answers answers;
    private final Engine engine;
    private final SourceReaders readers;
    private final ArrayDeque<BatchRecord> replay;
    private final Map<TableName, TableCount> counts;
    private final Checkpoint base;

    /** The newest position of each source when the process began. */
    private final Map<TableName, Long> atStart = new TreeMap<>();

    private BatchRecord last;
    private long receivedMicros;

    /** Of the last complete round. */
    private long committed;

    private @Nullable Long committedFreshnessMillis;

    /** Until the first batch, when the views' content may be of another plan. */
    private boolean everything;

    /** A batch that is ready to run, or to be tried again. */
    private @Nullable Prepared prepared;

    /** Rows of a batch that could not be journaled. */
    private @Nullable Gathered gathered;

    private Advance.@Nullable Failed failed;

    /** What a pipeline is connected to. */
    record Parts(
            Map<TableName, SourceRows> sources,
            Map<TableName, OutputTable> outputs,
            GroupFeed feed,
            Function<ModelUse, Path> models,
            AskedModels asked,
            Path folder,
            Disk disk,
            BufferAllocator allocator,
            InstantSource clock) {}

    /** What {@link #advance} did. */
    sealed interface Advance {
        /** A batch ran. */
        record Ran(long number, long rows) implements Advance {}

        /** There is nothing to do. */
        record Idle() implements Advance {}

        /** A batch cannot run now; it will be tried again. */
        record Held(String reason) implements Advance {}

        /** A batch must not stand. It stays in the journal, and a restart tries it again. */
        record Failed(String reason, String hint) implements Advance {}
    }

    private record Prepared(BatchRecord batch, Gathered rows) {}

    /**
     * Finds out where to go on; {@link #load} must follow.
     *
     * @throws LakemillException DATA_LOSS or FAILED_PRECONDITION when the pipeline cannot go on
     */
    PipelineRun(Program program, PipelineConfig config, Parts parts) {
        this.program = program;
        this.config = config;
        this.parts = parts;
        this.journal = new Journal(parts.folder(), parts.disk());
        this.checkpoints = new Checkpoints(parts.folder(), parts.disk());
        this.outputs = new PendingOutputs(program, parts.outputs());
        var point =
                new Recovery(parts.folder(), checkpoints.read(), journal.records(), parts.outputs())
                        .point();
        this.base = point.base();
        this.replay = new ArrayDeque<>(point.replay());
        StateLoader.check(program, parts.outputs(), base);
        if (!journal.records().containsAll(point.replay())) {
            journal.replace(point.replay());
        }
        this.last = base.record();
        this.receivedMicros = base.receivedMicros();
        this.committed = base.number();
        this.everything = !base.planHash().equals(program.planHash());
        this.counts = new TreeMap<>(base.counts());
        program.appended().forEach(t -> counts.putIfAbsent(t.name(), TableCount.allKept(0)));
        this.readers = new SourceReaders(parts.sources(), base.sources());
        parts.sources().forEach((name, rows) -> atStart.put(name, rows.position()));
        this.duck =
                DuckSession.open(
                        config.duck(), parts.folder().resolve("temporary"), parts.allocator());
        this.answers = new Answers(parts.asked());
        this.engine = engine(program, duck, config.views().choice(), parts.models(), answers);
    }

    private static Engine engine(
            Program program,
            DuckSession duck,
            MaintenanceChoice choice,
            Function<ModelUse, Path> models,
            Answers answers) {
        try {
            return new Engine(program, duck, choice, models, answers);
        } catch (RuntimeException | Error e) {
            duck.close();
            throw e;
        }
    }

    /**
     * Loads the state of the last complete round; nothing of the replay has run yet.
     *
     * @param awaitInput as of {@link StateLoader#load}
     */
    void load(Runnable awaitInput) {
        if (program.asks()) {
            answers.load(awaitInput);
        }
        new StateLoader(program, engine, parts.outputs(), base).load(parts.sources(), awaitInput);
        var tables = new LinkedHashMap<TableName, DeltaSnapshot>();
        parts.outputs().forEach((name, table) -> tables.put(name, table.snapshotAt(base.number())));
        publish(base, tables);
    }

    /**
     * Runs one batch, if there is one.
     *
     * @param tick whether to run one without input
     */
    Advance advance(boolean tick) {
        if (failed != null) {
            return failed;
        }
        var hold = hold();
        if (!hold.isEmpty()) {
            return new Advance.Held(hold);
        }
        if (prepared == null) {
            var held = prepare(tick);
            if (held != null) {
                return held;
            }
        }
        var batch = prepared;
        return batch == null ? new Advance.Idle() : run(batch);
    }

    /**
     * A round that brings Delta to the last batch; null when it stands there. It must be run, then
     * handed to {@link #finishRound}, before the next begins.
     *
     * <p>While batches are repeated that an output has already, there is none: that output has no
     * version at such a batch, so no later recovery could load it as of there.
     */
    @Nullable CommitRound beginRound() {
        if (last.number() == committed || last.number() < outputs.newestCommitted()) {
            return null;
        }
        var due = outputs.due(last.number());
        var checkpoint =
                new Checkpoint(
                        last.number(),
                        last.now(),
                        last.sources(),
                        receivedMicros,
                        program.planHash(),
                        due,
                        counts,
                        last.once());
        DuckSession.Snapshot snapshot = null;
        var work = new ArrayList<CommitRound.Due>();
        for (var view : program.views()) {
            if (due.containsKey(view.name())) {
                snapshot = snapshot == null ? duck.snapshot(Engine.whole(view.name())) : snapshot;
                work.add(new CommitRound.Due.Replace(view, Engine.content(view)));
            }
        }
        for (var output : due.keySet()) {
            if (!outputs.isView(output)) {
                work.add(new CommitRound.Due.Append(output, outputs.parts(output, last.number())));
            }
        }
        return new CommitRound(checkpoint, work, parts.outputs(), checkpoints, snapshot);
    }

    /** Takes in what a round did. */
    void finishRound(CommitRound round, CommitRound.Result result) {
        switch (result) {
            case CommitRound.Result.Complete complete -> {
                var checkpoint = round.checkpoint();
                checkpoint.due().forEach(outputs::committed);
                forgetBefore(committed, checkpoint.number());
                committed = checkpoint.number();
                if (checkpoint.receivedMicros() > base.receivedMicros()) {
                    committedFreshnessMillis =
                            Math.max(
                                    0,
                                    parts.clock().instant().toEpochMilli()
                                            - checkpoint.receivedMicros() / 1_000);
                }
                publish(checkpoint, complete.tables());
            }
            case CommitRound.Result.BrokenOff broken -> {
                broken.committed().forEach(outputs::committed);
                if (broken.inDoubt() != null) {
                    outputs.inDoubt(broken.inDoubt().name(), broken.inDoubt().batch());
                }
                if (!broken.later()) {
                    fail(broken.reason().problem(), broken.reason().hint());
                }
            }
        }
    }

    /** Holds all views against their queries. */
    List<ViewAudit> audit() {
        return engine.audit();
    }

    /** Holds one view against its query; empty when it waits for its turn. */
    Optional<ViewAudit> audit(Step.View view) {
        return engine.turns().isBehind(view) ? Optional.empty() : Optional.of(engine.audit(view));
    }

    /** When a batch is due for a view that waits for its turn, input or not. */
    Optional<Instant> nextTurn() {
        return engine.turns().next(last.now());
    }

    /** Rings when models have answered. */
    void onAnswers(Runnable action) {
        answers.onArrival(action);
    }

    /** How each view is kept. */
    Map<TableName, ViewStatus> views() {
        return engine.views();
    }

    /** The last batch. */
    BatchRecord last() {
        return last;
    }

    /** The batch of the last complete round. */
    long committed() {
        return committed;
    }

    /**
     * From durable to in Delta, of the newest source row of the last round; null before the first
     * round with rows of this process.
     */
    @Nullable Long committedFreshnessMillis() {
        return committedFreshnessMillis;
    }

    /** Whether tables have changed since they were committed. */
    boolean isPending() {
        return !outputs.due(last.number()).isEmpty();
    }

    Map<TableName, TableCount> counts() {
        return Map.copyOf(counts);
    }

    /** Rows that wait for Delta. */
    long pendingBytes() {
        return outputs.bytes();
    }

    /** How far each source's newest row is ahead of the last batch. */
    Map<TableName, Long> backlog() {
        return SourceRows.ahead(parts.sources(), last.sources());
    }

    /** Stops the pipeline; what stands, stands. */
    Advance.Failed fail(String reason, String hint) {
        var failure = new Advance.Failed(reason, hint);
        failed = failure;
        letGo();
        return failure;
    }

    @Override
    public void close() {
        letGo();
        outputs.close();
        readers.close();
        answers.close();
        engine.close();
    }

    /** Why no batch may start; empty when one may. */
    private String hold() {
        var rounds = config.rounds();
        if (last.number() < outputs.newestCommitted()) {
            return "";
        }
        if (outputs.bytes() >= rounds.pendingBytesMax()) {
            return "%d MiB of rows wait for Delta".formatted(outputs.bytes() >> 20);
        }
        if (journal.sizeBytes() >= rounds.journalBytesMax()) {
            return "the journal holds %d MiB of batches since the last commit round"
                    .formatted(journal.sizeBytes() >> 20);
        }
        return "";
    }

    /** Makes the next batch ready; what it returns says why there is none. */
    private @Nullable Advance prepare(boolean tick) {
        var repeated = replay.peekFirst();
        if (repeated != null) {
            var rows = readers.upTo(repeated.sources());
            if (rows.isEmpty()) {
                return new Advance.Held(
                        "batch %d is repeated, but not all of its source rows are there yet"
                                .formatted(repeated.number()));
            }
            replay.removeFirst();
            prepared = new Prepared(repeated, rows.get());
            return null;
        }
        var rows = gathered == null ? readers.gather(config.batches()) : gathered;
        gathered = null;
        var once = new TreeSet<>(last.once());
        var isNew = holdsHistory(rows.positions()) && once.addAll(program.once());
        var now = answers.takeIn(now(), last.now());
        if (rows.isEmpty() && !tick && !everything && !isNew && !answers.areDue()) {
            return new Advance.Idle();
        }
        var batch = new BatchRecord(last.number() + 1, now, rows.positions(), once);
        try {
            journal.append(batch);
        } catch (UncheckedIOException e) {
            gathered = rows;
            return new Advance.Held("the journal cannot be written: " + e.getCause());
        }
        prepared = new Prepared(batch, rows);
        return null;
    }

    /** Whether all that was there at the start has been read. */
    private boolean holdsHistory(Map<TableName, Long> positions) {
        return atStart.entrySet().stream()
                .allMatch(e -> positions.getOrDefault(e.getKey(), 0L) >= e.getValue());
    }

    private Advance run(Prepared batch) {
        var record = batch.batch();
        var once = new TreeSet<>(record.once());
        once.removeAll(last.once());
        var outcome =
                engine.run(
                        new BatchInput(
                                record.number(),
                                record.now(),
                                batch.rows().rows(),
                                once,
                                everything,
                                answers.areDue()));
        return switch (outcome) {
            case BatchOutcome.Done done -> {
                stands(batch, done);
                letGo();
                yield new Advance.Ran(record.number(), batch.rows().count());
            }
            case BatchOutcome.Rejected rejected -> fail(rejected.reason(), rejected.hint());
            case BatchOutcome.Exhausted exhausted -> new Advance.Held(exhausted.reason());
        };
    }

    private void stands(Prepared batch, BatchOutcome.Done done) {
        last = batch.batch();
        everything = false;
        if (replay.isEmpty()) {
            answers.seen(last.number());
        }
        receivedMicros = Math.max(receivedMicros, batch.rows().receivedMicros());
        for (var step : program.steps()) {
            var count = done.counts().get(step.name());
            if (count != null) {
                var before = counts.getOrDefault(step.name(), TableCount.allKept(0));
                counts.put(step.name(), step instanceof Step.View ? count : before.plus(count));
            }
        }
        outputs.add(last.number(), done.changes());
        parts.feed()
                .publish(
                        new GroupBatch(
                                last.number(),
                                last.now(),
                                last.sources(),
                                batch.rows().receivedMicros(),
                                done.changes()));
    }

    /** Never before the last batch's, though the machine's clock may be set back. */
    private Instant now() {
        var now = parts.clock().instant().truncatedTo(ChronoUnit.MICROS);
        return now.isBefore(last.now()) ? last.now() : now;
    }

    private void publish(Checkpoint checkpoint, Map<TableName, DeltaSnapshot> tables) {
        for (var output : parts.outputs().entrySet()) {
            var table = output.getValue();
            var snapshot = tables.getOrDefault(output.getKey(), table.snapshot());
            table.keep(snapshot, checkpoint.number());
        }
        parts.feed()
                .committed(
                        new GroupFeed.Round(
                                checkpoint.number(),
                                checkpoint.now(),
                                checkpoint.sources(),
                                checkpoint.receivedMicros(),
                                tables));
    }

    /** Cuts what no recovery needs; left for the next round when the disk refuses. */
    private void forgetBefore(long older, long newest) {
        try {
            answers.forgetBefore(older);
            checkpoints.keepOnly(Set.of(older, newest));
            journal.trim(older);
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("cannot cut the journal in {}: {}", parts.folder(), e.toString());
        }
    }

    private void letGo() {
        if (prepared != null) {
            prepared.rows().close();
            prepared = null;
        }
        if (gathered != null) {
            gathered.close();
            gathered = null;
        }
    }
}
