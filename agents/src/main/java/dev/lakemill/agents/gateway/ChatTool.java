package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A tool that a model may ask for.
 *
 * @param parameters JSON Schema of its arguments
 */
public record ChatTool(String name, String description, JsonNode parameters) {}
