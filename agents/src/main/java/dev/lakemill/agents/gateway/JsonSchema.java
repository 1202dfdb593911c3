package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Optional;

/**
 * Holds values against the part of JSON Schema that models are given: type, properties, required,
 * additionalProperties, items, enum, const, anyOf, and the bounds of numbers, texts and lists.
 * Other words of a schema are passed over.
 */
public final class JsonSchema {
    private static final int DEPTH_MAX = 32;

    private JsonSchema() {}

    /** What is wrong with the value, with its place; empty when it fits. */
    public static Optional<String> mismatch(JsonNode schema, JsonNode value) {
        return mismatch(schema, value, "$", 0);
    }

    private static Optional<String> mismatch(
            JsonNode schema, JsonNode value, String place, int depth) {
        if (depth > DEPTH_MAX) {
            return Optional.of(place + " lies too deep");
        }
        var kinds = schema.path("type");
        if (!kinds.isMissingNode() && !fitsType(kinds, value)) {
            return Optional.of(
                    "%s is %s, not %s".formatted(place, value.getNodeType(), kinds.toString()));
        }
        if (schema.has("const") && !schema.get("const").equals(value)) {
            return Optional.of("%s is not %s".formatted(place, schema.get("const")));
        }
        if (schema.has("enum") && !has(schema.get("enum"), value)) {
            return Optional.of("%s is none of %s".formatted(place, schema.get("enum")));
        }
        if (schema.path("anyOf").isArray() && !anyFits(schema.get("anyOf"), value, place, depth)) {
            return Optional.of(place + " fits none of anyOf");
        }
        if (value.isObject()) {
            return object(schema, value, place, depth);
        }
        return value.isArray() ? list(schema, value, place, depth) : scalar(schema, value, place);
    }

    private static boolean fitsType(JsonNode kinds, JsonNode value) {
        if (!kinds.isArray()) {
            return isA(kinds.asText(), value);
        }
        for (var kind : kinds) {
            if (isA(kind.asText(), value)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isA(String kind, JsonNode value) {
        return switch (kind) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "number" -> value.isNumber();
            case "integer" ->
                    value.isIntegralNumber()
                            || (value.isNumber()
                                    && value.asDouble() == Math.rint(value.asDouble()));
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            default -> true;
        };
    }

    private static boolean has(JsonNode list, JsonNode value) {
        for (var each : list) {
            if (each.equals(value)) {
                return true;
            }
        }
        return false;
    }

    private static boolean anyFits(JsonNode schemas, JsonNode value, String place, int depth) {
        for (var schema : schemas) {
            if (mismatch(schema, value, place, depth + 1).isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private static Optional<String> object(
            JsonNode schema, JsonNode value, String place, int depth) {
        for (var name : schema.path("required")) {
            if (!value.has(name.asText())) {
                return Optional.of("%s has no '%s'".formatted(place, name.asText()));
            }
        }
        var properties = schema.path("properties");
        var closed =
                schema.path("additionalProperties").isBoolean()
                        && !schema.path("additionalProperties").asBoolean();
        for (var field : value.properties()) {
            var known = properties.path(field.getKey());
            if (known.isMissingNode() && closed) {
                return Optional.of("%s may not have '%s'".formatted(place, field.getKey()));
            }
            var wrong = mismatch(known, field.getValue(), place + "." + field.getKey(), depth + 1);
            if (wrong.isPresent()) {
                return wrong;
            }
        }
        return Optional.empty();
    }

    private static Optional<String> list(JsonNode schema, JsonNode value, String place, int depth) {
        if (value.size() < schema.path("minItems").asInt(0)
                || value.size() > schema.path("maxItems").asInt(Integer.MAX_VALUE)) {
            return Optional.of("%s has %d items".formatted(place, value.size()));
        }
        for (int i = 0; i < value.size(); i++) {
            var item = "%s[%d]".formatted(place, i);
            var wrong = mismatch(schema.path("items"), value.get(i), item, depth + 1);
            if (wrong.isPresent()) {
                return wrong;
            }
        }
        return Optional.empty();
    }

    private static Optional<String> scalar(JsonNode schema, JsonNode value, String place) {
        if (value.isNumber()
                && (value.asDouble() < schema.path("minimum").asDouble(Double.NEGATIVE_INFINITY)
                        || value.asDouble()
                                > schema.path("maximum").asDouble(Double.POSITIVE_INFINITY))) {
            return Optional.of("%s is %s, out of bounds".formatted(place, value));
        }
        if (value.isTextual()
                && (value.asText().length() < schema.path("minLength").asInt(0)
                        || value.asText().length()
                                > schema.path("maxLength").asInt(Integer.MAX_VALUE))) {
            return Optional.of("%s has %d characters".formatted(place, value.asText().length()));
        }
        return Optional.empty();
    }

    /** The plainest value that fits, with the given ones where their names are. */
    static JsonNode plainest(JsonNode schema, Map<String, String> values) {
        return plainest(schema, "", values, 0);
    }

    private static JsonNode plainest(
            JsonNode schema, String name, Map<String, String> values, int depth) {
        var nodes = JsonNodeFactory.instance;
        if (schema.has("const")) {
            return schema.get("const");
        }
        var given = values.get(name);
        if (schema.path("enum").size() > 0) {
            for (var each : schema.get("enum")) {
                if (each.asText().equals(given)) {
                    return each;
                }
            }
            return schema.get("enum").get(0);
        }
        var kinds = schema.path("type");
        var kind = kinds.isArray() ? kinds.path(0).asText() : kinds.asText();
        return switch (kind) {
            case "object" -> plainestObject(schema, values, depth);
            case "array" -> nodes.arrayNode();
            case "string" -> nodes.textNode(given == null ? "" : given);
            case "integer", "number" -> number(given, schema);
            case "boolean" -> nodes.booleanNode("true".equals(given));
            default -> nodes.nullNode();
        };
    }

    private static ObjectNode plainestObject(
            JsonNode schema, Map<String, String> values, int depth) {
        var object = JsonNodeFactory.instance.objectNode();
        if (depth < DEPTH_MAX) {
            for (var field : schema.path("properties").properties()) {
                object.set(
                        field.getKey(),
                        plainest(field.getValue(), field.getKey(), values, depth + 1));
            }
        }
        return object;
    }

    private static JsonNode number(
            @org.jspecify.annotations.Nullable String given, JsonNode schema) {
        var nodes = JsonNodeFactory.instance;
        try {
            if (given != null) {
                var number = new java.math.BigDecimal(given.strip());
                return schema.path("type").asText().equals("integer")
                        ? nodes.numberNode(number.toBigInteger())
                        : nodes.numberNode(number);
            }
        } catch (NumberFormatException _) {
            return nodes.numberNode(schema.path("minimum").asLong(0));
        }
        return nodes.numberNode(schema.path("minimum").asLong(0));
    }
}
