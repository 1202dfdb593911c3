package dev.lakemill.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Locale;

/**
 * Column types as JSON, in the form of Delta's schema strings (Delta protocol, "Schema
 * Serialization Format"): unlike DDL text it keeps the nullability of elements and nested comments.
 */
public final class TypeJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private TypeJson() {}

    public static JsonNode write(DataType type) {
        return switch (type) {
            case DataType.Primitive p -> JSON.textNode(p.name().toLowerCase(Locale.ROOT));
            case DataType.Decimal d -> JSON.textNode(d.sql().toLowerCase(Locale.ROOT));
            case DataType.Array a ->
                    JSON.objectNode()
                            .put("type", "array")
                            .put("containsNull", a.containsNull())
                            .set("elementType", write(a.element()));
            case DataType.Map m -> {
                var node = JSON.objectNode().put("type", "map");
                node.set("keyType", write(m.key()));
                node.set("valueType", write(m.value()));
                yield node.put("valueContainsNull", m.valueContainsNull());
            }
            case DataType.Struct s -> {
                var fields = JSON.arrayNode();
                s.fields().forEach(field -> fields.add(write(field)));
                yield JSON.objectNode().put("type", "struct").set("fields", fields);
            }
        };
    }

    /** A field of a struct or a column of a table. */
    public static JsonNode write(Column field) {
        var metadata = JSON.objectNode();
        if (!field.comment().isEmpty()) {
            metadata.put("comment", field.comment());
        }
        var node = JSON.objectNode().put("name", field.name()).put("nullable", field.nullable());
        node.set("type", write(field.type()));
        node.set("metadata", metadata);
        return node;
    }

    /** IllegalArgumentException or IllegalStateException for what is no type. */
    public static DataType read(JsonNode node) {
        if (node.isTextual()) {
            return DataType.parse(node.textValue());
        }
        return switch (node.path("type").asText()) {
            case "array" ->
                    new DataType.Array(
                            read(node.required("elementType")),
                            node.required("containsNull").asBoolean());
            case "map" ->
                    new DataType.Map(
                            read(node.required("keyType")),
                            read(node.required("valueType")),
                            node.required("valueContainsNull").asBoolean());
            case "struct" -> {
                var fields = new ArrayList<Column>();
                node.required("fields").forEach(field -> fields.add(readField(field)));
                yield new DataType.Struct(fields);
            }
            case String other -> throw new IllegalStateException("not a type: " + other);
        };
    }

    /** Reads the struct of a whole table. */
    public static TableSchema readSchema(JsonNode struct) {
        var columns = new ArrayList<Column>();
        struct.required("fields").forEach(field -> columns.add(readField(field)));
        return new TableSchema(columns);
    }

    private static Column readField(JsonNode node) {
        return new Column(
                node.required("name").asText(),
                read(node.required("type")),
                node.required("nullable").asBoolean(),
                node.path("metadata").path("comment").asText());
    }
}
