package dev.lakemill.pipeline;

import dev.lakemill.plan.FileSource;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * The columns that files have, as DuckDB finds them, in types that Spark would give them too: times
 * in JSON are STRING, what is now one type and now another is STRING.
 */
final class FileColumns {
    private static final int SAMPLE_ROWS = 100_000;
    private static final String COLUMN = "c";

    private final DuckSession duck;
    private final FileSource source;

    FileColumns(DuckSession duck, FileSource source) {
        this.duck = duck;
        this.source = source;
    }

    /**
     * The columns of one file.
     *
     * @throws DuckException for a file that is none of the format
     */
    List<Column> of(LocalFile file) {
        return switch (source.format()) {
            case JSON -> json(file);
            case PARQUET, DELTA -> parquet(file);
            case CSV -> csv(file);
        };
    }

    private List<Column> json(LocalFile file) {
        var sql =
                ("SELECT * FROM read_json(%s, map_inference_threshold = -1, sample_size = %d)"
                                + " LIMIT 0")
                        .formatted(FileSql.literal(file), SAMPLE_ROWS);
        if (file.isEmpty()) {
            return List.of();
        }
        var fields = duck.columns(sql);
        var empty = empty(file, fields.stream().filter(FileColumns::isText).toList());
        return fields.stream()
                .filter(field -> !empty.contains(field))
                .map(f -> Column.nullable(f.getName(), inferred(withoutTimes(type(f)))))
                .toList();
    }

    /** What is always null looks like a text, too. */
    private static boolean isText(Field field) {
        return type(field) == Primitive.STRING;
    }

