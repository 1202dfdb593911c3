package dev.lakemill.agents.gateway;

import java.util.List;

/**
 * What came back.
 *
 * @param requestId of the usage row
 * @param content empty where the model only asks for tools
 * @param finishReason {@code stop}, {@code length}, {@code tool_calls} or {@code content_filter}
 * @param costMicros by the config's prices, in millionths of a dollar
 * @param model as the provider names it; {@code template} for a template's text
 * @param provider by its name in the config; {@code template} for a template's text
 * @param isTemplate whether no model wrote it, which everyone who shows it says
 */
public record ChatAnswer(
        String requestId,
        String content,
        List<ToolCall> toolCalls,
        String finishReason,
        TokenUsage usage,
        long costMicros,
        String model,
        String provider,
        boolean isTemplate) {
    public ChatAnswer {
        toolCalls = List.copyOf(toolCalls);
    }

    /** To go on with the conversation. */
    public ChatMessage message() {
        return ChatMessage.assistant(content, toolCalls);
    }
}
