package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckExpressions.text;
import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * SQL of a file's rows in the columns of a table. A value that does not fit its column is NULL
 * there, and stands in the rescued column with those that have no column, as a JSON object, to
 * which the file's path is added.
 */
final class FileSql {
    private final FileSource source;
    private final TableSchema schema;
    private final LocalFile file;

    /** What the file has, in its order; of JSON not known, since each row has its own. */
    private final List<Column> columns;

    private final List<String> names;

    /**
     * @param schema the rescued column last, if there is one
     * @param columns of the file; none for JSON
     */
    FileSql(FileSource source, TableSchema schema, LocalFile file, List<Column> columns) {
        this.source = source;
        this.schema = schema;
        this.file = file;
        this.columns = columns;
        this.names = columns.stream().map(Column::name).toList();
    }

    /** SQL that gives the table's columns. */
    String rows() {
        var columns = schema.columns();
        var data = source.rescued().isEmpty() ? columns : columns.subList(0, columns.size() - 1);
        var typed = new ArrayList<String>();
        var entries = new ArrayList<String>();
        for (int i = 0; i < data.size(); i++) {
            var value = "t" + i;
            var column = data.get(i);
            typed.add("%s AS %s".formatted(typed(column), value));
            entries.add(
                    "CASE WHEN %s AND %s IS NULL THEN %s END"
                            .formatted(isThere(column), value, entry(column)));
        }
        var select = new ArrayList<String>();
        for (int i = 0; i < data.size(); i++) {
            select.add("t%d AS %s".formatted(i, quoted(data.get(i).name())));
        }
        if (!source.rescued().isEmpty()) {
            select.add("%s AS %s".formatted(rescued(data, entries), quoted(source.rescued())));
        }
        return "SELECT %s FROM (SELECT *%s FROM %s)"
                .formatted(
                        String.join(", ", select),
                        typed.stream().map(t -> ", " + t).collect(Collectors.joining()),
                        reader());
    }

    private String reader() {
        return switch (source.format()) {
            case JSON -> json(file);
            case CSV -> csv(file, source, names.size());
            case PARQUET, DELTA -> parquetNumbered(file, names);
        };
    }

    private String typed(Column column) {
        if (source.format() == Format.JSON) {
            return json(column);
        }
        var place = place(column.name());
        if (place < 0) {
            return "CAST(NULL AS %s)".formatted(DuckTypes.name(column.type()));
        }
        return source.format() == Format.CSV
                ? CsvTypes.typed("c" + place, column.type())
                : parquet("c" + place, columns.get(place).type(), column.type());
    }

    /** A value as it is, or as the same value of another type: nothing is rounded or cut off. */
    private static String parquet(String value, DataType from, DataType to) {
        if (from.equals(to)) {
            return cast("CAST", value, to);
        }
        if (from == Primitive.STRING) {
            return CsvTypes.typed("CAST(%s AS VARCHAR)".formatted(value), to);
        }
        var cast = cast("TRY_CAST", value, to);
        var back = from == Primitive.TIMESTAMP ? "TIMESTAMPTZ" : DuckTypes.name(from);
        return "CASE WHEN TRY_CAST(%1$s AS %2$s) IS NOT DISTINCT FROM CAST(%3$s AS %2$s) THEN %1$s END"
                .formatted(cast, back, value);
    }

    private static String cast(String function, String value, DataType type) {
        return type == Primitive.TIMESTAMP
                ? "%s(%s AS TIMESTAMPTZ) AT TIME ZONE 'UTC'".formatted(function, value)
                : "%s(%s AS %s)".formatted(function, value, DuckTypes.name(type));
    }

    private static String json(Column column) {
        var value = member(column);
        var kind = "json_type(%s)".formatted(value);
        var text = "json_extract_string(json, %s)".formatted(pointer(column.name()));
        return switch (column.type()) {
            case Primitive.STRING -> text;
            case Primitive.BINARY ->
                    "CASE WHEN %s = 'VARCHAR' THEN TRY(from_base64(%s)) END".formatted(kind, text);
            case Primitive primitive -> jsonPlain(kind, text, primitive);
            case DataType.Decimal decimal ->
                    "CASE WHEN %s IN ('BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT') THEN %s END"
                            .formatted(kind, CsvTypes.typed(text, decimal));
            case DataType.Array _, DataType.Map _, DataType.Struct _ ->
                    "CASE WHEN %s IN ('OBJECT', 'ARRAY') THEN TRY_CAST(%s AS %s) END"
                            .formatted(kind, value, DuckTypes.name(column.type()));
        };
    }

    private static String jsonPlain(String kind, String text, Primitive type) {
        var kinds =
                switch (type) {
                    case BOOLEAN -> "'BOOLEAN'";
                    case BYTE, SHORT, INTEGER, LONG -> "'BIGINT', 'UBIGINT'";
                    case FLOAT, DOUBLE -> "'BIGINT', 'UBIGINT', 'DOUBLE'";
                    case STRING, BINARY, DATE, TIMESTAMP, TIMESTAMP_NTZ -> "'VARCHAR'";
                };
        return "CASE WHEN %s IN (%s) THEN %s END"
                .formatted(kind, kinds, CsvTypes.typed(text, type));
    }

