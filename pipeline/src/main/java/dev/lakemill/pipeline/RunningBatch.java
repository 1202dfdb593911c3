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
    private static final String RUNNING = quoted("running batch");

    /** Of a view. */
    private static final int EXPECTED_CHANGES = 1000;

    /** SQL of the batch's number. */
    private static final String NUMBER = "(SELECT number FROM " + RUNNING + ")";

    private final Engine engine;
    private final DuckSession duck;
    private final BatchInput input;

    /** SQL of the new rows of tables that grew in this batch, {@link Checks#ROW} included. */
    private final Map<TableName, String> fresh = new HashMap<>();

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
        duck.execute(
                "CREATE OR REPLACE TEMP TABLE %s AS SELECT %d::BIGINT AS number"
                        .formatted(RUNNING, input.number()));
        for (var step : engine.program().steps()) {
            running = step.name().toString();
            switch (step) {
                case Step.Source source -> take(source);
                case Step.Stream stream -> advance(stream);
                case Step.View view -> refresh(view);
            }
        }
        return new BatchOutcome.Done(changes, counts);
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
        return fresh.getOrDefault(table, Engine.none(table));
    }

    @Override
    public String whole(TableName table) {
        return Engine.whole(table);
    }

    @Override
    public Optional<String> changes(TableName table) {
        var rows = fresh.get(table);
        if (rows != null) {
            return Optional.of(
                    "(SELECT * EXCLUDE (%s), 1 AS %s FROM %s)"
                            .formatted(Checks.ROW, ViewMaintenance.WEIGHT, rows));
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
    }

    private void take(Step.Source source) {
        var batches = input.rows().getOrDefault(source.name(), List.of());
        if (batches.isEmpty()) {
            return;
        }
        var table = new Program.Appended(source.name(), source.schema());
        var rows = quoted(source.name() + " new");
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
        keep(table, rows);
        counts.put(
                source.name(),
                TableCount.allKept(batches.stream().mapToLong(b -> b.rows().count()).sum()));
    }

    private void advance(Step.Stream stream) {
        var once = stream.once().stream().filter(f -> input.once().contains(f.flow())).toList();
        if (once.isEmpty() && stream.query().streamed().stream().noneMatch(fresh::containsKey)) {
            return;
        }
        var whole = Engine.whole(stream.name());
        var checks =
                new Checks(
                        duck,
                        stream.name(),
                        stream.schema(),
                        stream.rules(),
                        engine.keptKeys(stream));
        var judged = checks.judge(incoming(stream, once), DuckSession.NOW, whole);
        try (var settled = checks.settle(judged, input.number(), input.rowCount(), whole)) {
            counts.put(stream.name(), settled.count());
            append(
                    new Program.Appended(stream.name(), stream.schema()),
                    "(SELECT %s, %s FROM %s WHERE %s)"
                            .formatted(
                                    Checks.ROW,
                                    Checks.columns(stream.schema()),
                                    judged,
                                    Checks.fate(Checks.KEEP)),
                    settled.kept());
            append(
                    new Program.Appended(
                            PipelineOutputs.quarantineOf(stream.name()),
                            PipelineOutputs.quarantineSchema(stream.schema())),
                    "(SELECT %s, %s, %s AS %s, %s AS %s FROM %s WHERE %s)"
                            .formatted(
                                    Checks.ROW,
                                    Checks.columns(stream.schema()),
                                    checks.failedRules(),
                                    PipelineOutputs.FAILED_RULES,
                                    NUMBER,
                                    PipelineOutputs.BATCH,
                                    judged,
                                    Checks.fate(Checks.QUARANTINE)),
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

    private void append(Program.Appended table, String sql, Rows rows) {
        if (rows.count() == 0) {
            return;
        }
        fresh.put(table.name(), sql);
        keep(table, sql);
        changes.put(
                table.name(),
                new Changes(checked(rows.retain()), Rows.empty(table.schema(), duck.allocator())));
    }

    /** Adds what later queries read over all rows of the table. */
    private void keep(Program.Appended table, String rows) {
        var kept = engine.program().columnsKept(table);
        if (!kept.isEmpty()) {
            duck.repeat(
                    "INSERT INTO %s SELECT %s FROM %s ORDER BY %s"
                            .formatted(
                                    Engine.whole(table.name()),
                                    Engine.quotedAll(kept),
                                    rows,
                                    Checks.ROW));
        }
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
                        now,
                        "");
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
