package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.pipeline.TestRows.Row;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline with everything round it, on real Delta tables: a log that never loses a row, feeds,
 * outputs. A process can be started, and left at any moment as a crash leaves it.
 */
final class TestWorld {
    private static final String LOG = "lakemill-log/test";

    final Path folder;
    final Program program;
    PipelineConfig config = PipelineConfig.DEFAULT;
    Instant now = Instant.parse("2026-11-22T10:00:00Z");

    /** How the process reaches disk and Delta. */
    Disk disk = new LocalDisk();

    /** The folder of a version of a model. */
    Function<ModelUse, Path> models =
            use -> {
                throw new IllegalStateException("there is no model " + use);
            };

    /** What {@code ai_query} asks. */
    AskedModels asked = AskedModels.NONE;

    UnaryOperator<OutputTable> outputTables = table -> table;

    /** What every process finds again: rows by position, and how far Delta has them. */
    private final Map<TableName, TreeMap<Long, Row>> log = new TreeMap<>();

    private long lastPosition;
    private @Nullable Incarnation process;

    /** What ends with the process. */
    static final class Incarnation {
        final BufferAllocator allocator = new RootAllocator();
        final Map<TableName, DeltaTable> tables = new HashMap<>();
        final Map<TableName, TableFeed> feeds = new HashMap<>();
        final GroupFeed feed;
        @Nullable PipelineRun run;

        Incarnation(long bufferedBytesMax) {
            feed = new GroupFeed("test", bufferedBytesMax);
        }
    }

    TestWorld(Path folder, Program program) {
        this.folder = folder;
        this.program = program;
        program.sources().forEach(source -> log.put(source.name(), new TreeMap<>()));
    }

    /** Opens tables and feeds; the log hands on again what Delta does not have. */
    Incarnation open() {
        return open(64 << 20);
    }

    Incarnation open(long bufferedBytesMax) {
        var opened = new Incarnation(bufferedBytesMax);
        process = opened;
        for (var source : program.sources()) {
            var table = table(opened, source.name(), source.schema());
            var feed = new TableFeed(source.name(), table, LOG, bufferedBytesMax);
            opened.feeds.put(source.name(), feed);
            publish(opened, source.name(), rows(source.name()).tailMap(feed.position(), false));
        }
        for (var output : program.outputs()) {
            table(opened, output.name(), output.schema());
        }
        return opened;
    }

    /** Has views without a policy of their own kept so, from the next start on. */
    void keepViews(MaintenanceChoice choice) {
        config =
                new PipelineConfig(
                        config.batches(),
                        config.rounds(),
                        config.duck(),
                        new PipelineConfig.Views(choice, Duration.ZERO));
    }

    /** Opens everything and recovers the pipeline. */
    PipelineRun start() {
        var opened = open();
        var run = new PipelineRun(program, config, parts());
        opened.run = run;
        run.load(
                () -> {
                    throw new IllegalStateException("rows of the log are missing");
                });
        return run;
    }

    PipelineRun.Parts parts() {
        var opened = process();
        var sources = new HashMap<TableName, SourceRows>();
        opened.feeds.forEach((name, feed) -> sources.put(name, SourceRows.of(feed)));
        var outputs = new HashMap<TableName, OutputTable>();
        for (var output : program.outputs()) {
            var table = opened.tables.get(output.name());
            if (table != null) {
                var delta = new DeltaOutput(table, DeltaOutput.application(program.name()));
                outputs.put(output.name(), outputTables.apply(delta));
            }
        }
        return new PipelineRun.Parts(
                sources,
                outputs,
                opened.feed,
                models,
                asked,
                folder.resolve("pipeline"),
                disk,
                opened.allocator,
                () -> now);
    }

    /** Rows come in and are in the log; a process that runs sees them. */
    void send(String source, Row... rows) {
        send(TableName.parse(source), List.of(rows));
    }

    void send(TableName source, List<Row> rows) {
        var fresh = new TreeMap<Long, Row>();
        for (var row : rows) {
            lastPosition += 100;
            fresh.put(lastPosition, row);
        }
        rows(source).putAll(fresh);
        if (process != null) {
            publish(process, source, fresh);
        }
    }

    /** Other tables fill the log. */
    void skip(long bytes) {
        lastPosition += bytes;
    }

