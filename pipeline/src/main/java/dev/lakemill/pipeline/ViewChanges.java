package dev.lakemill.pipeline;

import dev.lakemill.types.Rows;
import java.util.List;

/**
 * The changed rows of a view in the running batch, once for Delta and Postgres and, if a view that
 * reads it asks, in a table.
 */
final class ViewChanges implements AutoCloseable {
    private final Rows rows;
    private final String table;
    private boolean kept;

    /**
     * @param rows the view's columns and {@link ViewMaintenance#WEIGHT}, a row as often as it came
     *     or went, those that came first; closed with this
     * @param table quoted name of the table for them
     * @param kept whether they stand in the table
     */
    ViewChanges(Rows rows, String table, boolean kept) {
        this.rows = rows;
        this.table = table;
        this.kept = kept;
    }

    Rows rows() {
        return rows;
    }

    /** The quoted name of a table of the rows, which stand there until the next batch. */
    String table(DuckSession duck) {
        if (!kept) {
            duck.refill(
                    table, rows.schema(), List.of(rows), "SELECT * FROM " + DuckSession.INCOMING);
            kept = true;
        }
        return table;
    }

    @Override
    public void close() {
        rows.close();
    }
}
