package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a model is asked.
 *
 * @param endpoint its name; empty for the first of the project, or the template where there is none
 * @param tools that the model may ask to be called; the caller calls them, or not
 * @param responseSchema JSON Schema that the answer's content is to fit; the answer has been held
 *     against it
 * @param outputTokensMax at most so many are written; 0 for the endpoint's own maximum
 * @param draft what the template drafter writes where no model does
 */
public record ChatRequest(
        String endpoint,
        List<ChatMessage> messages,
        List<ChatTool> tools,
        @Nullable JsonNode responseSchema,
        int outputTokensMax,
        @Nullable ChatDraft draft) {
    public ChatRequest {
        Objects.requireNonNull(endpoint, "endpoint is null");
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
    }

    /** Without tools, schema and draft. */
    public static ChatRequest of(String endpoint, ChatMessage... messages) {
        return new ChatRequest(endpoint, List.of(messages), List.of(), null, 0, null);
    }

    public ChatRequest withTools(List<ChatTool> others) {
        return new ChatRequest(endpoint, messages, others, responseSchema, outputTokensMax, draft);
    }

    public ChatRequest withResponseSchema(JsonNode schema) {
        return new ChatRequest(endpoint, messages, tools, schema, outputTokensMax, draft);
    }

    public ChatRequest withOutputTokensMax(int tokens) {
        return new ChatRequest(endpoint, messages, tools, responseSchema, tokens, draft);
    }

    public ChatRequest withDraft(ChatDraft other) {
        return new ChatRequest(endpoint, messages, tools, responseSchema, outputTokensMax, other);
    }
}
