package dev.lakemill.sync;

import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
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
 * @param form what differs from the usual in Postgres
 */
public record SyncedTableSpec(
        TableName name,
        TableName source,
        TableSchema sourceSchema,
        List<String> primaryKey,
        List<List<String>> indexes,
        SyncedTableForm form) {
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
        checkTimeseries(name, sourceSchema, form.timeseriesKey());
        form.types().forEach((column, type) -> checkType(name, sourceSchema, column, type));
        checkExtras(name, sourceSchema, form);
    }

    /** Of the usual form. */
    public SyncedTableSpec(
            TableName name,
            TableName source,
            TableSchema sourceSchema,
            List<String> primaryKey,
            List<List<String>> indexes) {
        this(name, source, sourceSchema, primaryKey, indexes, SyncedTableForm.USUAL);
    }

    boolean hasTimeseriesKey() {
        return !form.timeseriesKey().isEmpty();
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

    private static void checkType(
            TableName name, TableSchema schema, String column, TypeOverride override) {
        var position = schema.indexOf(column);
        if (position.isEmpty()) {
            throw wrong(name, "its source has no column " + column, override.rule());
        }
        var type = schema.column(position.getAsInt()).type();
        if (!override.fits(type)) {
            throw wrong(
                    name,
                    "column %s is %s and cannot be %s(%d)"
                            .formatted(column, type.sql(), override.kind(), override.size()),
                    override.rule());
        }
    }

    private static void checkExtras(TableName name, TableSchema schema, SyncedTableForm form) {
        var known = new HashSet<String>();
        schema.columns().forEach(column -> known.add(column.name()));
        for (var column : form.extraColumns()) {
            checkColumnName(name, column.name());
            if (!known.add(column.name())) {
                throw wrong(
                        name,
                        "there are two columns " + column.name(),
                        "give the extra column a name that the source does not have");
            }
            checkText(name, "the type of column " + column.name(), column.type());
            checkText(name, "what computes column " + column.name(), column.compute());
        }
        var indexes = new HashSet<String>();
        for (var index : form.extraIndexes()) {
            checkLength(name, index.name());
            if (!indexes.add(index.name()) || TargetSql.isIndexName(index.name())) {
                throw wrong(
                        name,
                        "the name of the extra index %s is taken".formatted(index.name()),
                        "name each extra index once");
            }
            checkText(name, "the definition of index " + index.name(), index.definition());
        }
    }

    private static void checkText(TableName name, String what, String text) {
        var problem = SqlFragment.problem(text);
        if (!problem.isEmpty()) {
            throw wrong(name, what + " " + problem, "write one expression of Postgres");
        }
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
        schema.columns().forEach(column -> checkColumnName(name, column.name()));
    }

    private static void checkColumnName(TableName name, String column) {
        checkLength(name, column);
        if (SYSTEM_COLUMNS.contains(column)) {
            throw wrong(
                    name,
                    "Postgres reserves the column name " + column,
                    "rename the column in the source's query");
        }
    }

    /** The columns that Postgres can have by their names. */
    static TableSchema nameable(TableSchema columns) {
        return new TableSchema(
                columns.columns().stream()
                        .filter(c -> !isTooLong(c.name()) && !SYSTEM_COLUMNS.contains(c.name()))
                        .toList());
    }

    private static boolean isTooLong(String identifier) {
        return identifier.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX;
    }

    private static void checkLength(TableName name, String identifier) {
        if (isTooLong(identifier)) {
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
