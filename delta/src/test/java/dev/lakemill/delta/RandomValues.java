package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Random values of any type, with nulls where the type allows them; a seed makes them again. */
public final class RandomValues {
    public static final TableSchema EVERY_TYPE = everyType();

    private final Random random;

    public RandomValues(long seed) {
        this.random = new Random(seed);
    }

    private static TableSchema everyType() {
        var columns = new ArrayList<Column>();
        for (var type : DataType.Primitive.values()) {
            columns.add(
                    Column.nullable("c_" + type.name().toLowerCase(java.util.Locale.ROOT), type));
        }
        for (var type :
                List.of(
                        "DECIMAL(9,2)",
                        "DECIMAL(18,6)",
                        "DECIMAL(38,10)",
                        "DECIMAL(20,0)",
                        "ARRAY<STRING>",
                        "ARRAY<ARRAY<INT>>",
                        "MAP<STRING,DECIMAL(5,1)>",
                        "STRUCT<a:BIGINT,b:STRUCT<c:STRING,d:ARRAY<DATE>>>",
                        "ARRAY<STRUCT<k:STRING,v:MAP<INT,ARRAY<DOUBLE>>>>",
                        "MAP<BIGINT,STRUCT<t:TIMESTAMP,n:TIMESTAMP_NTZ,x:BINARY>>")) {
            columns.add(Column.nullable("c_" + columns.size(), DataType.parse(type)));
        }
        columns.add(
                Column.required(
                        "c_required",
                        new DataType.Struct(
                                List.of(
                                        Column.required("r", DataType.Primitive.INTEGER),
                                        Column.nullable("s", DataType.Primitive.STRING)))));
        return new TableSchema(columns);
    }

    public List<List<@Nullable Object>> rows(TableSchema schema, int count) {
        var rows = new ArrayList<List<@Nullable Object>>();
        for (int i = 0; i < count; i++) {
            var row = new ArrayList<@Nullable Object>();
            for (var column : schema.columns()) {
                row.add(value(column.type(), column.nullable()));
            }
            rows.add(row);
        }
        return rows;
    }

    private @Nullable Object value(DataType type, boolean nullable) {
        if (nullable && random.nextInt(5) == 0) {
            return null;
        }
        return switch (type) {
            case DataType.Primitive primitive -> value(primitive);
            case DataType.Decimal d ->
                    new BigDecimal(
                            new BigInteger(1 + random.nextInt(digitBits(d)), random)
                                    .multiply(BigInteger.valueOf(random.nextBoolean() ? 1 : -1)),
                            d.scale());
            case DataType.Array a -> {
                var list = new ArrayList<@Nullable Object>();
                for (int n = random.nextInt(4); n > 0; n--) {
                    list.add(value(a.element(), a.containsNull()));
                }
                yield list;
            }
            case DataType.Map m -> {
                var map = new LinkedHashMap<@Nullable Object, @Nullable Object>();
                for (int n = random.nextInt(4); n > 0; n--) {
                    map.put(value(m.key(), false), value(m.value(), m.valueContainsNull()));
                }
                yield map;
            }
            case DataType.Struct s -> {
                var fields = new ArrayList<@Nullable Object>();
                for (var field : s.fields()) {
                    fields.add(value(field.type(), field.nullable()));
                }
                yield fields;
            }
        };
    }

    /** Bits that surely fit the precision. */
    private static int digitBits(DataType.Decimal type) {
        return BigInteger.TEN.pow(type.precision()).bitLength() - 1;
    }

    private Object value(DataType.Primitive type) {
        return switch (type) {
            case BOOLEAN -> random.nextBoolean();
            case BYTE -> (byte) random.nextInt();
            case SHORT -> (short) random.nextInt();
            case INTEGER -> random.nextInt();
            case LONG -> random.nextLong();
            case FLOAT -> random.nextFloat() * 1000 - 500;
            case DOUBLE -> random.nextDouble() * 1e9 - 5e8;
            case STRING -> string();
            case BINARY -> {
                var bytes = new byte[random.nextInt(20)];
                random.nextBytes(bytes);
                yield bytes;
            }
            case DATE -> random.nextInt(60_000) - 20_000;
            case TIMESTAMP, TIMESTAMP_NTZ ->
                    random.nextLong(4_000_000_000_000_000L) - 1_000_000_000_000_000L;
        };
    }

    private String string() {
        var alphabet = List.of("a", "Z", "9", " ", "é", "漢", "😀", "\"", "\n");
        var text = new StringBuilder();
        for (int n = random.nextInt(60); n > 0; n--) {
            text.append(alphabet.get(random.nextInt(alphabet.size())));
        }
        return text.toString();
    }

    /** Each of them, as {@link #comparable(Object)}. */
    public static List<@Nullable Object> comparable(List<?> values) {
        var copy = new ArrayList<@Nullable Object>();
        values.forEach(element -> copy.add(comparable(element)));
        return copy;
    }

    /** With binaries as lists of bytes, as {@link RowsBuilder#values} gives them. */
    public static @Nullable Object comparable(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case byte[] bytes -> {
                var list = new ArrayList<@Nullable Object>();
                for (byte b : bytes) {
                    list.add(b);
                }
                yield list;
            }
            case List<?> list -> comparable(list);
            case java.util.Map<?, ?> map -> {
                var copy = new java.util.HashMap<@Nullable Object, @Nullable Object>();
                map.forEach((k, v) -> copy.put(comparable(k), comparable(v)));
                yield copy;
            }
            default -> value;
        };
    }
}
