package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.jspecify.annotations.Nullable;

/**
 * Values of Arrow's vectors as text, and back: dates and times in ISO 8601, BINARY in Base64,
 * arrays, maps and structs as JSON.
 */
final class SqlValues {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS");

    private SqlValues() {}

    static @Nullable String text(FieldVector vector, DataType type, int row) {
        var value = value(vector, type, row);
        if (value == null || value instanceof String) {
            return (String) value;
        }
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A String, a list or a map; null for NULL. */
    private static @Nullable Object value(FieldVector vector, DataType type, int row) {
        if (vector.isNull(row)) {
            return null;
        }
        return switch (type) {
            case Primitive primitive -> primitive(vector, primitive, row);
            case DataType.Decimal _ -> ((DecimalVector) vector).getObject(row).toPlainString();
            case DataType.Array array -> elements((ListVector) vector, array.element(), row);
            case DataType.Map map -> entries((MapVector) vector, map, row);
            case DataType.Struct struct -> fields((StructVector) vector, struct, row);
        };
    }

    private static String primitive(FieldVector vector, Primitive type, int row) {
        return switch (type) {
            case BOOLEAN -> String.valueOf(((BitVector) vector).get(row) == 1);
            case BYTE, SHORT, INTEGER, LONG, FLOAT, DOUBLE, STRING ->
                    String.valueOf(vector.getObject(row));
            case BINARY -> Base64.getEncoder().encodeToString(((VarBinaryVector) vector).get(row));
            case DATE -> LocalDate.ofEpochDay(((DateDayVector) vector).get(row)).toString();
            case TIMESTAMP -> time(((TimeStampVector) vector).get(row)) + "Z";
            case TIMESTAMP_NTZ -> time(((TimeStampVector) vector).get(row));
        };
    }

    private static String time(long micros) {
        var seconds = Math.floorDiv(micros, 1_000_000L);
        var nanos = (int) Math.floorMod(micros, 1_000_000L) * 1_000;
        return TIME.format(LocalDateTime.ofEpochSecond(seconds, nanos, ZoneOffset.UTC));
    }

    private static List<@Nullable Object> elements(ListVector vector, DataType type, int row) {
        var values = new ArrayList<@Nullable Object>();
        for (int i = vector.getElementStartIndex(row); i < vector.getElementEndIndex(row); i++) {
            values.add(value(vector.getDataVector(), type, i));
        }
        return values;
    }

    private static Map<String, @Nullable Object> entries(
            MapVector vector, DataType.Map type, int row) {
        var entries = (StructVector) vector.getDataVector();
        var keys = (FieldVector) entries.getChildByOrdinal(0);
        var values = (FieldVector) entries.getChildByOrdinal(1);
        var map = new LinkedHashMap<String, @Nullable Object>();
        for (int i = vector.getElementStartIndex(row); i < vector.getElementEndIndex(row); i++) {
            map.put(String.valueOf(value(keys, type.key(), i)), value(values, type.value(), i));
        }
        return map;
    }

    private static Map<String, @Nullable Object> fields(
            StructVector vector, DataType.Struct type, int row) {
        var map = new LinkedHashMap<String, @Nullable Object>();
        for (int i = 0; i < type.fields().size(); i++) {
            var field = type.fields().get(i);
            map.put(
                    field.name(),
                    value((FieldVector) vector.getChildByOrdinal(i), field.type(), row));
        }
        return map;
    }

    /**
     * Writes a value of Java: String, Long, Integer, Boolean, Instant, LocalDate, BigDecimal,
     * Double, a list of a struct's fields or an array's elements, or a map.
     */
    static void set(FieldVector vector, int row, @Nullable Object value) {
        if (value == null) {
            vector.setNull(row);
            return;
        }
        switch (vector) {
            case VarCharVector texts ->
                    texts.setSafe(
                            row,
                            ((String) value).getBytes(java.nio.charset.StandardCharsets.UTF_8));
            case BigIntVector numbers -> numbers.setSafe(row, ((Number) value).longValue());
            case IntVector numbers -> numbers.setSafe(row, ((Number) value).intValue());
            case SmallIntVector numbers -> numbers.setSafe(row, ((Number) value).intValue());
            case TinyIntVector numbers -> numbers.setSafe(row, ((Number) value).intValue());
            case Float4Vector numbers -> numbers.setSafe(row, ((Number) value).floatValue());
            case Float8Vector numbers -> numbers.setSafe(row, ((Number) value).doubleValue());
            case DecimalVector numbers -> numbers.setSafe(row, (BigDecimal) value);
            case BitVector truths -> truths.setSafe(row, (Boolean) value ? 1 : 0);
            case DateDayVector days -> days.setSafe(row, (int) ((LocalDate) value).toEpochDay());
            case TimeStampVector times ->
                    times.setSafe(row, ChronoUnit.MICROS.between(Instant.EPOCH, (Instant) value));
            case MapVector maps -> setMap(maps, row, (Map<?, ?>) value);
            case StructVector structs -> setStruct(structs, row, (List<?>) value);
            case ListVector lists -> setList(lists, row, (List<?>) value);
            default -> throw new IllegalArgumentException("no rows of " + vector.getField());
        }
    }

    private static void setStruct(StructVector vector, int row, List<?> fields) {
        vector.setIndexDefined(row);
        for (int i = 0; i < fields.size(); i++) {
            set((FieldVector) vector.getChildByOrdinal(i), row, fields.get(i));
        }
    }

    private static void setList(ListVector vector, int row, List<?> elements) {
        var at = vector.startNewValue(row);
        for (var element : elements) {
            set(vector.getDataVector(), at, element);
            at++;
        }
        vector.endValue(row, elements.size());
        vector.getDataVector().setValueCount(at);
    }

    private static void setMap(MapVector vector, int row, Map<?, ?> map) {
        var entries = (StructVector) vector.getDataVector();
        var start = vector.startNewValue(row);
        for (var entry : map.entrySet()) {
            entries.setIndexDefined(start);
            set((FieldVector) entries.getChildByOrdinal(0), start, entry.getKey());
            set((FieldVector) entries.getChildByOrdinal(1), start, entry.getValue());
            start++;
        }
        vector.endValue(row, map.size());
        entries.setValueCount(start);
    }
}
