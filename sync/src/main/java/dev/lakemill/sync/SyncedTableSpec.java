package dev.lakemill.sync;

import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
 * @param timeseriesKey column whose greatest value decides which row of a key shows; empty for the
 *     one that came last
 * @param varchars columns of text that have at most so many characters
 */
public record SyncedTableSpec(
        TableName name,
        TableName source,
        TableSchema sourceSchema,
        List<String> primaryKey,
        List<List<String>> indexes,
        String timeseriesKey,
        Map<String, Integer> varchars) {
    private static final int VARCHAR_MAX = 10_485_760;
    private static final Set<DataType.Primitive> ORDERED =
            Set.of(
                    DataType.Primitive.BYTE,
                    DataType.Primitive.SHORT,
                    DataType.Primitive.INTEGER,
                    DataType.Primitive.LONG,
                    DataType.Primitive.DATE,
                    DataType.Primitive.TIMESTAMP,
                    DataType.Primitive.TIMESTAMP_NTZ);
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
        varchars = Map.copyOf(varchars);
        checkTimeseries(name, sourceSchema, timeseriesKey);
        checkVarchars(name, sourceSchema, varchars);
    }

    /** Without a timeseries key, and with the types that are usual. */
    public SyncedTableSpec(
            TableName name,
            TableName source,
            TableSchema sourceSchema,
            List<String> primaryKey,
            List<List<String>> indexes) {
        this(name, source, sourceSchema, primaryKey, indexes, "", Map.of());
    }

    boolean hasTimeseriesKey() {
        return !timeseriesKey.isEmpty();
    }

    private static void checkTimeseries(TableName name, TableSchema schema, String column) {
        if (column.isEmpty()) {
            return;
        }
        checkScalar(name, schema, List.of(column));
        var type = schema.column(schema.indexOf(column).orElseThrow()).type();
        if (!(type instanceof DataType.Primitive primitive && ORDERED.contains(primitive))) {
            throw wrong(
                    name,
                    "column %s is %s and cannot be the timeseries key"
                            .formatted(column, type.sql()),
                    "use a column of whole numbers, dates or timestamps");
        }
    }

    private static void checkVarchars(
            TableName name, TableSchema schema, Map<String, Integer> varchars) {
        varchars.forEach(
                (column, size) -> {
                    checkScalar(name, schema, List.of(column));
                    var type = schema.column(schema.indexOf(column).orElseThrow()).type();
                    if (!type.equals(DataType.Primitive.STRING) || size < 1 || size > VARCHAR_MAX) {
                        throw wrong(
                                name,
                                "column %s is %s and cannot be VARCHAR(%d)"
                                        .formatted(column, type.sql(), size),
                                "override columns of type STRING, with 1 to %d characters"
                                        .formatted(VARCHAR_MAX));
                    }
                });
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
