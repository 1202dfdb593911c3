package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.types.DataType;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;

/** The table that holds a view's rows, and how changes come into it. */
final class ViewContent {
    /** Fewer changes than a view of so many times the rows go into its table one by one. */
    private static final int REPLACE_SHARE = 4;

    /** A table of so many rows is written anew sooner than the rows that go are found in it. */
    private static final int REPLACE_ROWS = 10_000;

    private final Step.View view;
    private final StateTable table;
    private final String columns;
    private final String changes;

    ViewContent(Step.View view) {
        this.view = view;
        this.table = new StateTable(Engine.whole(view.name()));
        this.columns = Checks.columns(view.schema());
        this.changes = changes(view.name());
    }

    /** The quoted name of the table. */
    String table() {
        return table.name();
    }

    /** The quoted name of the table of the last changes. */
    String changes() {
        return changes;
    }

    /** The same, of any view. */
    static String changes(TableName view) {
        return quoted(view + " changes");
    }

    /** Fills the table with the result of a query; the number of its rows. */
    long replace(DuckSession duck, String query) {
        return table.replace(duck, query);
    }

    /**
     * Keeps the changes for those who read the view, and counts them.
     *
     * @param select SQL that gives the view's columns and the weight
     */
    long keep(DuckSession duck, String select) {
        return duck.written("CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(changes, select));
    }

    /**
     * Brings the table to {@code after}, which differs from it by the kept changes: zeros of both
     * signs are different there.
     *
     * @param changed rows of the changes
     * @param rows of {@code after}
     */
    void become(DuckSession duck, long changed, String after, long rows) {
        if (view.schema().indexOf("rowid").isPresent()
                || rows <= REPLACE_ROWS
                || changed * REPLACE_SHARE > rows) {
            table.replace(duck, "FROM " + after);
        } else {
            apply(duck, changed, MaintenanceSql::exactly);
        }
    }

    /**
     * Brings the kept changes into the table.
     *
     * @param changed rows of the changes
     */
    void apply(DuckSession duck, long changed) {
        apply(duck, changed, (column, _) -> List.of(column));
    }

    private void apply(DuckSession duck, long changed, Identity identity) {
        var came =
                duck.count(
                        "SELECT count(*) FROM %s WHERE %s > 0"
                                .formatted(changes, ViewMaintenance.WEIGHT));
        if (came < changed) {
            duck.repeat(deletion(identity));
            table.gone(duck, changed - came);
        }
        if (came > 0) {
            duck.repeat(
                    "INSERT INTO %s SELECT %s FROM %s WHERE %s > 0"
                            .formatted(table.name(), columns, changes, ViewMaintenance.WEIGHT));
        }
    }

    /** SQL of what equal rows share in a column. */
    private interface Identity {
        List<String> of(String column, DataType type);
    }

    /** Of equal rows as many go as the changes say, whichever. */
    private String deletion(Identity identity) {
        var old = identity("v.", identity);
        var gone = identity("d.", identity);
        var same = new ArrayList<String>();
        for (int i = 0; i < old.size(); i++) {
            same.add("%s IS NOT DISTINCT FROM %s".formatted(old.get(i), gone.get(i)));
        }
        return """
        DELETE FROM %1$s WHERE rowid IN (
          SELECT id FROM (
            SELECT v.rowid AS id, d._lakemill_gone AS gone,
              row_number() OVER (PARTITION BY %4$s) AS place
            FROM %1$s AS v JOIN (
              SELECT %2$s, count(*) AS _lakemill_gone FROM %3$s WHERE %5$s < 0
              GROUP BY %7$s) AS d ON %6$s)
          WHERE place <= gone)"""
                .formatted(
                        table.name(),
                        columns,
                        changes,
                        String.join(", ", old),
                        ViewMaintenance.WEIGHT,
                        String.join(" AND ", same),
                        String.join(", ", identity("", identity)));
    }

    private List<String> identity(String of, Identity identity) {
        return view.schema().columns().stream()
                .flatMap(c -> identity.of(of + quoted(c.name()), c.type()).stream())
                .toList();
    }
}
