package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Fills an empty engine with the state of a checkpoint: outputs from Delta, sources from feeds. */
final class StateLoader {
    private static final int READ_ROWS = 65_536;

    private final Program program;
    private final Engine engine;
    private final Map<TableName, OutputTable> outputs;
    private final Checkpoint base;

    StateLoader(
            Program program, Engine engine, Map<TableName, OutputTable> outputs, Checkpoint base) {
        this.program = program;
        this.engine = engine;
        this.outputs = outputs;
        this.base = base;
    }

    /**
     * Refuses a plan that cannot go on where the checkpoint stands.
     *
     * @throws LakemillException FAILED_PRECONDITION, saying which table is in the way
     */
    static void check(Program program, Map<TableName, OutputTable> outputs, Checkpoint base) {
        for (var output : program.outputs()) {
            var table = outputs.get(output.name());
            if (table == null) {
                throw new IllegalArgumentException("no table for " + output.name());
            }
            var actual = types(table.snapshot().schema());
            if (!actual.equals(types(output.schema()))) {
                throw refused(
                        "%s has the columns %s, but the pipeline gives %s"
                                .formatted(output.name(), actual, types(output.schema())));
            }
        }
        if (base.number() == 0) {
            return;
        }
        for (var stream : program.streams()) {
            var count = base.counts().get(stream.name());
            if (count == null) {
                throw refused(
                        "the streaming table %s is new in a pipeline that has run before; the rows"
                                        .formatted(stream.name())
                                + " before it would be missing in it");
            }
            var table = outputs.get(stream.name());
            if (count.kept() > 0 && (table == null || table.committed().isEmpty())) {
                throw refused(
                        "the rows of the streaming table %s are gone".formatted(stream.name()));
            }
        }
    }

    /**
     * @param awaitInput called when rows of a source are not there yet; returns when there may be
     *     some
     */
    void load(Map<TableName, SourceRows> sources, Runnable awaitInput) {
        if (base.number() == 0) {
            return;
        }
        engine.now(base.now());
        for (var stream : program.streams()) {
            loadKeys(stream);
        }
        for (var table : program.appended()) {
            var kept = program.columnsKept(table);
            var output = outputs.get(table.name());
            if (!kept.isEmpty() && output != null) {
                load(table.name(), part(table.schema(), kept), kept);
            } else if (!kept.isEmpty()) {
                loadSource(table, sources, awaitInput);
            }
        }
        for (var view : program.views()) {
            load(view.name(), view.schema(), List.of());
        }
    }

    private void loadKeys(Step.Stream stream) {
        var columns = Program.keyColumns(stream);
        if (!columns.isEmpty()) {
            try (var reader = content(stream.name()).read(columns)) {
                engine.loadKeys(stream, part(stream.schema(), columns), reader::next);
            }
        }
    }

    private void load(TableName table, TableSchema schema, List<String> columns) {
        try (var reader = content(table).read(columns)) {
            engine.load(table, schema, reader::next);
        }
    }

    private DeltaSnapshot content(TableName table) {
        var output = outputs.get(table);
        if (output == null) {
            throw new IllegalArgumentException("no table for " + table);
        }
        return output.snapshotAt(base.number());
    }

    private void loadSource(
            Program.Appended table, Map<TableName, SourceRows> sources, Runnable awaitInput) {
        var rows = sources.get(table.name());
        var to = base.sources().getOrDefault(table.name(), 0L);
        if (rows == null) {
            throw new IllegalArgumentException("no rows for " + table.name());
        }
        try (var reader = rows.reader(0)) {
            while (reader.position() < to) {
                try (var batch = reader.poll(to, READ_ROWS)) {
                    if (batch == null) {
                        awaitInput.run();
                    } else {
                        var next = new ArrayList<Rows>(List.of(batch.rows().retain()));
                        engine.load(
                                table.name(),
                                table.schema(),
                                () -> next.isEmpty() ? null : next.removeLast());
                    }
                }
            }
        }
    }

    private static TableSchema part(TableSchema schema, List<String> columns) {
        return new TableSchema(
                columns.stream()
                        .map(column -> schema.column(schema.indexOf(column).orElseThrow()))
                        .toList());
    }

    private static List<String> types(TableSchema schema) {
        return schema.columns().stream()
                .map(column -> column.name() + " " + column.type().sql())
                .toList();
    }

    private static LakemillException refused(String problem) {
        return new LakemillException(ErrorCode.FAILED_PRECONDITION, problem, Recovery.REBUILD);
    }
}
