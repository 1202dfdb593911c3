package dev.lakemill.plan;

import dev.lakemill.types.Column;
import dev.lakemill.types.TableName;
import java.util.List;

/**
 * The columns that files were found to have.
 *
 * @param table that holds the rows of the files
 */
public record FileSchema(TableName table, List<Column> columns) {
    public FileSchema {
        columns = List.copyOf(columns);
    }
}
