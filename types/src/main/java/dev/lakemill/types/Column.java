package dev.lakemill.types;

import java.util.Objects;

/** A column of a table or a field of a struct. An empty comment means none. */
public record Column(String name, DataType type, boolean nullable, String comment) {
    public Column {
        Objects.requireNonNull(type, "type is null");
        if (name.isEmpty() || name.length() > 255) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is not a column name".formatted(name),
                    "a column name has 1 to 255 characters");
        }
    }

    public static Column nullable(String name, DataType type) {
        return new Column(name, type, true, "");
    }

    public static Column required(String name, DataType type) {
        return new Column(name, type, false, "");
    }
}
