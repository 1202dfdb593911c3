package dev.lakemill.agents.gateway;

import java.util.List;
import java.util.Objects;

/**
 * A message of a conversation.
 *
 * @param toolCalls that an assistant's message asked for
 * @param toolCallId which call a tool's message answers; empty for other roles
 */
public record ChatMessage(Role role, String content, List<ToolCall> toolCalls, String toolCallId) {
    /** Who says it. */
    public enum Role {
        SYSTEM,
        USER,
        ASSISTANT,
        TOOL
    }

    public ChatMessage {
        Objects.requireNonNull(role, "role is null");
        Objects.requireNonNull(content, "content is null");
        toolCalls = List.copyOf(toolCalls);
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(Role.SYSTEM, content, List.of(), "");
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(Role.USER, content, List.of(), "");
    }

    public static ChatMessage assistant(String content, List<ToolCall> toolCalls) {
        return new ChatMessage(Role.ASSISTANT, content, toolCalls, "");
    }

    /** What a called tool returned. */
    public static ChatMessage tool(String toolCallId, String content) {
        return new ChatMessage(Role.TOOL, content, List.of(), toolCallId);
    }
}
