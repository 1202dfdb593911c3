package dev.lakemill.server.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.TypeJson;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Columns in the two forms that clients read: Unity Catalog's ColumnInfo, and the struct of the
 * Delta API, which is Delta's schema string with hyphens in its keys.
 */
final class ColumnJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Map<String, String> HYPHENED =
            Map.of(
                    "elementType", "element-type",
                    "containsNull", "contains-null",
                    "keyType", "key-type",
                    "valueType", "value-type",
                    "valueContainsNull", "value-contains-null");
    private static final Map<String, String> PLAIN =
            HYPHENED.entrySet().stream()
                    .collect(Collectors.toUnmodifiableMap(Map.Entry::getValue, Map.Entry::getKey));

    private ColumnJson() {}

    static ArrayNode infos(TableSchema schema, List<ColumnMask> masks) {
        var array = JSON.arrayNode();
        for (var position = 0; position < schema.size(); position++) {
            var column = schema.column(position);
            var info = info(column, position).put("nullable", column.nullable());
            for (var mask : masks) {
                if (mask.column().equalsIgnoreCase(column.name())) {
                    var node = info.putObject("mask").put("function_name", mask.function());
                    var using = node.putArray("using_column_names");
                    mask.usingColumns().forEach(using::add);
                }
            }
            array.add(info);
        }
        return array;
    }

    /** What columns and a function's parameters have in common. */
    static ObjectNode info(Column column, int position) {
        var info =
                JSON.objectNode()
                        .put("name", column.name())
                        .put("type_text", text(column.type()))
                        .put("type_json", TypeJson.write(column).toString())
                        .put("type_name", typeName(column.type()))
                        .put("type_precision", 0)
                        .put("type_scale", 0)
                        .put("position", position);
        if (column.type() instanceof DataType.Decimal decimal) {
            info.put("type_precision", decimal.precision()).put("type_scale", decimal.scale());
        }
        if (!column.comment().isEmpty()) {
            info.put("comment", column.comment());
        }
        return info;
    }

    /** As Spark's catalogString writes types; DuckDB's extension reads nothing else. */
    static String text(DataType type) {
        return switch (type) {
            case DataType.Primitive p -> p.sql().toLowerCase(Locale.ROOT);
            case DataType.Decimal d -> d.sql().toLowerCase(Locale.ROOT);
            case DataType.Array a -> "array<" + text(a.element()) + ">";
            case DataType.Map m -> "map<" + text(m.key()) + "," + text(m.value()) + ">";
            case DataType.Struct s ->
                    s.fields().stream()
                            .map(field -> field.name() + ":" + text(field.type()))
                            .collect(Collectors.joining(",", "struct<", ">"));
        };
    }

    static String typeName(DataType type) {
        return switch (type) {
            case DataType.Primitive p -> p == DataType.Primitive.INTEGER ? "INT" : p.name();
            case DataType.Decimal _ -> "DECIMAL";
            case DataType.Array _ -> "ARRAY";
            case DataType.Map _ -> "MAP";
            case DataType.Struct _ -> "STRUCT";
        };
    }

    /** Reads ColumnInfos; {@code type_json} counts before {@code type_text}, which says less. */
    static TableSchema readInfos(JsonNode infos) {
        var columns = new ArrayList<Column>();
        for (var info : infos) {
            columns.add(
                    new Column(
                            info.path("name").asText(),
                            readType(info),
                            info.path("nullable").asBoolean(true),
                            Request.text(info.path("comment"))));
        }
        return new TableSchema(columns);
    }

    static DataType readType(JsonNode info) {
        var json = Request.text(info.path("type_json"));
        if (!json.isEmpty()) {
            try {
                var node = MAPPER.readTree(json);
                return TypeJson.read(node.has("name") ? node.path("type") : node);
            } catch (JsonProcessingException | RuntimeException _) {
                return DataType.parse(info.path("type_text").asText());
            }
        }
        return DataType.parse(info.path("type_text").asText());
    }

    /** The struct of the Delta API. */
    static ObjectNode struct(TableSchema schema) {
        var struct = JSON.objectNode().put("type", "struct");
        var fields = struct.putArray("fields");
        schema.columns().forEach(column -> fields.add(renamed(TypeJson.write(column), HYPHENED)));
        return struct;
    }

    static TableSchema readStruct(JsonNode struct) {
        if (!struct.path("fields").isArray()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "columns is not a struct with fields",
                    "send {\"type\": \"struct\", \"fields\": [...]}");
        }
        try {
            return TypeJson.readSchema(renamed(struct, PLAIN));
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "columns cannot be read: " + e.getMessage(),
                    "send Delta's types with name, type, nullable and metadata",
                    e);
        }
    }

    private static JsonNode renamed(JsonNode node, Map<String, String> names) {
        if (node.isObject()) {
            var object = JSON.objectNode();
            node.properties()
                    .forEach(
                            e ->
                                    object.set(
                                            names.getOrDefault(e.getKey(), e.getKey()),
                                            e.getKey().equals("metadata")
                                                    ? e.getValue()
                                                    : renamed(e.getValue(), names)));
            return object;
        }
        if (node.isArray()) {
            var array = JSON.arrayNode();
            node.forEach(item -> array.add(renamed(item, names)));
            return array;
        }
        return node;
    }
}
