package dev.lakemill.server.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.gateway.Gateway;
import dev.lakemill.agents.gateway.ModelProblem;
import dev.lakemill.catalog.Caller;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * OpenAI's paths under {@code /v1} and Databricks' under {@code /serving-endpoints}, with errors in
 * OpenAI's form. Models of the registry are scored at the same place.
 */
public final class GatewayRoutes {
    private static final int PROMPTS_MAX = 64;
    private static final String ENDPOINTS = "/api/2.0/serving-endpoints";
    private static final String CHAT_TASK = "llm/v1/chat";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** Scores rows with a registered model that is no endpoint. */
    public interface RegisteredScores {
        /** {@code catalog.schema.model}, alone or with {@code @alias}. */
        double[] score(Caller caller, String model, JsonNode request);
    }

    private final Routes routes;
    private final Gateway gateway;
    private final RegisteredScores registered;

    private GatewayRoutes(Routes routes, Gateway gateway, RegisteredScores registered) {
        this.routes = routes;
        this.gateway = gateway;
        this.registered = registered;
    }

    public static void mount(Routes routes, Gateway gateway, RegisteredScores registered) {
        var openAi = routes.withErrors(GatewayRoutes::error);
        var mine = new GatewayRoutes(openAi, gateway, registered);
        for (var base : List.of("/v1", "/serving-endpoints")) {
            mine.post(base + "/chat/completions", mine::chat);
            mine.post(base + "/embeddings", (_, caller, body) -> gateway.embed(caller, body));
        }
        openAi.secured(HttpMethod.GET, "/v1/models", (_, caller) -> mine.models(caller));
        openAi.secured(HttpMethod.GET, "/v1/models/:name", mine::model);
        routes.secured(HttpMethod.GET, ENDPOINTS, (_, caller) -> mine.endpoints(caller));
        routes.secured(HttpMethod.GET, ENDPOINTS + "/:name", mine::endpoint);
        mine.post("/serving-endpoints/:name/invocations", mine::invoke);
    }

    private interface Answer {
        Object of(RoutingContext context, Caller caller, ObjectNode body) throws IOException;
    }

    private void post(String path, Answer answer) {
        routes.secured(
                HttpMethod.POST,
                path,
                (context, caller) -> {
                    try {
                        if (routes.body(context) instanceof ObjectNode body) {
                            return answer.of(context, caller, body);
                        }
                        throw invalid("the body is no JSON object", "send {\"model\": …}");
                    } catch (ModelProblem e) {
                        return told(e);
                    }
                });
    }

    private Object chat(RoutingContext context, Caller caller, ObjectNode body) throws IOException {
        if (!body.path("stream").asBoolean()) {
            return gateway.complete(caller, body);
        }
        var response = context.response();
        try {
            gateway.stream(caller, body, new EventStream(response));
            response.end();
        } catch (IOException e) {
            response.reset();
        }
        return new Routes.Answered();
    }

    /** Databricks' one path for all kinds of models: the body says what is meant. */
    private Object invoke(RoutingContext context, Caller caller, ObjectNode body)
            throws IOException {
        var name = context.pathParam("name");
        if (!gateway.has(name)) {
            return scores(caller, name, body);
        }
        body.put("model", name);
        if (body.has("messages")) {
            return chat(context, caller, body);
        }
        if (body.has("input")) {
            return gateway.embed(caller, body);
        }
        return predictions(caller, name, body);
    }

