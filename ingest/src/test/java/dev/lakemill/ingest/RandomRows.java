package dev.lakemill.ingest;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Random schemas and rows from a seed.
 *
 * <p>A value is a Boolean, a Long (all whole numbers, dates and times), a Float, a Double, a
 * String, a byte[], a BigDecimal, a List (an array), a LinkedHashMap (a map) or an Object[] (a
 * struct); null where the type may be null.
 */
final class RandomRows {
    private static final List<Primitive> PRIMITIVES = List.of(Primitive.values());
    private static final Primitive[] KEYS = {
        Primitive.STRING, Primitive.LONG, Primitive.INTEGER, Primitive.BOOLEAN
    };

    /** Of JSON and Arrow, which carry more. */
    private static final Primitive[] MORE_KEYS = {
        Primitive.STRING,
        Primitive.BYTE,
        Primitive.DATE,
        Primitive.TIMESTAMP,
        Primitive.TIMESTAMP_NTZ,
        Primitive.FLOAT,
        Primitive.DOUBLE
    };

    private final Random random;
    private final boolean protoOnly;

    /** {@code protoOnly}: only what PROTO records can carry. */
    RandomRows(long seed, boolean protoOnly) {
        this.random = new Random(seed);
        this.protoOnly = protoOnly;
    }

    TableSchema schema() {
        return new TableSchema(columns(1 + random.nextInt(8), "c", 2));
    }

    private List<Column> columns(int count, String prefix, int depth) {
        var columns = new ArrayList<Column>();
        for (int i = 0; i < count; i++) {
            var type = type(depth);
            var repeated = type instanceof DataType.Array || type instanceof DataType.Map;
            var nullable = random.nextInt(4) > 0 && !(protoOnly && repeated);
            columns.add(new Column(prefix + i, type, nullable, ""));
        }
        return columns;
    }

    private DataType type(int depth) {
        return switch (random.nextInt(depth > 0 ? 10 : 6)) {
            case 6 -> array(depth);
            case 7 -> map(depth);
            case 8 -> new DataType.Struct(columns(1 + random.nextInt(3), "f", depth - 1));
            case 9 -> decimal();
            default -> PRIMITIVES.get(random.nextInt(PRIMITIVES.size()));
        };
    }

    private DataType array(int depth) {
        return new DataType.Array(value(depth - 1), !protoOnly && random.nextBoolean());
    }

    private DataType map(int depth) {
        var keys = protoOnly || random.nextBoolean() ? KEYS : MORE_KEYS;
        var key = keys[random.nextInt(keys.length)];
        return new DataType.Map(key, value(depth - 1), !protoOnly && random.nextBoolean());
    }

    private DataType value(int depth) {
        while (true) {
            var type = type(depth);
            var repeated = type instanceof DataType.Array || type instanceof DataType.Map;
            if (!protoOnly || !repeated) {
                return type;
            }
        }
    }

    private DataType decimal() {
        var precision = 1 + random.nextInt(38);
        return new DataType.Decimal(precision, random.nextInt(precision + 1));
    }

    List<@Nullable Object[]> rows(TableSchema schema, int count) {
        var rows = new ArrayList<@Nullable Object[]>();
        for (int i = 0; i < count; i++) {
            rows.add(struct(schema.columns()));
        }
        return rows;
    }

    private @Nullable Object[] struct(List<Column> columns) {
        var values = new @Nullable Object[columns.size()];
        for (int i = 0; i < values.length; i++) {
            var column = columns.get(i);
            values[i] = column.nullable() && random.nextInt(4) == 0 ? null : value(column.type());
        }
        return values;
    }

    private Object value(DataType type) {
        return switch (type) {
            case Primitive primitive -> value(primitive);
            case DataType.Decimal d -> {
                var digits = new BigInteger(126, random).mod(BigInteger.TEN.pow(d.precision()));
                yield new BigDecimal(random.nextBoolean() ? digits : digits.negate(), d.scale());
            }
            case DataType.Array a -> {
                var list = new ArrayList<@Nullable Object>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    list.add(
                            a.containsNull() && random.nextInt(3) == 0 ? null : value(a.element()));
                }
                yield list;
            }
            case DataType.Map m -> {
                var map = new LinkedHashMap<Object, @Nullable Object>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    map.put(
                            value(m.key()),
                            m.valueContainsNull() && random.nextInt(3) == 0
                                    ? null
                                    : value(m.value()));
                }
                yield map;
            }
            case DataType.Struct s -> struct(s.fields());
        };
    }

    private Object value(Primitive type) {
        return switch (type) {
            case BOOLEAN -> random.nextBoolean();
            case BYTE -> (long) (byte) random.nextInt();
            case SHORT -> (long) (short) random.nextInt();
            case INTEGER -> (long) random.nextInt() >> random.nextInt(32);
            case LONG -> random.nextLong() >> random.nextInt(64);
            case FLOAT -> random.nextFloat() * 1000 - 500;
            case DOUBLE -> random.nextGaussian() * Math.pow(10, random.nextInt(20) - 10);
            case STRING -> text();
            case BINARY -> {
                var bytes = new byte[random.nextInt(20)];
                random.nextBytes(bytes);
                yield bytes;
            }
            case DATE ->
                    IsoTime.DAYS_MIN + random.nextLong(IsoTime.DAYS_MAX - IsoTime.DAYS_MIN + 1);
            case TIMESTAMP, TIMESTAMP_NTZ ->
                    random.nextLong(IsoTime.MICROS_MIN, IsoTime.MICROS_MAX + 1);
        };
    }

    private String text() {
        var alphabet =
                new String[] {"a", "Z", "\"", "\\", "\n", "é", "€", "水", "🌱", " ", "\u0000"};
        var text = new StringBuilder();
        var length = random.nextInt(10) == 0 ? 300 : random.nextInt(12);
        for (int i = 0; i < length; i++) {
            text.append(alphabet[random.nextInt(alphabet.length)]);
        }
        return text.toString();
    }
}
