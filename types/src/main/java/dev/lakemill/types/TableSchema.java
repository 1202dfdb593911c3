package dev.lakemill.types;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/** The columns of a table, in order; names are unique without regard to case. */
public record TableSchema(List<Column> columns) {
    public TableSchema {
        columns = List.copyOf(columns);
        var seen = new HashSet<String>();
        for (var column : columns) {
            if (!seen.add(column.name().toLowerCase(Locale.ROOT))) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "column '%s' stands twice".formatted(column.name()),
                        "column names differ in more than upper and lower case");
            }
        }
    }

    public static TableSchema of(Column... columns) {
        return new TableSchema(List.of(columns));
    }

    /** The position of a column, found without regard to case. */
    public OptionalInt indexOf(String name) {
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).name().equalsIgnoreCase(name)) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    public Column column(int index) {
        return columns.get(index);
    }

    public int size() {
        return columns.size();
    }
}
