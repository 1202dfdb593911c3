package dev.lakemill.capture;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.TableSchema;

/** Where captured tables stand in the lake; whoever composes says it. One thread calls it. */
public interface Lake {
    /** What of a state table it is. */
    enum Part {
        HISTORY,
        CURRENT
    }

    /**
     * The Delta table for a part of a state table, made with the schema where it is not there; one
     * that is there keeps its columns, and stays the lake's to close.
     *
     * @param schema of Postgres
     * @param table of Postgres
     */
    DeltaTable open(String schema, String table, Part part, TableSchema columns);

    /** The table that {@link #open} gave has other columns now. */
    void changed(String schema, String table, Part part, TableSchema columns);
}
