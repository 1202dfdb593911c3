package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.lakemill.pipeline.DuckPrinter;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.math.BigDecimal;
import java.math.MathContext;
import java.sql.Blob;
import java.sql.SQLException;
import java.sql.Struct;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Values of both engines in one form: null, true or false, or a text of digits, hexadecimal, days
 * or microseconds; arrays, structs and pairs of maps as arrays.
 */
final class TypedValues {
    private static final LocalDateTime EPOCH = LocalDateTime.of(1970, 1, 1, 0, 0);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Two engines add up doubles in different orders, and take logarithms by other libraries. */
    private static final double DOUBLE_DIFFERENCE_MAX = 1e-12;

    private static final double FLOAT_DIFFERENCE_MAX = 1e-6;
    private static final MathContext FOR_ORDER = new MathContext(6);

    private TypedValues() {}

    /** A value as DuckDB's driver gives it. */
    static JsonNode of(@Nullable Object value, DataType type) throws SQLException {
        return switch (value) {
            case null -> JSON.nullNode();
            case Boolean truth -> JSON.getNodeFactory().booleanNode(truth);
            case java.sql.Array array ->
                    array((Object[]) array.getArray(), ((DataType.Array) type).element());
            case Object[] array -> array(array, ((DataType.Array) type).element());
            case Struct struct -> struct(struct.getAttributes(), (DataType.Struct) type);
            case Map<?, ?> map -> map(map, (DataType.Map) type);
            case Blob blob -> text(HexFormat.of().formatHex(blob.getBytes(1, (int) blob.length())));
            case byte[] bytes -> text(HexFormat.of().formatHex(bytes));
            case BigDecimal decimal -> text(decimal.toPlainString());
            case LocalDate date -> text(Long.toString(date.toEpochDay()));
            case Timestamp time -> micros(time.toLocalDateTime());
            case LocalDateTime time -> micros(time);
            case OffsetDateTime time ->
                    micros(time.withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime());
            default -> text(value.toString());
        };
    }

    private static JsonNode text(String text) {
        return JSON.getNodeFactory().textNode(text);
    }

    private static JsonNode micros(LocalDateTime time) {
        return text(Long.toString(ChronoUnit.MICROS.between(EPOCH, time)));
    }

    private static JsonNode array(Object[] values, DataType element) throws SQLException {
        var array = JSON.createArrayNode();
        for (var value : values) {
            array.add(of(value, element));
        }
        return array;
    }

    private static JsonNode struct(Object[] values, DataType.Struct type) throws SQLException {
        var array = JSON.createArrayNode();
        for (int i = 0; i < values.length; i++) {
            array.add(of(values[i], type.fields().get(i).type()));
        }
        return array;
    }

    private static JsonNode map(Map<?, ?> map, DataType.Map type) throws SQLException {
        var pairs = new ArrayList<JsonNode>();
        for (var entry : map.entrySet()) {
            pairs.add(
                    JSON.createArrayNode()
                            .add(of(entry.getKey(), type.key()))
                            .add(of(entry.getValue(), type.value())));
        }
        pairs.sort(Comparator.comparing(JsonNode::toString));
        return JSON.createArrayNode().addAll(pairs);
    }

    /** DuckDB's SQL of a value. */
    static String sql(JsonNode value, DataType type) {
        if (value.isNull()) {
            return "CAST(NULL AS %s)".formatted(DuckPrinter.type(type));
        }
        return "CAST(%s AS %s)".formatted(plain(value, type), DuckPrinter.type(type));
    }

    private static String plain(JsonNode value, DataType type) {
        return switch (type) {
            case Primitive primitive -> plain(value.asText(), primitive);
            case DataType.Decimal _ -> quoted(value.asText());
            case DataType.Array array ->
                    items(value).stream()
                            .map(v -> sql(v, array.element()))
                            .collect(Collectors.joining(", ", "[", "]"));
            case DataType.Map map ->
                    "map([%s], [%s])"
                            .formatted(part(value, 0, map.key()), part(value, 1, map.value()));
            case DataType.Struct struct ->
                    IntStream.range(0, struct.fields().size())
                            .mapToObj(
                                    i ->
                                            DuckPrinter.quoted(struct.fields().get(i).name())
                                                    + " := "
                                                    + sql(
                                                            value.get(i),
                                                            struct.fields().get(i).type()))
                            .collect(Collectors.joining(", ", "struct_pack(", ")"));
        };
    }