    /** Those without any value: nothing is known of them yet. */
    private Set<Field> empty(LocalFile file, List<Field> texts) {
        var empty = new HashSet<Field>();
        if (texts.isEmpty()) {
            return empty;
        }
        var counts =
                duck.numbers(
                        ("SELECT %s FROM (SELECT * FROM"
                                        + " read_json_objects(%s, format = 'auto') LIMIT %d)")
                                .formatted(
                                        texts.stream()
                                                .map(f -> FileSql.isThere(f.getName()))
                                                .map("count(CASE WHEN %s THEN 1 END)"::formatted)
                                                .collect(Collectors.joining(", ")),
                                        FileSql.literal(file),
                                        SAMPLE_ROWS));
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] == 0) {
                empty.add(texts.get(i));
            }
        }
        return empty;
    }

    private List<Column> parquet(LocalFile file) {
        return duck.columns("SELECT * FROM %s LIMIT 0".formatted(FileSql.parquet(file))).stream()
                .map(field -> Column.nullable(field.getName(), type(field)))
                .toList();
    }

    private List<Column> csv(LocalFile file) {
        var names = csvNames(duck, file, source);
        var tests = new ArrayList<String>();
        for (int i = 0; i < names.size(); i++) {
            var text = COLUMN + i;
            for (var type : CsvTypes.INFERRED) {
                tests.add(
                        "count(%s) > 0 AND count(%s) = count(%s)"
                                .formatted(text, CsvTypes.typed(text, type), text));
            }
        }
        if (names.isEmpty() || !source.inferTypes()) {
            return names.stream().map(n -> Column.nullable(n, Primitive.STRING)).toList();
        }
        var found =
                duck.numbers(
                        "SELECT %s FROM (SELECT * FROM %s LIMIT %d)"
                                .formatted(
                                        tests.stream()
                                                .map(test -> "CAST(" + test + " AS INTEGER)")
                                                .collect(Collectors.joining(", ")),
                                        FileSql.csv(file, source, names.size()),
                                        SAMPLE_ROWS));
        var columns = new ArrayList<Column>();
        for (int i = 0; i < names.size(); i++) {
            DataType type = Primitive.STRING;
            for (int t = CsvTypes.INFERRED.size() - 1; t >= 0; t--) {
                type =
                        found[i * CsvTypes.INFERRED.size() + t] == 1
                                ? CsvTypes.INFERRED.get(t)
                                : type;
            }
            columns.add(Column.nullable(names.get(i), type));
        }
        return List.copyOf(columns);
    }

    /** The header's names, or {@code _c0} and so on. None of an empty file. */
    static List<String> csvNames(DuckSession duck, LocalFile file, FileSource source) {
        if (file.isEmpty()) {
            return List.of();
        }
        var fields =
                duck.columns(
                        "SELECT * FROM read_csv(%s, all_varchar = true, skip = 0, %s) LIMIT 0"
                                .formatted(FileSql.literal(file), FileSql.csvOptions(source)));
        var names = new ArrayList<String>();
        for (int i = 0; i < fields.size(); i++) {
            names.add(FileSql.hasHeader(source) ? fields.get(i).getName() : "_c" + i);
        }
        return List.copyOf(names);
    }

    private DataType inferred(DataType type) {
        return source.inferTypes() ? type : Primitive.STRING;
    }

    /** What two files say of one table: the columns of the first, then others of the second. */
    static List<Column> merged(List<Column> first, List<Column> second) {
        var merged = new ArrayList<>(first);
        for (var column : second) {
            var place = -1;
            for (int i = 0; i < merged.size(); i++) {
                place = merged.get(i).name().equals(column.name()) ? i : place;
            }
            if (place < 0) {
                merged.add(column);
            } else {
                merged.set(
                        place,
                        Column.nullable(
                                column.name(), merged(merged.get(place).type(), column.type())));
            }
        }
        return merged;
    }

    private static DataType merged(DataType a, DataType b) {
        if (a.equals(b)) {
            return a;
        }
        if (isNumber(a) && isNumber(b)) {
            return Primitive.DOUBLE;
        }
        return switch (a) {
            case DataType.Struct left when b instanceof DataType.Struct right ->
                    new DataType.Struct(merged(left.fields(), right.fields()));
            case DataType.Array left when b instanceof DataType.Array right ->
                    new DataType.Array(merged(left.element(), right.element()), true);
            default -> Primitive.STRING;
        };
    }

    private static boolean isNumber(DataType type) {
        return type instanceof DataType.Decimal
                || DuckTypes.isIntegral(type)
                || DuckTypes.isFloating(type);
    }

    /** JSON has no times: Spark reads them as texts. */
    private static DataType withoutTimes(DataType type) {
        return switch (type) {
            case Primitive primitive ->
                    primitive == Primitive.DATE || DuckTypes.isTimestamp(primitive)
                            ? Primitive.STRING
                            : primitive;
            case DataType.Decimal decimal -> decimal;
            case DataType.Array array -> new DataType.Array(withoutTimes(array.element()), true);
            case DataType.Map map ->
                    new DataType.Map(withoutTimes(map.key()), withoutTimes(map.value()), true);
            case DataType.Struct struct ->
                    new DataType.Struct(
                            struct.fields().stream()
                                    .map(f -> Column.nullable(f.name(), withoutTimes(f.type())))
                                    .toList());
        };
    }

    private static DataType type(Field field) {
        return switch (field.getType()) {
            case ArrowType.Bool _ -> Primitive.BOOLEAN;
            case ArrowType.Int number -> integer(number);
            case ArrowType.FloatingPoint number ->
                    switch (number.getPrecision()) {
                        case HALF, SINGLE -> Primitive.FLOAT;
                        case DOUBLE -> Primitive.DOUBLE;
                    };
            case ArrowType.Decimal decimal ->
                    new DataType.Decimal(decimal.getPrecision(), decimal.getScale());
            case ArrowType.Date _ -> Primitive.DATE;
            case ArrowType.Timestamp time ->
                    time.getTimezone() == null ? Primitive.TIMESTAMP_NTZ : Primitive.TIMESTAMP;
            case ArrowType.Binary _, ArrowType.LargeBinary _ -> Primitive.BINARY;
            case ArrowType.List _ -> new DataType.Array(type(field.getChildren().getFirst()), true);
            case ArrowType.Struct _ -> new DataType.Struct(fields(field));
            case ArrowType.Map _ -> {
                var entry = field.getChildren().getFirst().getChildren();
                yield new DataType.Map(type(entry.getFirst()), type(entry.getLast()), true);
            }
            default -> Primitive.STRING;
        };
    }

    private static List<Column> fields(Field struct) {
        return struct.getChildren().stream()
                .map(field -> Column.nullable(field.getName(), type(field)))
                .toList();
    }

    private static DataType integer(ArrowType.Int number) {
        var bits = number.getBitWidth() + (number.getIsSigned() ? 0 : 1);
        if (bits <= 8) {
            return Primitive.BYTE;
        }
        if (bits <= 16) {
            return Primitive.SHORT;
        }
        if (bits <= 32) {
            return Primitive.INTEGER;
        }
        return bits <= 64 ? Primitive.LONG : new DataType.Decimal(20, 0);
    }
}