    /** Bronze gets what it does not have. */
    void land() {
        for (var source : program.sources()) {
            var table = process().tables.get(source.name());
            if (table == null) {
                throw new IllegalStateException("open first");
            }
            var from = table.transaction(LOG).orElse(0);
            var rows = rows(source.name()).tailMap(from, false);
            if (!rows.isEmpty()) {
                try (var batch = batch(process(), source.schema(), rows)) {
                    table.append(
                            List.of(batch.rows()), batch.positions(), new Txn(LOG, rows.lastKey()));
                }
            }
        }
    }

    /** Leaves the process as a kill would: only memory is given back, nothing more is written. */
    void crash() {
        var left = process;
        process = null;
        if (left != null && left.run != null) {
            left.run.close();
        }
    }

    /** Ends the process in order; all its memory must have come back. */
    void close() {
        var opened = process();
        if (opened.run != null) {
            opened.run.close();
        }
        opened.feed.close();
        opened.feeds.values().forEach(TableFeed::close);
        opened.tables.values().forEach(DeltaTable::close);
        opened.allocator.close();
        process = null;
    }

    Incarnation process() {
        if (process == null) {
            throw new IllegalStateException("open first");
        }
        return process;
    }

    /** All rows ever sent to a source, by position. */
    NavigableMap<Long, Row> rows(TableName source) {
        var rows = log.get(source);
        if (rows == null) {
            throw new IllegalArgumentException(source + " is no source");
        }
        return rows;
    }

    /** Runs batches until nothing waits, then a round. */
    void settle() {
        var run = run();
        PipelineRun.Advance advance;
        do {
            advance = run.advance(false);
        } while (advance instanceof PipelineRun.Advance.Ran);
        if (!(advance instanceof PipelineRun.Advance.Idle)) {
            throw new AssertionError(advance.toString());
        }
        round();
    }

    /** Takes over another world's log. */
    void resume(TestWorld other) {
        log.putAll(other.log);
        lastPosition = other.lastPosition;
    }

    /** A whole commit round. */
    void round() {
        var round = run().beginRound();
        if (round != null) {
            run().finishRound(round, round.run());
        }
    }

    PipelineRun run() {
        var run = process().run;
        if (run == null) {
            throw new IllegalStateException("start first");
        }
        return run;
    }

    /** The rows of an output in Delta, in order. */
    List<String> inDelta(String output) {
        var table = process().tables.get(TableName.parse(output));
        if (table == null) {
            throw new IllegalArgumentException(output + " is no output");
        }
        return texts(table.snapshot());
    }

    Path location(String table) {
        return folder.resolve("tables").resolve(table);
    }

    static List<String> texts(DeltaSnapshot snapshot) {
        var texts = new ArrayList<String>();
        try (var reader = snapshot.read(List.of())) {
            for (var rows = reader.next(); rows != null; rows = reader.next()) {
                try (var batch = rows) {
                    texts.addAll(TestRows.texts(batch));
                }
            }
        }
        return texts;
    }

    private DeltaTable table(Incarnation opened, TableName name, TableSchema schema) {
        var location = location(name.toString());
        var clock = Clock.systemUTC();
        var table =
                DeltaTable.exists(location)
                        ? DeltaTable.open(location, DeltaConfig.DEFAULT, opened.allocator, clock)
                        : DeltaTable.create(
                                location, schema, DeltaConfig.DEFAULT, opened.allocator, clock);
        opened.tables.put(name, table);
        return table;
    }

    private void publish(Incarnation opened, TableName source, Map<Long, Row> rows) {
        var feed = opened.feeds.get(source);
        if (feed == null || rows.isEmpty()) {
            return;
        }
        var schema =
                program.sources().stream()
                        .filter(s -> s.name().equals(source))
                        .findFirst()
                        .orElseThrow()
                        .schema();
        try (var batch = batch(opened, schema, rows)) {
            feed.publish(batch);
        }
    }

    private static TableBatch batch(Incarnation opened, TableSchema schema, Map<Long, Row> rows) {
        var positions = rows.keySet().stream().mapToLong(Long::longValue).toArray();
        var values = TestRows.rows(opened.allocator, schema, List.copyOf(rows.values()));
        return new TableBatch(values, positions, positions[positions.length - 1]);
    }
}
