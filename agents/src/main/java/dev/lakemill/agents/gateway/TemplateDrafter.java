package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes what no model writes: the caller's template with its values, or the plainest object of a
 * response schema. The same request always gets the same text. It asks for no tools, and never
 * decides anything.
 */
final class TemplateDrafter {
    static final String DRAFT = "draft";
    private static final Pattern NAME = Pattern.compile("\\{\\{\\s*([A-Za-z0-9_.-]{1,64})\\s*}}");
    private static final int QUOTED_CHARS_MAX = 500;

    private TemplateDrafter() {}

    /** In the form of a chat completion. */
    static ObjectNode complete(ObjectNode request) {
        var text = text(request);
        var answer = ProviderClient.JSON.createObjectNode();
        answer.put("id", "template").put("object", "chat.completion").put("created", 0);
        answer.put("model", ProviderConfig.TEMPLATE);
        var choice = answer.putArray("choices").addObject().put("index", 0);
        choice.putObject("message").put("role", "assistant").put("content", text);
        choice.put("finish_reason", "stop");
        answer.putObject("usage")
                .put("prompt_tokens", 0)
                .put("completion_tokens", 0)
                .put("total_tokens", 0);
        return answer;
    }

    private static String text(ObjectNode request) {
        var draft = request.path("lakemill").path(DRAFT);
        var values = values(draft.path("values"));
        var schema = ChatJson.responseSchema(request);
        if (schema.isObject()) {
            return JsonSchema.plainest(schema, values).toString();
        }
        if (draft.path("template").isTextual()) {
            return filled(draft.path("template").asText(), values);
        }
        return "Template draft: no model is configured. You asked: " + lastOfUser(request);
    }

    private static Map<String, String> values(JsonNode node) {
        var values = new LinkedHashMap<String, String>();
        node.properties().forEach(field -> values.put(field.getKey(), field.getValue().asText()));
        return values;
    }

    /** In one pass: what a value says is never taken for a template. */
    private static String filled(String template, Map<String, String> values) {
        return NAME.matcher(template)
                .replaceAll(
                        match ->
                                Matcher.quoteReplacement(
                                        values.getOrDefault(match.group(1), match.group())));
    }

    private static String lastOfUser(ObjectNode request) {
        var last = "";
        for (var message : request.path("messages")) {
            if (message.path("role").asText().equals("user")) {
                last = ChatJson.text(message.path("content"));
            }
        }
        return last.length() > QUOTED_CHARS_MAX ? last.substring(0, QUOTED_CHARS_MAX) + "…" : last;
    }
}
