package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.feed.Changes;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.vector.BigIntVector;

/**
 * One batch inside its transaction: the steps of the program, in order, each seeing what the steps
 * before it did in this batch.
 */
final class RunningBatch implements AutoCloseable, ViewMaintenance.Inputs {
    /** Of a view. */
    private static final int EXPECTED_CHANGES = 1000;

    private final Engine engine;
    private final DuckSession duck;
    private final BatchInput input;

    /** SQL names of the new rows, {@link Checks#ROW} included, that DuckDB has of this batch. */
    private final Map<TableName, String> fresh = new HashMap<>();

    /** The new rows of streaming tables, {@link Checks#ordered}. */
    private final Map<TableName, Rows> grown = new HashMap<>();

    /** SQL names of the changes of views that changed in this batch and are read as a table. */
    private final Map<TableName, String> viewChanges = new HashMap<>();

    private final Map<TableName, Changes> changes = new LinkedHashMap<>();
    private final Map<TableName, TableCount> counts = new LinkedHashMap<>();

    /** For messages. */
    private String running = "";

    RunningBatch(Engine engine, DuckSession duck, BatchInput input) {
        this.engine = engine;
        this.duck = duck;
        this.input = input;
    }

    BatchOutcome.Done run() {
        for (var step : engine.program().steps()) {
            running = step.name().toString();
            switch (step) {
                case Step.Source source -> take(source);
                case Step.Stream stream -> advance(stream);
                case Step.View view -> refresh(view);
            }
        }
        forgetGrown();
        return new BatchOutcome.Done(changes, counts);
    }

    private void forgetGrown() {
        grown.values().forEach(Rows::close);
        grown.clear();
    }

    /** Holds a view against its query; the transaction is to be rolled back. */
    ViewAudit audit(Step.View view) {
        running = view.name().toString();
        var query = judged(view, Engine.literal(input.now()));
        return new Audit(duck, view, whole(view.name()), query).run();
    }

    BatchOutcome.Rejected rejected(DuckException e) {
        return new BatchOutcome.Rejected(
                running + ": " + e.problem(),
                e.kind() == DuckException.Kind.VALUE
                        ? "a value of this batch cannot be computed with; mend the data or the"
                                + " query (for example with try_cast), then start the pipeline again"
                        : "report this as a defect, with the pipeline's text");
    }

    @Override
    public String fresh(TableName table) {
        var rows = grown.get(table);
        return rows == null
                ? fresh.getOrDefault(table, Engine.none(table))
                : fresh.computeIfAbsent(table, _ -> written(table, rows));
    }

    /** Makes a table of the new rows of a streaming table; its SQL name. */
    private String written(TableName table, Rows rows) {
        var name = newRows(table);
        duck.load(
                rows.schema(),
                List.of(rows),
                "CREATE OR REPLACE TEMP TABLE %s AS SELECT * FROM %s"
                        .formatted(name, DuckSession.INCOMING));
        return name;
    }

    @Override
    public String whole(TableName table) {
        return Engine.whole(table);
    }

    @Override
    public Optional<String> changes(TableName table) {
        if (fresh.containsKey(table) || grown.containsKey(table)) {
            return Optional.of(
                    "(SELECT * EXCLUDE (%s), 1 AS %s FROM %s)"
                            .formatted(Checks.ROW, ViewMaintenance.WEIGHT, fresh(table)));
        }
        var changed = changes.get(table);
        return changed == null
                ? Optional.empty()
                : Optional.of(viewChanges.computeIfAbsent(table, _ -> written(table, changed)));
    }

    /** Makes a table of a view's changes; its SQL name. */
    private String written(TableName view, Changes changed) {
        var table = ViewContent.changes(view);
        var sql = "%s SELECT *, %d::BIGINT AS %s FROM " + DuckSession.INCOMING;
        var schema = changed.inserted().schema();
        duck.load(
                schema,
                List.of(changed.inserted()),
                sql.formatted(
                        "CREATE OR REPLACE TEMP TABLE %s AS".formatted(table),
                        1,
                        ViewMaintenance.WEIGHT));
        duck.load(
                schema,
                List.of(changed.deleted()),
                sql.formatted("INSERT INTO " + table, -1, ViewMaintenance.WEIGHT));
        return table;
    }

