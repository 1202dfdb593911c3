package dev.lakemill.pipeline;

/**
 * A table that batches change. What is deleted stays in DuckDB's memory, so that the table is
 * written anew when more rows are gone than there are.
 */
final class StateTable {
    private static final long GONE_ROWS_MIN = 20_000;

    private final String name;
    private long goneRows;

    StateTable(String name) {
        this.name = name;
    }

    /** The quoted name. */
    String name() {
        return name;
    }

    /** Fills it anew; the number of its rows. */
    long replace(DuckSession duck, String select) {
        goneRows = 0;
        return duck.written("CREATE OR REPLACE TABLE %s AS %s".formatted(name, select));
    }

    /** Notes rows that were deleted, and writes the table anew when it is time. */
    void gone(DuckSession duck, long rows) {
        goneRows += rows;
        if (goneRows > GONE_ROWS_MIN && goneRows > duck.count("SELECT count(*) FROM " + name)) {
            replace(duck, "FROM " + name);
        }
    }
}
