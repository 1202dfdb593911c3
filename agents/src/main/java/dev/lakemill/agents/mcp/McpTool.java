package dev.lakemill.agents.mcp;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Caller;
import java.util.Objects;

/**
 * A tool as it is listed and called.
 *
 * @param inputSchema JSON Schema of the arguments, which are held against it before the call
 * @param changes whether calling it can change anything
 */
public record McpTool(
        String name, String description, ObjectNode inputSchema, boolean changes, Body body) {
    /** What it does, as the caller, with no more rights than the caller's. */
    public interface Body {
        /** What it throws as a LakemillException is told to the model as the tool's error. */
        McpResult call(Caller caller, ObjectNode arguments) throws Exception;
    }

    public McpTool {
        Objects.requireNonNull(name, "name is null");
        Objects.requireNonNull(body, "body is null");
    }
}