    /** Frees the rows of a batch that does not stand. */
    @Override
    public void close() {
        changes.values().forEach(Changes::close);
        changes.clear();
        forgetGrown();
    }

    private void take(Step.Source source) {
        var batches = input.rows().getOrDefault(source.name(), List.of());
        if (batches.isEmpty()) {
            return;
        }
        var table = new Program.Appended(source.name(), source.schema());
        var count = batches.stream().mapToLong(b -> b.rows().count()).sum();
        counts.put(source.name(), TableCount.allKept(count));
        var kept = engine.program().columnsKept(table);
        if (kept.isEmpty() && !engine.program().isStreamed(source.name())) {
            return; // No query reads the table.
        }
        var rows = newRows(source.name());
        duck.load(
                source.schema(),
                batches.stream().map(TableBatch::rows).toList(),
                "CREATE OR REPLACE TEMP TABLE %s AS SELECT row_number() OVER () AS %s, %s FROM %s"
                        .formatted(
                                rows,
                                Checks.ROW,
                                Checks.columns(source.schema()),
                                DuckSession.INCOMING));
        fresh.put(source.name(), rows);
        if (!kept.isEmpty()) {
            duck.repeat(
                    "INSERT INTO %s SELECT %s FROM %s ORDER BY %s"
                            .formatted(
                                    Engine.whole(source.name()),
                                    Engine.quotedAll(kept),
                                    rows,
                                    Checks.ROW));
            engine.upkeep().added(source.name(), count);
        }
    }

    private static String newRows(TableName table) {
        return quoted(table + " new");
    }

    private void advance(Step.Stream stream) {
        var once = stream.once().stream().filter(f -> input.once().contains(f.flow())).toList();
        if (once.isEmpty() && stream.query().streamed().stream().noneMatch(this::changed)) {
            return;
        }
        var checks =
                new Checks(
                        duck,
                        stream.name(),
                        stream.schema(),
                        stream.rules(),
                        engine.keptKeys(stream));
        try (var settled =
                checks.settle(
                        incoming(stream, once),
                        DuckSession.NOW,
                        input.number(),
                        input.rowCount(),
                        Engine.keys(stream.name()))) {
            counts.put(stream.name(), settled.count());
            append(new Program.Appended(stream.name(), stream.schema()), settled.kept());
            hold(stream.name(), Engine.keys(stream.name()), Program.keyColumns(stream));
            append(
                    new Program.Appended(
                            PipelineOutputs.quarantineOf(stream.name()),
                            PipelineOutputs.quarantineSchema(stream.schema())),
                    settled.quarantined());
        }
    }

    /** The rows of all flows; those of flows that run once stand before all others. */
    private String incoming(Step.Stream stream, List<Step.Once> once) {
        var sql = stream.query().sql(this, DuckSession.NOW);
        if (once.isEmpty()) {
            return sql;
        }
        var columns = Checks.columns(stream.schema());
        var all = new StringBuilder();
        for (var flow : once) {
            all.append(
                    "SELECT row_number() OVER () - 1000000000000 AS %s, %s FROM (%s) UNION ALL "
                            .formatted(
                                    Checks.ROW, columns, flow.query().sql(this, DuckSession.NOW)));
        }
        return all.append("SELECT %s, %s FROM (%s)".formatted(Checks.ROW, columns, sql)).toString();
    }

    /**
     * New rows of a streaming table go on, and what later queries read over all its rows is kept.
     *
     * @param rows of the table's {@link Checks#ordered} columns, in their order
     */
    private void append(Program.Appended table, Rows rows) {
        if (rows.count() == 0) {
            return;
        }
        var schema = table.schema();
        var content = checked(Checks.firstColumns(rows, 0, rows.count(), schema));
        changes.put(table.name(), new Changes(content, Rows.empty(schema, duck.allocator())));
        grown.put(table.name(), rows.retain());
        hold(table.name(), Engine.whole(table.name()), engine.program().columnsKept(table));
    }

