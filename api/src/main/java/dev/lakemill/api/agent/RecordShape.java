package dev.lakemill.api.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;

/**
 * A record as a JSON Schema, and JSON as that record: every component required, nothing else
 * allowed, no value made into another kind. Components are texts, numbers, booleans, enums, lists
 * and records of these.
 */
final class RecordShape<T> {
    private static final ObjectMapper JSON =
            JsonMapper.builder()
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                    .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                    .build();

    private final Class<T> type;
    private final ObjectNode schema;

    /** INVALID_ARGUMENT when it is no record of such components. */
    RecordShape(Class<T> type) {
        this.type = type;
        this.schema = object(type);
    }

    ObjectNode schema() {
        return schema;
    }

    /** What the model wrote, with or without the fence of a code block. */
    T read(String text) throws JsonProcessingException {
        var trimmed = text.strip();
        if (trimmed.startsWith("```")) {
            trimmed = trimmed.replaceFirst("^```[a-z]*\\s*", "").replaceFirst("\\s*```$", "");
        }
        return JSON.readValue(trimmed, type);
    }

    T read(JsonNode node) throws JsonProcessingException {
        return JSON.treeToValue(node, type);
    }

    private static ObjectNode object(Class<?> type) {
        if (!type.isRecord()) {
            throw unusable(type);
        }
        var node = JSON.createObjectNode().put("type", "object");
        var properties = node.putObject("properties");
        var required = node.putArray("required");
        for (RecordComponent component : type.getRecordComponents()) {
            properties.set(component.getName(), of(component.getGenericType()));
            required.add(component.getName());
        }
        return node.put("additionalProperties", false);
    }

    private static ObjectNode of(Type type) {
        var node = JSON.createObjectNode();
        if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
            node.put("type", "array").set("items", of(list.getActualTypeArguments()[0]));
            return node;
        }
        if (!(type instanceof Class<?> plain)) {
            throw unusable(type);
        }
        if (plain == String.class) {
            return node.put("type", "string");
        }
        if (plain == int.class || plain == long.class) {
            return node.put("type", "integer");
        }
        if (plain == double.class || plain == BigDecimal.class) {
            return node.put("type", "number");
        }
        if (plain == boolean.class) {
            return node.put("type", "boolean");
        }
        if (plain.isEnum()) {
            var values = node.put("type", "string").putArray("enum");
            Arrays.stream(plain.getEnumConstants()).forEach(v -> values.add(v.toString()));
            return node;
        }
        return object(plain);
    }

    private static LakemillException unusable(Type type) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "%s cannot be an answer's type".formatted(type.getTypeName()),
                "use records of String, int, long, double, BigDecimal, boolean, enums, List and"
                        + " records");
    }
}
