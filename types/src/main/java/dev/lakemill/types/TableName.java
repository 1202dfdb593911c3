package dev.lakemill.types;

import java.util.regex.Pattern;

/**
 * The full name of a table: {@code catalog.schema.table}.
 *
 * <p>Each part holds ASCII letters, digits and underscores, does not start with a digit, and has at
 * most 255 characters.
 */
public record TableName(String catalog, String schema, String table)
        implements Comparable<TableName> {
    private static final Pattern PART = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,254}");

    public TableName {
        check(catalog, catalog, schema, table);
        check(schema, catalog, schema, table);
        check(table, catalog, schema, table);
    }

    /** Reads {@code catalog.schema.table}; back-ticks round a part are dropped. */
    public static TableName parse(String text) {
        var parts = text.replace("`", "").split("\\.", -1);
        if (parts.length != 3) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is not a table name".formatted(text),
                    "write catalog.schema.table, for example farm.bronze.demand_events");
        }
        return new TableName(parts[0], parts[1], parts[2]);
    }

    @Override
    public String toString() {
        return catalog + "." + schema + "." + table;
    }

    @Override
    public int compareTo(TableName other) {
        return toString().compareTo(other.toString());
    }

    private static void check(String part, String catalog, String schema, String table) {
        if (!PART.matcher(part).matches()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' in the table name '%s.%s.%s' is not a legal part"
                            .formatted(part, catalog, schema, table),
                    "use ASCII letters, digits and underscores, at most 255, no digit first");
        }
    }
}
