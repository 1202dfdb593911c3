package dev.lakemill.sync;

import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A read-only Postgres copy of a pipeline's output.
 *
 * <p>In Postgres it is {@code schema.table} in lower case, so that SQL needs no quotes; its columns
 * keep their names.
 *
 * @param name of the synced table
 * @param source the output that it copies
 * @param sourceSchema the columns of the source, all of which are copied
 * @param primaryKey columns of a type without parts; at least one
 * @param indexes lists of such columns, besides the primary key's index
 */
public record SyncedTableSpec(
        TableName name,
        TableName source,
        TableSchema sourceSchema,
        List<String> primaryKey,
        List<List<String>> indexes) {
    private static final int NAME_BYTES_MAX = 63;
    private static final Set<String> SYSTEM_COLUMNS =
            Set.of("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid");

    /** INVALID_ARGUMENT when Postgres cannot have such a table. */
    public SyncedTableSpec {
        primaryKey = List.copyOf(primaryKey);
        indexes = indexes.stream().map(List::copyOf).toList();
        if (primaryKey.isEmpty()) {
            throw wrong(name, "it has no primary key", "add PRIMARY KEY (column, ...)");
        }
        checkNames(name, sourceSchema);
        checkScalar(name, sourceSchema, primaryKey);
        indexes.forEach(index -> checkScalar(name, sourceSchema, index));
    }

    public String postgresSchema() {
        return name.schema().toLowerCase(Locale.ROOT);
    }

    public String postgresTable() {
        return name.table().toLowerCase(Locale.ROOT);
    }

    /** Positions of the key's columns in the schema, in the key's order. */
    int[] keyColumns() {
        return positions(primaryKey);
    }

    int[] positions(List<String> columns) {
        return columns.stream().mapToInt(c -> sourceSchema.indexOf(c).orElseThrow()).toArray();
    }

    private static void checkNames(TableName name, TableSchema schema) {
        var namespace = name.schema().toLowerCase(Locale.ROOT);
        if (namespace.startsWith("pg_")
                || namespace.equals("information_schema")
                || namespace.equals("lakemill")
                || namespace.startsWith("lakemill_")) {
            throw wrong(name, "the schema " + namespace + " is reserved", "take another schema");
        }
        checkLength(name, namespace);
        checkLength(name, name.table());
        for (var column : schema.columns()) {
            checkLength(name, column.name());
            if (SYSTEM_COLUMNS.contains(column.name())) {
                throw wrong(
                        name,
                        "Postgres reserves the column name " + column.name(),
                        "rename the column in the source's query");
            }
        }
    }

    private static void checkLength(TableName name, String identifier) {
        if (identifier.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
            throw wrong(
                    name,
                    "the name %s is longer than %d bytes".formatted(identifier, NAME_BYTES_MAX),
                    "take a shorter name: Postgres would cut it off");
        }
    }

    private static void checkScalar(TableName name, TableSchema schema, List<String> columns) {
        for (var column : columns) {
            var position = schema.indexOf(column);
            if (position.isEmpty()) {
                throw wrong(
                        name,
                        "its source has no column " + column,
                        "name columns of the source in PRIMARY KEY and INDEX");
            }
            var type = schema.column(position.getAsInt()).type();
            if (!(type instanceof DataType.Primitive || type instanceof DataType.Decimal)) {
                throw wrong(
                        name,
                        "column %s is %s and cannot be a key".formatted(column, type.sql()),
                        "use columns of plain types in PRIMARY KEY and INDEX");
            }
        }
    }

    private static LakemillException wrong(TableName name, String problem, String hint) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT, "synced table %s: %s".formatted(name, problem), hint);
    }
}
