package dev.lakemill.sync;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;
import java.util.function.Function;

/**
 * Synced tables that change together, each a copy of a Delta table.
 *
 * @param group its name, no pipeline's
 * @param tables those of the group; at least one
 */
public record SourcePlan(String group, SyncMode mode, List<Member> tables) {
    /**
     * One of them.
     *
     * @param spec says what the table is to be, given the source's columns
     */
    public record Member(
            TableName name, SyncSource source, Function<TableSchema, SyncedTableSpec> spec) {}

    public SourcePlan {
        tables = List.copyOf(tables);
    }
}
