package dev.lakemill.capture;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.Column;
import dev.lakemill.types.TableSchema;
import java.util.Set;
import java.util.stream.Collectors;

/** Where captured tables stand in the lake; whoever composes says it. One thread calls it. */
public interface Lake {
    /** Columns of a history that its state table does not have. */
    Set<String> METADATA =
            LakeColumns.METADATA.stream().map(Column::name).collect(Collectors.toUnmodifiableSet());

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
