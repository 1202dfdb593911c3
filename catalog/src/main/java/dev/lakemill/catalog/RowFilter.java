package dev.lakemill.catalog;

import dev.lakemill.types.TableName;
import java.util.List;

/**
 * Shows of a table only the rows for which a function of these columns is true.
 *
 * @param function full name of a BOOLEAN function
 */
public record RowFilter(TableName table, String function, List<String> columns) {
    public RowFilter {
        columns = List.copyOf(columns);
    }
}
