package dev.lakemill.catalog;

import dev.lakemill.types.Column;
import dev.lakemill.types.TableSchema;
import java.util.List;

/** What lies between two schemas of one table, as far as its stored rows care. */
public sealed interface SchemaChange {
    /** Same columns, in the same order; comments may differ. */
    record None() implements SchemaChange {}

    /** Columns that rows stored before read as NULL. */
    record Added(List<Column> columns) implements SchemaChange {}

    /** Rows stored before do not fit. */
    record Incompatible(String reason) implements SchemaChange {}

    /** Compares by name without regard to case; new columns must be nullable and stand last. */
    static SchemaChange between(TableSchema before, TableSchema after) {
        for (var i = 0; i < before.size(); i++) {
            var old = before.column(i);
            if (i >= after.size() || !old.name().equalsIgnoreCase(after.column(i).name())) {
                return new Incompatible(
                        after.indexOf(old.name()).isPresent()
                                ? "column %s moved".formatted(old.name())
                                : "column %s is gone".formatted(old.name()));
            }
            var now = after.column(i);
            if (!now.type().equals(old.type())) {
                return new Incompatible(
                        "column %s was %s and is %s"
                                .formatted(old.name(), old.type().sql(), now.type().sql()));
            }
            if (old.nullable() && !now.nullable()) {
                return new Incompatible("column %s became NOT NULL".formatted(old.name()));
            }
        }
        return added(after.columns().subList(before.size(), after.size()));
    }

    private static SchemaChange added(List<Column> columns) {
        for (var column : columns) {
            if (!column.nullable()) {
                return new Incompatible("the new column %s is NOT NULL".formatted(column.name()));
            }
        }
        return columns.isEmpty() ? new None() : new Added(List.copyOf(columns));
    }
}