    private static String part(JsonNode pairs, int side, DataType type) {
        return items(pairs).stream()
                .map(pair -> sql(pair.get(side), type))
                .collect(Collectors.joining(", "));
    }

    private static String plain(String text, Primitive type) {
        return switch (type) {
            case BINARY -> "from_hex(" + quoted(text) + ")";
            case DATE -> "(DATE '1970-01-01' + CAST(%s AS INTEGER))".formatted(text);
            case TIMESTAMP, TIMESTAMP_NTZ ->
                    "make_timestamp(CAST(%s AS BIGINT))".formatted(quoted(text));
            default -> quoted(text);
        };
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    static List<JsonNode> items(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }

    /** Whether both hold the same rows, in any order. */
    static boolean same(List<ArrayNode> left, List<ArrayNode> right, List<DataType> types) {
        if (left.size() != right.size()) {
            return false;
        }
        var row = new DataType.Struct(fields(types));
        var a = sorted(left, row);
        var b = sorted(right, row);
        return IntStream.range(0, a.size()).allMatch(i -> same(a.get(i), b.get(i), row));
    }

    private static List<dev.lakemill.types.Column> fields(List<DataType> types) {
        return IntStream.range(0, types.size())
                .mapToObj(i -> dev.lakemill.types.Column.nullable("c" + i, types.get(i)))
                .toList();
    }

    private static List<ArrayNode> sorted(List<ArrayNode> rows, DataType row) {
        return rows.stream().sorted(Comparator.comparing(r -> order(r, row))).toList();
    }

    /** A text to sort by, in which doubles that differ by a little are mostly the same. */
    private static String order(JsonNode value, DataType type) {
        if (value.isNull()) {
            return "null";
        }
        return switch (type) {
            case DataType.Array array ->
                    items(value).stream()
                            .map(v -> order(v, array.element()))
                            .collect(Collectors.joining(","));
            case DataType.Struct struct ->
                    IntStream.range(0, value.size())
                            .mapToObj(i -> order(value.get(i), struct.fields().get(i).type()))
                            .collect(Collectors.joining("|"));
            case Primitive primitive when isFloating(primitive) -> rounded(value.asText());
            case Primitive _, DataType.Decimal _, DataType.Map _ -> value.toString();
        };
    }

    private static String rounded(String number) {
        var value = Double.parseDouble(number);
        return Double.isNaN(value) || Double.isInfinite(value)
                ? number
                : new BigDecimal(value).round(FOR_ORDER).stripTrailingZeros().toString();
    }

    private static boolean isFloating(Primitive type) {
        return type == Primitive.FLOAT || type == Primitive.DOUBLE;
    }

    private static boolean same(JsonNode a, JsonNode b, DataType type) {
        if (a.isNull() || b.isNull()) {
            return a.isNull() && b.isNull();
        }
        return switch (type) {
            case DataType.Array array ->
                    a.size() == b.size()
                            && IntStream.range(0, a.size())
                                    .allMatch(i -> same(a.get(i), b.get(i), array.element()));
            case DataType.Struct struct ->
                    IntStream.range(0, a.size())
                            .allMatch(i -> same(a.get(i), b.get(i), struct.fields().get(i).type()));
            case DataType.Map map ->
                    a.size() == b.size()
                            && IntStream.range(0, a.size())
                                    .allMatch(
                                            i ->
                                                    same(
                                                                    a.get(i).get(0),
                                                                    b.get(i).get(0),
                                                                    map.key())
                                                            && same(
                                                                    a.get(i).get(1),
                                                                    b.get(i).get(1),
                                                                    map.value()));
            case Primitive primitive when isFloating(primitive) ->
                    near(a.asText(), b.asText(), primitive);
            case Primitive _, DataType.Decimal _ -> a.equals(b);
        };
    }

    private static boolean near(String left, String right, Primitive type) {
        var a = Double.parseDouble(left);
        var b = Double.parseDouble(right);
        var most = type == Primitive.FLOAT ? FLOAT_DIFFERENCE_MAX : DOUBLE_DIFFERENCE_MAX;
        return Double.compare(a, b) == 0 || Math.abs(a - b) <= most * Math.abs(a);
    }
}