    /** Adds some columns of the rows that came into a table to a table of the engine. */
    private void hold(TableName table, String into, List<String> columns) {
        var change = changes.get(table);
        if (change == null || columns.isEmpty()) {
            return;
        }
        duck.load(
                change.inserted().schema(),
                List.of(change.inserted()),
                "INSERT INTO %s SELECT %s FROM %s"
                        .formatted(into, Engine.quotedAll(columns), DuckSession.INCOMING));
        engine.upkeep().added(table, change.inserted().count());
    }

    private void refresh(Step.View view) {
        var changed =
                view.query().usesNow()
                        || (input.answers() && view.query().asks())
                        || view.query().columnsRead().keySet().stream().anyMatch(this::changed);
        if (!engine.turns().isDue(view, changed, input.everything(), engine.now(), input.now())) {
            if (changed) {
                engine.maintenance(view.name())
                        .defer(new ViewMaintenance.Refresh(duck, "", this, false));
            }
            return;
        }
        if (view.query().asks()) {
            engine.answers().begin();
        }
        engine.maintenance(view.name())
                .refresh(
                        new ViewMaintenance.Refresh(
                                duck, judged(view, DuckSession.NOW), this, input.everything()))
                .ifPresent(change -> changes.put(view.name(), taken(view, change)));
        if (view.query().asks()) {
            engine.answers().end(view.name(), input.number());
        }
    }

    private Changes taken(Step.View view, ViewChange change) {
        return switch (change) {
            case ViewChange.InTable in -> read(view, in.table());
            case ViewChange.InRows in -> {
                try {
                    checked(in.changes().inserted());
                } catch (RowRejected e) {
                    in.changes().deleted().close();
                    throw e;
                }
                yield in.changes();
            }
        };
    }

    private Changes read(Step.View view, String changed) {
        var columns = new ArrayList<>(view.schema().columns());
        columns.add(Column.required(ViewMaintenance.WEIGHT, Primitive.LONG));
        var sql = "FROM %s ORDER BY %s DESC".formatted(changed, ViewMaintenance.WEIGHT);
        try (var rows = duck.rows(sql, new TableSchema(columns), EXPECTED_CHANGES)) {
            viewChanges.put(view.name(), changed);
            return changes(view, rows);
        }
    }

    private Changes changes(Step.View view, Rows weighted) {
        var weights = (BigIntVector) weighted.vector(view.schema().size());
        int came = 0;
        while (came < weighted.count() && weights.get(came) > 0) {
            came++;
        }
        var went = weighted.count() - came;
        var inserted = checked(Checks.firstColumns(weighted, 0, came, view.schema()));
        return new Changes(inserted, Checks.firstColumns(weighted, came, went, view.schema()));
    }

    private boolean changed(TableName table) {
        return fresh.containsKey(table) || changes.containsKey(table);
    }

    /** The view's query with its expectations applied: failing rows counted, dropped or fatal. */
    private String judged(Step.View view, String now) {
        var query = view.query().sql(this, now);
        if (view.rules().isEmpty()) {
            return "SELECT %s FROM (%s) AS q".formatted(Checks.columns(view.schema()), query);
        }
        var checks = new Checks(duck, view.name(), view.schema(), view.rules());
        var judged =
                checks.judge(
                        "SELECT 0::BIGINT AS %s, * FROM (%s) AS q".formatted(Checks.ROW, query),
                        now);
        counts.put(view.name(), checks.count(judged));
        return "SELECT %s FROM %s WHERE %s"
                .formatted(Checks.columns(view.schema()), judged, Checks.fate(Checks.KEEP));
    }

    /** Holds rows for Delta and Postgres against NOT NULL. */
    private Rows checked(Rows rows) {
        var schema = rows.schema();
        for (int i = 0; i < schema.size(); i++) {
            if (!schema.column(i).nullable() && rows.vector(i).getNullCount() > 0) {
                rows.close();
                throw new RowRejected(
                        "%s: the column %s is NOT NULL, but a row has no value there"
                                .formatted(running, schema.column(i).name()),
                        "mend the data or the query, or set such rows aside with an expectation"
                                + " ON VIOLATION QUARANTINE; then start the pipeline again");
            }
        }
        return rows;
    }
}