    private Object scores(Caller caller, String name, ObjectNode body) {
        var begun = System.nanoTime();
        var answer = NODES.objectNode();
        var predictions = answer.putArray("predictions");
        try {
            for (var score : registered.score(caller, name, body)) {
                predictions.add(score);
            }
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.NOT_FOUND) {
                gateway.scored(caller, name, Routes.status(e.code()), e.problem(), since(begun));
            }
            throw e;
        }
        gateway.scored(caller, name, 200, "", since(begun));
        return answer;
    }

    private static long since(long begunNanos) {
        return (System.nanoTime() - begunNanos) / 1_000_000;
    }

    /** A prompt a row, each a call of its own. */
    private Object predictions(Caller caller, String name, ObjectNode body) {
        var rows = body.has("inputs") ? body.get("inputs") : body.path("dataframe_records");
        if (!rows.isArray() || rows.isEmpty() || rows.size() > PROMPTS_MAX) {
            throw invalid(
                    "there are no rows, or more than %d".formatted(PROMPTS_MAX),
                    "send messages, input, or inputs or dataframe_records with a prompt each");
        }
        var answer = NODES.objectNode();
        var predictions = answer.putArray("predictions");
        for (var row : rows) {
            var prompt = row.isTextual() ? row : row.path("prompt");
            if (!prompt.isTextual()) {
                throw invalid("a row has no prompt", "send {\"prompt\": \"…\"} for each");
            }
            var request = NODES.objectNode().put("model", name);
            request.putArray("messages")
                    .addObject()
                    .put("role", "user")
                    .put("content", prompt.asText());
            if (body.has("max_tokens")) {
                request.set("max_tokens", body.get("max_tokens"));
            }
            predictions.add(
                    gateway.complete(caller, request)
                            .path("choices")
                            .path(0)
                            .path("message")
                            .path("content")
                            .asText());
        }
        return answer;
    }

    private Object models(Caller caller) {
        var answer = NODES.objectNode().put("object", "list");
        var data = answer.putArray("data");
        gateway.endpoints(caller).forEach(endpoint -> data.add(shape(endpoint)));
        return answer;
    }

    private Object model(RoutingContext context, Caller caller) {
        var name = context.pathParam("name");
        return gateway.endpoints(caller).stream()
                .filter(endpoint -> endpoint.name().equals(name))
                .<Object>map(GatewayRoutes::shape)
                .findFirst()
                .orElseGet(
                        () ->
                                told(
                                        new ModelProblem(
                                                ModelProblem.Kind.NO_ENDPOINT,
                                                "there is no endpoint '%s'".formatted(name),
                                                "GET /v1/models lists those that you may call")));
    }

    private static ObjectNode shape(Gateway.Listed endpoint) {
        var shape =
                NODES.objectNode()
                        .put("id", endpoint.name())
                        .put("object", "model")
                        .put("created", 0)
                        .put("owned_by", "lakemill");
        var ours = shape.putObject("lakemill").put("template", endpoint.isTemplate());
        ours.put("comment", endpoint.comment());
        var providers = ours.putArray("providers");
        for (var provider : endpoint.providers()) {
            providers
                    .addObject()
                    .put("name", provider.name())
                    .put("model", provider.model())
                    .put("circuit", provider.circuit());
        }
        return shape;
    }

    private Object endpoints(Caller caller) {
        var answer = NODES.objectNode();
        var list = answer.putArray("endpoints");
        gateway.endpoints(caller).forEach(endpoint -> list.add(served(endpoint)));
        return answer;
    }

    private Object endpoint(RoutingContext context, Caller caller) {
        var name = context.pathParam("name");
        return gateway.endpoints(caller).stream()
                .filter(endpoint -> endpoint.name().equals(name))
                .findFirst()
                .map(GatewayRoutes::served)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no endpoint '%s'".formatted(name),
                                        "GET %s lists those that you may call"
                                                .formatted(ENDPOINTS)));
    }

    /** As Databricks describes an endpoint of external models. */
    private static ObjectNode served(Gateway.Listed endpoint) {
        var one = NODES.objectNode().put("name", endpoint.name());
        one.put("description", endpoint.comment());
        one.put("endpoint_type", "EXTERNAL_MODEL").put("task", CHAT_TASK);
        one.putObject("state").put("ready", "READY").put("config_update", "NOT_UPDATING");
        one.put("template", endpoint.isTemplate());
        var entities = one.putObject("config").putArray("served_entities");
        for (var provider : endpoint.providers()) {
            var entity = entities.addObject().put("name", provider.name());
            entity.putObject("external_model")
                    .put("name", provider.model())
                    .put("provider", "custom")
                    .put("task", CHAT_TASK);
            entity.put("circuit", provider.circuit());
        }
        return one;
    }

    private static ModelProblem invalid(String problem, String hint) {
        return new ModelProblem(ModelProblem.Kind.INVALID_REQUEST, problem, hint);
    }

    private static Routes.Reply told(ModelProblem problem) {
        var status =
                switch (problem.kind()) {
                    case INVALID_REQUEST, BLOCKED -> 400;
                    case NOT_ALLOWED -> 403;
                    case NO_ENDPOINT -> 404;
                    case LIMITED, BUDGET_SPENT -> 429;
                    case REFUSED -> 424;
                    case BAD_ANSWER -> 502;
                    case UNAVAILABLE -> 503;
                };
        var headers = new HashMap<String, String>();
        headers.put("content-type", "application/json");
        headers.put("x-should-retry", String.valueOf(problem.isRetriable()));
        problem.retryAfter()
                .ifPresent(
                        wait ->
                                headers.put(
                                        "retry-after",
                                        String.valueOf(Math.max(1, wait.toSeconds()))));
        var code = problem.kind().name().toLowerCase(java.util.Locale.ROOT);
        return new Routes.Reply(
                status,
                headers,
                body(status, String.valueOf(problem.failure().getMessage()), code));
    }

    private static Object error(int status, LakemillException failure) {
        return body(
                status,
                String.valueOf(failure.getMessage()),
                failure.code().name().toLowerCase(java.util.Locale.ROOT));
    }

    private static Object body(int status, String message, String code) {
        var type =
                switch (status) {
                    case 401 -> "authentication_error";
                    case 403 -> "permission_error";
                    case 429 -> "rate_limit_error";
                    default -> status < 500 ? "invalid_request_error" : "server_error";
                };
        return Map.of("error", Map.of("message", message, "type", type, "code", code));
    }
}
