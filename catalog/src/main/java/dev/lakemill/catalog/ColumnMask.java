package dev.lakemill.catalog;

import dev.lakemill.types.TableName;
import java.util.List;

/**
 * Shows instead of a column what a function makes of it.
 *
 * @param function full name of a function of the column and then of {@code usingColumns}, of the
 *     column's type
 */
public record ColumnMask(
        TableName table, String column, String function, List<String> usingColumns) {
    public ColumnMask {
        usingColumns = List.copyOf(usingColumns);
    }
}
