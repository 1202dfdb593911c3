package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Chat requests and answers in OpenAI's form, and what is ours in it: the object lakemill. */
final class ChatJson {
    static final String OURS = "lakemill";
    private static final ObjectMapper JSON = ProviderClient.JSON;
    private static final int MESSAGES_MAX = 1_000;
    private static final int TOOLS_MAX = 128;

    private ChatJson() {}

    static ObjectNode of(ChatRequest request) {
        var body = JSON.createObjectNode().put("model", request.endpoint());
        var messages = body.putArray("messages");
        request.messages().forEach(message -> messages.add(of(message)));
        if (!request.tools().isEmpty()) {
            var tools = body.putArray("tools");
            for (var tool : request.tools()) {
                var function = tools.addObject().put("type", "function").putObject("function");
                function.put("name", tool.name()).put("description", tool.description());
                function.set("parameters", tool.parameters());
            }
        }
        var schema = request.responseSchema();
        if (schema != null) {
            var format = body.putObject("response_format").put("type", "json_schema");
            var named = format.putObject("json_schema").put("name", "answer").put("strict", true);
            named.set("schema", schema);
        }
        if (request.outputTokensMax() > 0) {
            body.put("max_tokens", request.outputTokensMax());
        }
        var draft = request.draft();
        if (draft != null) {
            var ours = body.putObject(OURS).putObject(TemplateDrafter.DRAFT);
            ours.put("template", draft.template());
            var values = ours.putObject("values");
            draft.values().forEach(values::put);
        }
        return body;
    }

    private static ObjectNode of(ChatMessage message) {
        var node = JSON.createObjectNode();
        node.put("role", message.role().name().toLowerCase(Locale.ROOT));
        node.put("content", message.content());
        if (!message.toolCalls().isEmpty()) {
            var calls = node.putArray("tool_calls");
            for (var call : message.toolCalls()) {
                var function =
                        calls.addObject()
                                .put("id", call.id())
                                .put("type", "function")
                                .putObject("function");
                function.put("name", call.name()).put("arguments", call.arguments());
            }
        }
        if (!message.toolCallId().isEmpty()) {
            node.put("tool_call_id", message.toolCallId());
        }
        return node;
    }

    static ChatAnswer answer(JsonNode completion) {
        var choice = completion.path("choices").path(0);
        var calls = new ArrayList<ToolCall>();
        for (var call : choice.path("message").path("tool_calls")) {
            var function = call.path("function");
            calls.add(
                    new ToolCall(
                            call.path("id").asText(),
                            function.path("name").asText(),
                            function.path("arguments").asText()));
        }
        var ours = completion.path(OURS);
        var usage = completion.path("usage");
        return new ChatAnswer(
                ours.path("request_id").asText(),
                text(choice.path("message").path("content")),
                calls,
                choice.path("finish_reason").asText(),
                new TokenUsage(
                        usage.path("prompt_tokens").asLong(),
                        usage.path("completion_tokens").asLong(),
                        ours.path("estimated_tokens").asBoolean()),
                ours.path("cost_micros").asLong(),
                completion.path("model").asText(),
                ours.path("provider").asText(),
                ours.path("template").asBoolean());
    }

    /** INVALID_REQUEST for what is no chat request that we take. */
    static void check(ObjectNode request) {
        var messages = request.path("messages");
        if (!messages.isArray() || messages.isEmpty() || messages.size() > MESSAGES_MAX) {
            throw invalid(
                    "messages is not a list of 1 to %d messages".formatted(MESSAGES_MAX),
                    "send {\"messages\": [{\"role\": \"user\", \"content\": \"…\"}]}");
        }
        for (var message : messages) {
            if (!message.isObject() || !message.path("role").isTextual()) {
                throw invalid("a message has no role", "system, user, assistant or tool");
            }
        }
        if (request.path("tools").size() > TOOLS_MAX) {
            throw invalid("there are too many tools", "at most %d".formatted(TOOLS_MAX));
        }
        if (request.path("n").asInt(1) != 1) {
            throw invalid("n is not 1", "ask once for each answer");
        }
    }

