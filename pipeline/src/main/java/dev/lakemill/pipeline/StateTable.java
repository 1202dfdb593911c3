package dev.lakemill.pipeline;

/**
 * A table that batches change. What is deleted stays in DuckDB's memory, so that the table is
 * written anew when more rows are gone than there are.
 */
final class StateTable {
    private static final long GONE_ROWS_MIN = 20_000;

    private final String name;
    private long goneRows;

    /** With so many rows gone, those that are there are counted. */
    private long countedAtRows = GONE_ROWS_MIN;

    StateTable(String name) {
        this.name = name;
    }

    /** The quoted name. */
    String name() {
        return name;
    }

    /** Fills it anew; the number of its rows. */
    long replace(DuckSession duck, String select) {
        var rows = duck.written("CREATE OR REPLACE TABLE %s AS %s".formatted(name, select));
        goneRows = 0;
        countedAtRows = Math.max(GONE_ROWS_MIN, rows);
        return rows;
    }

    /** Notes rows that were deleted, and writes the table anew when it is time. */
    void gone(DuckSession duck, long rows) {
        goneRows += rows;
        if (goneRows > countedAtRows) {
            var there = duck.count("SELECT count(*) FROM " + name);
            countedAtRows = Math.max(there, goneRows + GONE_ROWS_MIN);
            if (goneRows > there) {
                replace(duck, "FROM " + name);
            }
        }
    }
}
