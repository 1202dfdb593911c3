package dev.lakemill.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The argument schemas of MCP's tools, written property by property. */
final class McpSchemas {
    private final ObjectNode schema =
            JsonNodeFactory.instance
                    .objectNode()
                    .put("type", "object")
                    .put("additionalProperties", false);
    private final ObjectNode properties = schema.putObject("properties");

    static McpSchemas object() {
        return new McpSchemas();
    }

    McpSchemas required(String name, String type, String description) {
        schema.withArray("required").add(name);
        return optional(name, type, description);
    }

    McpSchemas optional(String name, String type, String description) {
        properties.putObject(name).put("type", type).put("description", description);
        return this;
    }

    McpSchemas oneOf(String name, String description, String... words) {
        var property = properties.putObject(name).put("type", "string");
        var list = property.put("description", description).putArray("enum");
        for (var word : words) {
            list.add(word);
        }
        return this;
    }

    McpSchemas count(String name, String description, int max) {
        properties
                .putObject(name)
                .put("type", "integer")
                .put("description", description)
                .put("minimum", 1)
                .put("maximum", max);
        return this;
    }

    ObjectNode build() {
        return schema;
    }
}
