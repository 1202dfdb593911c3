package dev.lakemill.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.lakemill.types.DataType;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Compares what Spark's to_json says with the Java values that were written. */
final class SparkJson {
    /** Options of to_json that keep nulls and microseconds. */
    static final String OPTIONS =
            "map('ignoreNullFields', 'false',"
                    + " 'timestampFormat', 'yyyy-MM-dd\\'T\\'HH:mm:ss.SSSSSSXXX',"
                    + " 'timestampNTZFormat', 'yyyy-MM-dd\\'T\\'HH:mm:ss.SSSSSS')";

    private static final ObjectReader JSON =
            new ObjectMapper().reader(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    private SparkJson() {}

    static JsonNode parse(String json) throws JsonProcessingException {
        return JSON.readTree(json);
    }

    static boolean equal(DataType type, @Nullable Object value, JsonNode json) {
        if (value == null) {
            return json.isNull();
        }
        return !json.isNull()
                && switch (type) {
                    case DataType.Primitive primitive -> equal(primitive, value, json);
                    case DataType.Decimal _ ->
                            json.decimalValue().compareTo((BigDecimal) value) == 0;
                    case DataType.Array array -> equal(array, (List<?>) value, json);
                    case DataType.Map map -> equal(map, (Map<?, ?>) value, json);
                    case DataType.Struct struct -> equal(struct, (List<?>) value, json);
                };
    }

    private static boolean equal(DataType.Primitive type, Object value, JsonNode json) {
        return switch (type) {
            case BOOLEAN -> value.equals(json.booleanValue());
            case BYTE, SHORT, INTEGER, LONG -> ((Number) value).longValue() == json.longValue();
            case FLOAT -> value.equals(Float.parseFloat(json.asText()));
            case DOUBLE -> value.equals(Double.parseDouble(json.asText()));
            case STRING -> value.equals(json.textValue());
            case BINARY ->
                    Base64.getEncoder().encodeToString((byte[]) value).equals(json.textValue());
            case DATE -> LocalDate.ofEpochDay((Integer) value).toString().equals(json.textValue());
            case TIMESTAMP -> instant((Long) value).equals(Instant.parse(json.textValue()));
            case TIMESTAMP_NTZ ->
                    instant((Long) value)
                            .atOffset(ZoneOffset.UTC)
                            .toLocalDateTime()
                            .equals(LocalDateTime.parse(json.textValue()));
        };
    }

    private static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    private static boolean equal(DataType.Array type, List<?> values, JsonNode json) {
        var same = json.size() == values.size();
        for (int i = 0; same && i < values.size(); i++) {
            same = equal(type.element(), values.get(i), json.get(i));
        }
        return same;
    }

    private static boolean equal(DataType.Map type, Map<?, ?> values, JsonNode json) {
        return json.size() == values.size()
                && values.entrySet().stream()
                        .allMatch(
                                entry -> {
                                    var found = json.get(String.valueOf(entry.getKey()));
                                    return found != null
                                            && equal(type.value(), entry.getValue(), found);
                                });
    }

    private static boolean equal(DataType.Struct type, List<?> values, JsonNode json) {
        var same = true;
        for (int i = 0; same && i < values.size(); i++) {
            var field = type.fields().get(i);
            same = equal(field.type(), values.get(i), json.get(field.name()));
        }
        return same;
    }
}
