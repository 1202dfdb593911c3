package dev.lakemill.agents.mcp;

import org.jspecify.annotations.Nullable;

/**
 * One POST.
 *
 * @param version of the header MCP-Protocol-Version
 * @param method of the header Mcp-Method
 * @param name of the header Mcp-Name
 */
public record McpRequest(
        String body, @Nullable String version, @Nullable String method, @Nullable String name) {}
