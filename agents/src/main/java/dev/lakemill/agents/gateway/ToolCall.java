package dev.lakemill.agents.gateway;

/**
 * A call that a model asks for.
 *
 * @param arguments as the model wrote them: meant to be JSON, and held against nothing yet
 */
public record ToolCall(String id, String name, String arguments) {}
