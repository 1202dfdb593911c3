package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.stream.Collectors;

/** The table that holds a view's rows, and how changes come into it. */
final class ViewContent {
    /** Fewer changes than a view of so many times the rows go into its table one by one. */
    private static final int REPLACE_SHARE = 4;

    /** A table of so many rows is written anew sooner than the rows that go are found in it. */
    private static final int REPLACE_ROWS = 1_000;

    private static final int EXPECTED_CHANGES = 1000;

    private final Step.View view;
    private final String table;
    private final String columns;
    private final String changes;
    private final TableSchema weighted;

    ViewContent(Step.View view) {
        this.view = view;
        this.table = Engine.whole(view.name());
        this.columns = Checks.columns(view.schema());
        this.changes = quoted(view.name() + " changes");
        var all = new ArrayList<>(view.schema().columns());
        all.add(Column.required(ViewMaintenance.WEIGHT, Primitive.LONG));
        this.weighted = new TableSchema(all);
    }

    /** The quoted name of the table. */
    String table() {
        return table;
    }

    /**
     * The changes, not kept in a table; the caller's to close.
     *
     * @param select SQL that gives the view's columns and the weight
     */
    ViewChanges changed(DuckSession duck, String select) {
        return new ViewChanges(rows(duck, select), changes, false);
    }

    /** As {@link #changed}, kept in a table, and counted. */
    long keep(DuckSession duck, String select) {
        return duck.refill(changes, select);
    }

    /** What {@link #keep} kept; the caller's to close. */
    ViewChanges kept(DuckSession duck) {
        return new ViewChanges(rows(duck, "FROM " + changes), changes, true);
    }

    private Rows rows(DuckSession duck, String changed) {
        var sql = "%s ORDER BY %s DESC".formatted(changed, ViewMaintenance.WEIGHT);
        return duck.rows(sql, weighted, EXPECTED_CHANGES);
    }

    /**
     * Brings the table to {@code after}, which differs from it by the kept changes.
     *
     * @param rows of {@code after}
     */
    void become(DuckSession duck, ViewChanges changes, String after, long rows) {
        var changed = changes.rows().count();
        if (view.schema().indexOf("rowid").isPresent()
                || rows <= REPLACE_ROWS
                || (long) changed * REPLACE_SHARE > rows) {
            duck.refill(table, "FROM " + after);
        } else {
            changes.table(duck);
            apply(duck, changed);
        }
    }

    /**
     * Brings the kept changes into the table.
     *
     * @param changed rows of the changes
     */
    void apply(DuckSession duck, long changed) {
        var gone = duck.deleted(deletion());
        if (gone < changed) {
            duck.repeat(
                    "INSERT INTO %s SELECT %s FROM %s WHERE %s > 0"
                            .formatted(table, columns, changes, ViewMaintenance.WEIGHT));
        }
    }

    /** Of equal rows as many go as the changes say, whichever. */
    private String deletion() {
        var same =
                view.schema().columns().stream()
                        .map(c -> "v.%1$s IS NOT DISTINCT FROM d.%1$s".formatted(quoted(c.name())))
                        .collect(Collectors.joining(" AND "));
        return """
        DELETE FROM %1$s WHERE rowid IN (
          SELECT id FROM (
            SELECT v.rowid AS id, d._lakemill_gone AS gone,
              row_number() OVER (PARTITION BY %4$s) AS place
            FROM %1$s AS v JOIN (
              SELECT %2$s, count(*) AS _lakemill_gone FROM %3$s WHERE %5$s < 0
              GROUP BY ALL) AS d ON %6$s)
          WHERE place <= gone)"""
                .formatted(
                        table,
                        columns,
                        changes,
                        view.schema().columns().stream()
                                .map(c -> "v." + quoted(c.name()))
                                .collect(Collectors.joining(", ")),
                        ViewMaintenance.WEIGHT,
                        same);
    }
}
