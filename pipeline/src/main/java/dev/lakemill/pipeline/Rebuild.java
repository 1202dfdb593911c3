package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Computes streaming tables from the first row of their sources, beside the pipeline that goes on
 * with the old ones, and puts them in their place in one step: a full refresh, or the backfill of a
 * table that is new.
 *
 * <p>It is a pipeline of its own in a folder of its own, so it goes on where it was after a
 * restart. It reads no further than the running pipeline has, so that both end at the same rows.
 * The step: the file {@value #SWAP} says which tables and as of which batch; each table's content
 * is replaced in one Delta commit; a checkpoint of that batch takes the place of journal and older
 * checkpoints; the file goes. A process that ends in between repeats the step at its next start, as
 * long as the file is there, and a table that has the batch already is left alone.
 */
public final class Rebuild implements AutoCloseable {
    private static final String FOLDER = "rebuild";
    private static final String SWAP = "swap";
    private static final Duration TAIL_WAIT_MAX = Duration.ofSeconds(60);

    private final PipelinePlan plan;
    private final Set<TableName> targets;
    private final Pipeline.Wiring wiring;
    private final Function<PipelineOutputs.Output, DeltaTable> staged;
    private final Pipeline pipeline;
    private final GroupFeed feed;
    private final long startedNanos = System.nanoTime();
    private long allBytes;

    /**
     * How far it is.
     *
     * @param doneBytes of the sources' log positions, since this process began
     * @param leftBytes until it stands where the running pipeline does
     * @param left how long that takes at the present speed; null while nothing can be said
     */
    public record Progress(long doneBytes, long leftBytes, @Nullable Duration left) {}

    /** The pipeline that computes, and where it would tell of its batches. */
    private record Aside(Pipeline pipeline, GroupFeed feed) {}

    private Rebuild(
            PipelinePlan plan,
            Set<TableName> targets,
            Pipeline.Wiring wiring,
            Function<PipelineOutputs.Output, DeltaTable> staged,
            Aside aside) {
        this.plan = plan;
        this.targets = targets;
        this.wiring = wiring;
        this.staged = staged;
        this.pipeline = aside.pipeline();
        this.feed = aside.feed();
    }

    /**
     * The streaming tables that must be computed anew for a plan to go on where a pipeline stands:
     * those that it has not had, and those that read their rows as streams.
     *
     * @param fresh names of tables of the plan whose old content is not to stay
     */
    public static Set<TableName> needed(PipelinePlan plan, Path folder, Set<TableName> fresh) {
        var base = newest(folder);
        if (base.number() == 0) {
            return Set.of();
        }
        var needed = new LinkedHashSet<TableName>();
        for (var dataset : plan.datasets()) {
            if (dataset instanceof Dataset.StreamingTable table
                    && (fresh.contains(table.name())
                            || !base.counts().containsKey(table.name())
                            || streams(table.query()).anyMatch(needed::contains))) {
                needed.add(table.name());
            }
        }
        return Collections.unmodifiableSet(needed);
    }

    /** Whether batches have run in the folder. */
    public static boolean hasRun(Path folder) {
        return newest(folder).number() > 0;
    }

    /** Where the pipeline of the folder stood when it was last committed. */
    public static Map<TableName, Long> positions(Path folder) {
        return newest(folder).sources();
    }

    /**
     * Starts, or goes on.
     *
     * @param targets of {@link #needed}
     * @param wiring of the pipeline; its limits say how far it has read
     * @param staged opens the table that holds the new content of an output
     */
    public static Rebuild start(
            PipelinePlan plan,
            Set<TableName> targets,
            PipelineConfig config,
            Pipeline.Wiring wiring,
            Function<PipelineOutputs.Output, DeltaTable> staged) {
        var part = part(plan, targets);
        var sources = new TreeMap<>(wiring.sources());
        sources.keySet().retainAll(part.datasets().stream().map(Dataset::name).toList());
        var feed = new GroupFeed(plan.name() + " rebuild", 1);
        var aside =
                new Pipeline.Wiring(
                        sources,
                        staged,
                        feed,
                        wiring.models(),
                        wiring.asked(),
                        wiring.folder().resolve(FOLDER).resolve("run"),
                        wiring.allocator(),
                        wiring.clock(),
                        wiring.limits());
        var pipeline = Pipeline.start(part, config, aside);
        return new Rebuild(plan, Set.copyOf(targets), wiring, staged, new Aside(pipeline, feed));
    }

    /** The folder of the staged tables; it goes with the rebuild. */
    public static Path staging(Path folder) {
        return folder.resolve(FOLDER).resolve("tables");
    }

    /** What a rebuild that is under way, or whose swap is, works on; empty when there is none. */
    public static Set<TableName> swapping(Path folder) {
        var file = folder.resolve(FOLDER).resolve(SWAP);
        try {
            if (!Files.exists(file)) {
                return Set.of();
            }
            var names = new LinkedHashSet<TableName>();
            Files.readAllLines(file, StandardCharsets.UTF_8)
                    .forEach(line -> names.add(TableName.parse(line)));
            return Collections.unmodifiableSet(names);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * @throws LakemillException why it cannot go on
     */
    public Progress progress() {
        var status = pipeline.status();
        if (status.state() == PipelineStatus.State.FAILED) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the tables cannot be computed anew: " + status.error(),
                    status.hint());
        }
        var left = status.backlog().values().stream().mapToLong(Long::longValue).sum();
        if (status.batch() == 0 && status.backlog().isEmpty()) {
            return new Progress(0, Long.MAX_VALUE, null);
        }
        allBytes = Math.max(allBytes, left);
        var done = allBytes - left;
        var seconds = (System.nanoTime() - startedNanos) / 1e9;
        var rest = done == 0 ? null : Duration.ofMillis((long) (left * seconds / done * 1000));
        return new Progress(done, left, rest);
    }

    /** Whether it stands where the running pipeline does. */
    public boolean isCaughtUp() {
        return pipeline.status().state() == PipelineStatus.State.RUNNING
                && progress().leftBytes() == 0;
    }

    /**
     * Computes the last rows and puts the tables in place. The pipeline has been closed, and stands
     * where the wiring's limits say; it may be started behind this.
     *
     * @param prepare makes the tables that are to hold the new content
     */
    public void swapInto(Runnable prepare) throws InterruptedException {
        var deadline = System.nanoTime() + TAIL_WAIT_MAX.toNanos();
        while (!isCaughtUp()) {
            if (System.nanoTime() > deadline) {
                throw new LakemillException(
                        ErrorCode.UNAVAILABLE,
                        "the new tables do not reach the rows that the old ones have",
                        "run './lakemill pipeline refresh --full' again");
            }
            pipeline.wake();
            Thread.sleep(20);
        }
        pipeline.close();
        requireCommitted();
        var lines = String.join("\n", outputs().map(o -> o.name().toString()).toList());
        try {
            new LocalDisk()
                    .replace(
                            wiring.folder().resolve(FOLDER).resolve(SWAP),
                            lines.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        prepare.run();
        finish(plan, wiring, staged);
    }

    /** What did not reach Delta would be missing in the tables that take over. */
    private void requireCommitted() {
        var status = pipeline.status();
        if (status.committedBatch() != status.batch()) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "batch %d of the new tables did not reach Delta: %s"
                            .formatted(status.batch(), status.waiting()),
                    "mend that and run './lakemill pipeline refresh --full' again");
        }
    }

    /** Ends a swap that has begun; nothing happens when none has. */
    public static void finish(
            PipelinePlan plan,
            Pipeline.Wiring wiring,
            Function<PipelineOutputs.Output, DeltaTable> staged) {
        var folder = wiring.folder();
        var names = swapping(folder);
        if (names.isEmpty()) {
            return;
        }
        var base = newest(folder);
        var rebuilt = newest(folder.resolve(FOLDER).resolve("run"));
        var counts = new TreeMap<>(base.counts());
        var due = new TreeMap<TableName, Long>();
        // A repeated step finds its own checkpoint, if it came so far.
        var number = base.due().keySet().equals(names) ? base.number() : base.number() + 1;
        var application = DeltaOutput.application(plan.name());
        for (var output : PipelineOutputs.of(plan)) {
            if (names.contains(output.name())) {
                var from = staged.apply(output).snapshot();
                try (var reader = from.read(List.of())) {
                    new DeltaOutput(wiring.outputs().apply(output), application)
                            .replaceAll(output.schema(), new Batches(reader), number);
                }
                due.put(output.name(), number);
            }
        }
        rebuilt.counts().forEach((name, count) -> counts.merge(name, count, (old, _) -> old));
        names.forEach(
                name -> {
                    var count = rebuilt.counts().get(name);
                    if (count != null) {
                        counts.put(name, count);
                    }
                });
        var once = new HashSet<>(base.once());
        once.addAll(rebuilt.once());
        replace(
                folder,
                new Checkpoint(
                        number,
                        base.now(),
                        base.sources(),
                        base.receivedMicros(),
                        "",
                        due,
                        counts,
                        once));
        forget(folder);
    }

    /** Gives up; what was computed is gone. */
    public static void forget(Path folder) {
        var rebuild = folder.resolve(FOLDER);
        if (!Files.exists(rebuild)) {
            return;
        }
        try {
            Files.deleteIfExists(rebuild.resolve(SWAP));
            try (Stream<Path> files = Files.walk(rebuild)) {
                for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes a checkpoint behind which all views are computed anew, for tables that were made again
     * with other columns. The pipeline is closed, and all that it has is committed.
     */
    public static void viewsAnew(Path folder) {
        var base = newest(folder);
        if (base.number() > 0) {
            replace(
                    folder,
                    new Checkpoint(
                            base.number() + 1,
                            base.now(),
                            base.sources(),
                            base.receivedMicros(),
                            "",
                            Map.of(),
                            base.counts(),
                            base.once()));
        }
    }

    /** Stops; {@link #start} goes on. */
    @Override
    public void close() {
        pipeline.close();
        feed.close();
    }

    /** The targets and their quarantine tables. */
    private Stream<PipelineOutputs.Output> outputs() {
        var names = new HashSet<>(targets);
        targets.forEach(target -> names.add(PipelineOutputs.quarantineOf(target)));
        return PipelineOutputs.of(plan).stream().filter(output -> names.contains(output.name()));
    }

    private static void replace(Path folder, Checkpoint checkpoint) {
        var checkpoints = new Checkpoints(folder, new LocalDisk());
        try {
            checkpoints.write(checkpoint);
            checkpoints.keepOnly(Set.of(checkpoint.number()));
            new Journal(folder, new LocalDisk()).replace(List.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Checkpoint newest(Path folder) {
        var whole = new Checkpoints(folder, new LocalDisk()).read().whole();
        return whole.isEmpty() ? Checkpoint.START : whole.getLast();
    }

    /** Only what the targets are computed from. */
    private static PipelinePlan part(PipelinePlan plan, Set<TableName> targets) {
        var wanted = new HashSet<>(targets);
        var reversed = new ArrayList<>(plan.datasets());
        Collections.reverse(reversed);
        for (var dataset : reversed) {
            if (wanted.contains(dataset.name())) {
                reads(dataset).forEach(wanted::add);
            }
        }
        return new PipelinePlan(
                plan.name(),
                plan.datasets().stream().filter(d -> wanted.contains(d.name())).toList(),
                List.of(),
                plan.functions(),
                plan.textHash());
    }

    private static Stream<TableName> reads(Dataset dataset) {
        return switch (dataset) {
            case Dataset.IngestedTable _, Dataset.FileTable _ -> Stream.of();
            case Dataset.StreamingTable table ->
                    Stream.concat(
                            Relations.sources(table.query()).stream(),
                            table.once().stream()
                                    .flatMap(f -> Relations.sources(f.query()).stream()));
            case Dataset.MaterializedView view -> Relations.sources(view.query()).stream();
        };
    }

    private static Stream<TableName> streams(Relation query) {
        return Relations.scans(query).filter(Relation.Scan::streaming).map(Relation.Scan::table);
    }

    /** The batches of a reader; each is closed when the next is asked for. */
    private static final class Batches implements Iterator<Rows> {
        private final DeltaReader reader;
        private @Nullable Rows next;

        Batches(DeltaReader reader) {
            this.reader = reader;
        }

        @Override
        public boolean hasNext() {
            if (next == null) {
                next = reader.next();
            }
            return next != null;
        }

        @Override
        public Rows next() {
            var rows = hasNext() ? next : null;
            if (rows == null) {
                throw new NoSuchElementException();
            }
            next = null;
            return rows;
        }
    }
}
