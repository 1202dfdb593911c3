package dev.lakemill.server.agents;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A run in the words of OpenAI's Responses. Its events follow from its journal, which is only
 * appended to; so an event has the same sequence number whenever it is asked for, and a stream goes
 * on after any of them, on any node.
 */
final class ResponseEvents {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> ENDED = Set.of("succeeded", "failed", "cancelled");

    private ResponseEvents() {}

    static boolean isEnded(JsonNode run) {
        return ENDED.contains(run.path("status").asText());
    }

    static String id(JsonNode run) {
        return "resp_" + run.path("run_id").asText().replace("-", "");
    }

    /** The response object as it is now. */
    static ObjectNode response(JsonNode run) {
        var response =
                JSON.createObjectNode()
                        .put("id", id(run))
                        .put("object", "response")
                        .put("created_at", seconds(run.path("created_at").asText()))
                        .put("status", status(run.path("status").asText()))
                        .put("model", run.path("agent").asText())
                        .put("background", true);
        var output = response.putArray("output");
        run.path("steps").forEach(step -> output.add(item(run, step)));
        if (run.path("status").asText().equals("succeeded")) {
            output.add(message(run));
        }
        response.putObject("usage").put("total_tokens", run.path("tokens_used").asLong());
        if (run.path("status").asText().equals("failed")) {
            response.putObject("error")
                    .put("code", run.path("error_code").asText())
                    .put("message", run.path("error").asText());
        } else {
            response.putNull("error");
        }
        var metadata = response.putObject("metadata");
        for (var approval : run.path("approvals")) {
            if (approval.path("state").asText().equals("pending")) {
                metadata.put("waits_for_approval", approval.path("approval_id").asText());
            }
        }
        return response;
    }

    /** All events so far, from number 0 on. */
    static List<ObjectNode> events(JsonNode run) {
        var events = new ArrayList<ObjectNode>();
        var bare = bare(run);
        add(events, "response.created").set("response", bare.deepCopy().put("status", "queued"));
        add(events, "response.in_progress")
                .set("response", bare.deepCopy().put("status", "in_progress"));
        var index = 0;
        for (var step : run.path("steps")) {
            addItem(events, index++, item(run, step));
        }
        switch (run.path("status").asText()) {
            case "succeeded" -> {
                addMessage(events, index, run);
                add(events, "response.completed").set("response", response(run));
            }
            case "failed" -> add(events, "response.failed").set("response", response(run));
            case "cancelled" -> add(events, "response.incomplete").set("response", response(run));
            default -> {}
        }
        return events;
    }

    private static ObjectNode bare(JsonNode run) {
        return JSON.createObjectNode()
                .put("id", id(run))
                .put("object", "response")
                .put("created_at", seconds(run.path("created_at").asText()))
                .put("model", run.path("agent").asText());
    }

    private static void addItem(List<ObjectNode> events, int index, ObjectNode item) {
        add(events, "response.output_item.added").put("output_index", index).set("item", item);
        add(events, "response.output_item.done").put("output_index", index).set("item", item);
    }

    private static void addMessage(List<ObjectNode> events, int index, JsonNode run) {
        var message = message(run);
        var id = message.path("id").asText();
        var text = message.at("/content/0/text").asText();
        var begun = message.deepCopy().put("status", "in_progress");
        begun.putArray("content");
        add(events, "response.output_item.added").put("output_index", index).set("item", begun);
        add(events, "response.output_text.delta")
                .put("item_id", id)
                .put("output_index", index)
                .put("content_index", 0)
                .put("delta", text);
        add(events, "response.output_text.done")
                .put("item_id", id)
                .put("output_index", index)
                .put("content_index", 0)
                .put("text", text);
        add(events, "response.output_item.done").put("output_index", index).set("item", message);
    }

    private static ObjectNode add(List<ObjectNode> events, String type) {
        var event = JSON.createObjectNode().put("type", type).put("sequence_number", events.size());
        events.add(event);
        return event;
    }

    /** A step, as the call of a function; what went in and came out stays in the run's own API. */
    private static ObjectNode item(JsonNode run, JsonNode step) {
        return JSON.createObjectNode()
                .put("id", "step_" + id(run).substring(5) + "_" + step.path("seq").asInt())
                .put("type", "function_call")
                .put("call_id", "call_" + step.path("seq").asInt())
                .put("name", step.path("name").asText())
                .put("arguments", "{}")
                .put("status", "completed");
    }

    private static ObjectNode message(JsonNode run) {
        var message =
                JSON.createObjectNode()
                        .put("id", "msg_" + id(run).substring(5))
                        .put("type", "message")
                        .put("role", "assistant")
                        .put("status", "completed");
        var output = run.path("output");
        var text = output.isTextual() ? output.asText() : output.path("text").asText();
        var content = message.putArray("content").addObject().put("type", "output_text");
        content.put("text", text.isEmpty() ? output.toString() : text).putArray("annotations");
        return message;
    }

    private static long seconds(String time) {
        return OffsetDateTime.parse(time).toEpochSecond();
    }

    private static String status(String status) {
        return switch (status) {
            case "queued" -> "queued";
            case "succeeded" -> "completed";
            case "failed" -> "failed";
            case "cancelled" -> "cancelled";
            default -> "in_progress";
        };
    }
}
