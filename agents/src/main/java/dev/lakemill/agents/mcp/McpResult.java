package dev.lakemill.agents.mcp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import org.jspecify.annotations.Nullable;

/**
 * What a tool answers.
 *
 * @param content blocks of MCP's forms
 * @param structured the same as an object; null where there is none
 */
public record McpResult(ArrayNode content, @Nullable JsonNode structured, boolean isError) {
    public static McpResult text(String text) {
        return new McpResult(block(text), null, false);
    }

    /** An object, and as text for clients that read nothing else. */
    public static McpResult object(JsonNode object) {
        return new McpResult(block(object.toString()), object, false);
    }

    public static McpResult error(String text) {
        return new McpResult(block(text), null, true);
    }

    private static ArrayNode block(String text) {
        var content = JsonNodeFactory.instance.arrayNode();
        content.addObject().put("type", "text").put("text", text);
        return content;
    }
}