    private String isThere(Column column) {
        if (source.format() == Format.JSON) {
            return isThere(column.name());
        }
        var place = place(column.name());
        return place < 0 ? "false" : "c%d IS NOT NULL".formatted(place);
    }

    /** SQL of whether a row of JSON has a value of the name. */
    static String isThere(String name) {
        return "coalesce(json_type(json_extract(json, %s)), 'NULL') <> 'NULL'"
                .formatted(pointer(name));
    }

    private String entry(Column column) {
        var place = place(column.name());
        var value =
                source.format() == Format.JSON
                        ? member(column)
                        : place < 0 ? "CAST(NULL AS JSON)" : "to_json(c%d)".formatted(place);
        return "{'k': %s, 'v': %s}".formatted(text(column.name()), value);
    }

    /** SQL of the rescued column. */
    private String rescued(List<Column> data, List<String> misfits) {
        var all = new ArrayList<>(misfits);
        if (source.format() != Format.JSON) {
            for (int i = 0; i < names.size(); i++) {
                if (!has(data, names.get(i))) {
                    all.add(
                            "CASE WHEN c%1$d IS NOT NULL THEN {'k': %2$s, 'v': to_json(c%1$d)} END"
                                    .formatted(i, text(names.get(i))));
                }
            }
        }
        var misfit =
                all.isEmpty()
                        ? "[]"
                        : "list_filter([%s], lambda e: e IS NOT NULL)"
                                .formatted(String.join(", ", all));
        var entries =
                source.format() == Format.JSON
                        ? "list_concat(%s, %s)".formatted(misfit, unknownMembers(data))
                        : misfit;
        return ("CASE WHEN len(%1$s) > 0 THEN CAST(to_json(map_from_entries(list_append(%1$s,"
                        + " {'k': '_file_path', 'v': to_json(%2$s)}))) AS VARCHAR) END")
                .formatted(entries, text(file.found().name()));
    }

    private static String unknownMembers(List<Column> data) {
        var known =
                data.stream().map(c -> text(c.name())).collect(Collectors.joining(", ", "[", "]"));
        var path = "'/' || replace(replace(k, '~', '~0'), '/', '~1')";
        return ("list_transform(list_filter(json_keys(json), lambda k:"
                        + " NOT list_contains(%s::VARCHAR[], k)),"
                        + " lambda k: {'k': k, 'v': json_extract(json, %s)})")
                .formatted(known, path);
    }

    private int place(String column) {
        return IntStream.range(0, names.size())
                .filter(i -> names.get(i).equalsIgnoreCase(column))
                .findFirst()
                .orElse(-1);
    }

    static boolean has(List<Column> columns, String name) {
        return columns.stream().anyMatch(column -> column.name().equalsIgnoreCase(name));
    }

    private static String member(Column column) {
        return "json_extract(json, %s)".formatted(pointer(column.name()));
    }

    private static String pointer(String name) {
        return text("/" + name.replace("~", "~0").replace("/", "~1"));
    }

    private static String json(LocalFile file) {
        return "read_json_objects(%s, format = 'auto')".formatted(literal(file));
    }

    static String parquet(LocalFile file) {
        return "read_parquet(%s)".formatted(literal(file));
    }

    private static String parquetNumbered(LocalFile file, List<String> names) {
        return "(SELECT %s FROM %s)"
                .formatted(
                        IntStream.range(0, names.size())
                                .mapToObj(i -> quoted(names.get(i)) + " AS c" + i)
                                .collect(Collectors.joining(", ")),
                        parquet(file));
    }

    /** The file's texts as columns {@code c0} and so on. */
    static String csv(LocalFile file, FileSource source, int columns) {
        return "read_csv(%s, auto_detect = false, %s, columns = {%s})"
                .formatted(
                        literal(file),
                        csvOptions(source),
                        IntStream.range(0, columns)
                                .mapToObj(i -> "'c%d': 'VARCHAR'".formatted(i))
                                .collect(Collectors.joining(", ")));
    }

    static String csvOptions(FileSource source) {
        var options = source.options();
        var separator = options.getOrDefault("sep", options.getOrDefault("delimiter", ","));
        return "header = %s, delim = %s, quote = %s, escape = %s, nullstr = %s"
                .formatted(
                        hasHeader(source),
                        text(separator.equals("\\t") ? "\t" : separator),
                        text(options.getOrDefault("quote", "\"")),
                        text(options.getOrDefault("escape", options.getOrDefault("quote", "\""))),
                        text(options.getOrDefault("nullvalue", "")));
    }

    static boolean hasHeader(FileSource source) {
        return source.options().getOrDefault("header", "false").equalsIgnoreCase("true");
    }

    static String literal(LocalFile file) {
        return "[" + text(file.path().toString()) + "]";
    }
}