    /** Of messages and tools, what a tokenizer would read. */
    static long characters(ObjectNode request) {
        long characters = 0;
        for (var message : request.path("messages")) {
            characters += text(message.path("content")).length() + 16;
            characters +=
                    message.has("tool_calls") ? message.get("tool_calls").toString().length() : 0;
        }
        return characters
                + (request.has("tools") ? request.get("tools").toString().length() : 0)
                + (request.has("response_format")
                        ? request.get("response_format").toString().length()
                        : 0);
    }

    /** What may be written at most: what is asked for, within the endpoint's limit. */
    static int outputTokensMax(ObjectNode request, EndpointConfig endpoint) {
        var most = endpoint.limits().outputTokensMax();
        for (var key : List.of("max_completion_tokens", "max_tokens")) {
            var asked = request.path(key);
            if (asked.isIntegralNumber()) {
                if (asked.asLong() < 1 || asked.asLong() > most) {
                    throw invalid(
                            "%s is %s".formatted(key, asked),
                            "endpoint '%s' writes 1 to %d".formatted(endpoint.name(), most));
                }
                return asked.asInt();
            }
        }
        return most;
    }

    /** The schema that the answer is to fit; missing when there is none. */
    static JsonNode responseSchema(JsonNode request) {
        var format = request.path("response_format");
        return format.path("type").asText().equals("json_schema")
                ? format.path("json_schema").path("schema")
                : MissingNode.getInstance();
    }

    /** As the provider is asked: with its name of the model, and what it knows. */
    static ObjectNode forProvider(ObjectNode request, ProviderConfig provider, int outputMax) {
        var body = request.deepCopy();
        body.remove(List.of(OURS, "max_tokens", "max_completion_tokens"));
        body.put("model", provider.model()).put("max_tokens", outputMax);
        if (!body.path("stream").asBoolean()) {
            body.remove(List.of("stream", "stream_options"));
        } else if (provider.can(ProviderConfig.Capability.STREAM_USAGE)) {
            body.putObject("stream_options").put("include_usage", true);
        } else {
            body.remove("stream_options");
        }
        var schema = responseSchema(request);
        if (schema.isObject() && !provider.can(ProviderConfig.Capability.JSON_SCHEMA)) {
            body.remove("response_format");
            if (provider.can(ProviderConfig.Capability.JSON_OBJECT)) {
                body.putObject("response_format").put("type", "json_object");
            }
            var told = "Answer with one JSON object alone that fits this JSON Schema: " + schema;
            var system = JSON.createObjectNode().put("role", "system").put("content", told);
            ((ArrayNode) body.get("messages")).insert(0, system);
        }
        return body;
    }

    /** Asks for the same again, told what was wrong with the answer. */
    static void addRepair(ObjectNode body, String content, String mismatch) {
        var messages = (ArrayNode) body.get("messages");
        messages.addObject().put("role", "assistant").put("content", content);
        messages.addObject()
                .put("role", "user")
                .put(
                        "content",
                        "That does not fit the JSON Schema: %s. Answer with the JSON alone."
                                .formatted(mismatch));
    }

    /** What is wrong with the content, as JSON that is to fit; empty when it fits. */
    static Optional<String> mismatch(JsonNode schema, String content) {
        try {
            var value = JSON.readTree(content);
            return value == null || value.isMissingNode()
                    ? Optional.of("it is empty")
                    : JsonSchema.mismatch(schema, value);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            return Optional.of("it is not JSON");
        }
    }

    /** Of a content that is a text or a list of parts. */
    static String text(JsonNode content) {
        if (!content.isArray()) {
            return content.isNull() || content.isMissingNode() ? "" : content.asText();
        }
        var text = new StringBuilder();
        content.forEach(part -> text.append(part.path("text").asText()));
        return text.toString();
    }

    /** Every text that a person or model wrote, as the change makes it. */
    static void changeTexts(JsonNode messages, UnaryOperator<String> change) {
        for (var message : messages) {
            change(message, "content", change);
            for (var part : message.path("content")) {
                change(part, "text", change);
            }
            for (var call : message.path("tool_calls")) {
                change(call.path("function"), "arguments", change);
            }
        }
    }

    static void change(JsonNode node, String key, UnaryOperator<String> change) {
        if (node instanceof ObjectNode object && object.path(key).isTextual()) {
            object.put(key, change.apply(object.get(key).asText()));
        }
    }

    static ModelProblem invalid(String problem, String hint) {
        return new ModelProblem(ModelProblem.Kind.INVALID_REQUEST, problem, hint);
    }
}
