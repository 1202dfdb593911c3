package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Server-sent events of chat completions. */
final class StreamEvents {
    static final String DONE = "[DONE]";

    private StreamEvents() {}

    /** The data of the next event; null when the stream is at its end. */
    static @Nullable String next(OpenStream lines, Duration idleMax) throws InterruptedException {
        for (var line = lines.next(idleMax); line != null; line = lines.next(idleMax)) {
            if (line.startsWith("data:")) {
                return line.substring(5).strip();
            }
        }
        return null;
    }

    /** BAD_ANSWER for what is no JSON. */
    static JsonNode parse(String data) {
        try {
            return ProviderClient.JSON.readTree(data);
        } catch (JsonProcessingException e) {
            throw new ModelProblem(
                    ModelProblem.Kind.BAD_ANSWER,
                    "the provider's stream has an event that is not JSON",
                    "ask again");
        }
    }

    /** A whole completion as the events of a stream. */
    static List<String> of(JsonNode completion) {
        var choice = completion.path("choices").path(0);
        var message = (ObjectNode) choice.path("message").deepCopy();
        var index = 0;
        for (var call : message.path("tool_calls")) {
            ((ObjectNode) call).put("index", index++);
        }
        var events = new ArrayList<String>();
        events.add(chunk(completion, message, null));
        events.add(
                chunk(
                        completion,
                        ProviderClient.JSON.createObjectNode(),
                        choice.path("finish_reason").asText("stop")));
        events.add(DONE);
        return events;
    }

    private static String chunk(
            JsonNode completion, ObjectNode delta, @Nullable String finishReason) {
        var chunk = ProviderClient.JSON.createObjectNode();
        chunk.put("id", completion.path("id").asText());
        chunk.put("object", "chat.completion.chunk");
        chunk.put("created", completion.path("created").asLong());
        chunk.put("model", completion.path("model").asText());
        var choice = chunk.putArray("choices").addObject().put("index", 0);
        choice.set("delta", delta);
        choice.put("finish_reason", finishReason);
        if (completion.has(ChatJson.OURS)) {
            chunk.set(ChatJson.OURS, completion.get(ChatJson.OURS));
        }
        return chunk.toString();
    }

    static String error(ModelProblem problem) {
        var event = ProviderClient.JSON.createObjectNode();
        event.putObject("error")
                .put("message", problem.failure().getMessage())
                .put("type", "server_error")
                .put("code", problem.kind().name().toLowerCase(java.util.Locale.ROOT));
        return event.toString();
    }
}
