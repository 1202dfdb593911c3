package dev.lakemill.agents.mcp;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * What goes back.
 *
 * @param body null for none
 */
public record McpReply(int status, @Nullable JsonNode body) {}
