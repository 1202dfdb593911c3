package dev.lakemill.server.agents;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.agents.runtime.AgentStore;
import dev.lakemill.catalog.Caller;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Agents as models of OpenAI's Responses: {@code POST /v1/responses} with an agent's name as {@code
 * model} starts a run. A run goes on whether or not anybody listens.
 */
final class ResponsesRoutes {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final Duration WAIT_MAX = Duration.ofMinutes(10);
    private static final Duration STREAM_MAX = Duration.ofHours(1);
    private static final Duration SILENCE_MAX = Duration.ofSeconds(15);
    private static final long WRITE_SECONDS_MAX = 30;

    private static final Routes.ErrorBody ERRORS =
            (status, failure) ->
                    Map.of(
                            "error",
                            Map.of(
                                    "message", String.valueOf(failure.getMessage()),
                                    "type",
                                            status >= 500
                                                    ? "server_error"
                                                    : "invalid_request_error",
                                    "code", failure.code().name()));

    private final Routes routes;
    private final AgentStore store;

    private ResponsesRoutes(Routes routes, AgentStore store) {
        this.routes = routes;
        this.store = store;
    }

    static void mount(Routes routes, AgentStore store) {
        var own = routes.withErrors(ERRORS);
        var mine = new ResponsesRoutes(own, store);
        for (var path : new String[] {"/responses", "/v1/responses"}) {
            own.secured(HttpMethod.POST, path, mine::create);
            own.secured(HttpMethod.GET, path + "/:response", mine::get);
            own.secured(HttpMethod.POST, path + "/:response/cancel", mine::cancel);
        }
    }

    private Object create(RoutingContext context, Caller caller) throws Exception {
        var body = routes.body(context);
        var agent = body.path("model").asText("");
        if (!store.isRegistered(agent) || !body.has("input")) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no agent '%s', or no input".formatted(agent),
                    "name an agent as model; GET /api/2.0/agents lists them");
        }
        var input = JSON.createObjectNode();
        input.set("input", body.get("input"));
        input.set("metadata", body.path("metadata"));
        var key = context.request().getHeader("idempotency-key");
        var run =
                store.start(
                        caller.principal().name(),
                        agent,
                        "message",
                        key == null ? UUID.randomUUID().toString() : "responses:" + key,
                        input,
                        AgentRoutes.onBehalfOf(caller));
        if (body.path("stream").asBoolean()) {
            return stream(context, caller, run, -1);
        }
        if (body.path("background").asBoolean()) {
            return ResponseEvents.response(shown(caller, run));
        }
        return ResponseEvents.response(ended(caller, run));
    }

    private Object get(RoutingContext context, Caller caller) throws Exception {
        var run = run(context);
        if (!"true".equals(context.request().getParam("stream"))) {
            return ResponseEvents.response(shown(caller, run));
        }
        var after = context.request().getParam("starting_after");
        return stream(context, caller, run, after == null ? -1 : AgentRoutes.number(after));
    }

    private Object cancel(RoutingContext context, Caller caller) {
        var run = run(context);
        store.cancel(caller.principal().name(), run, "by the Responses API");
        return ResponseEvents.response(shown(caller, run));
    }

    private static UUID run(RoutingContext context) {
        var hex = context.pathParam("response").replaceFirst("^resp_", "");
        return AgentRoutes.id(
                hex.length() == 32
                        ? hex.replaceFirst("(.{8})(.{4})(.{4})(.{4})(.{12})", "$1-$2-$3-$4-$5")
                        : hex);
    }

    private JsonNode shown(Caller caller, UUID run) {
        return store.show(caller.principal().name(), run);
    }

    /** The run when it has ended, or as it is after ten minutes. */
    private JsonNode ended(Caller caller, UUID run) throws InterruptedException {
        var until = System.nanoTime() + WAIT_MAX.toNanos();
        var shown = shown(caller, run);
        while (!ResponseEvents.isEnded(shown) && System.nanoTime() < until) {
            Thread.sleep(LOOK);
            shown = shown(caller, run);
        }
        return shown;
    }

    /** Ends with the run, with the listener, or after an hour; then it can be taken up again. */
    private Object stream(RoutingContext context, Caller caller, UUID run, int after)
            throws InterruptedException {
        var shown = shown(caller, run);
        context.response()
                .setChunked(true)
                .putHeader("content-type", "text/event-stream")
                .putHeader("cache-control", "no-store");
        var next = after + 1;
        var until = System.nanoTime() + STREAM_MAX.toNanos();
        var spoken = System.nanoTime();
        while (true) {
            var events = ResponseEvents.events(shown);
            for (; next < events.size(); next++) {
                var event = events.get(next);
                var type = event.path("type").asText();
                if (!write(context, "event: %s\ndata: %s\n\n".formatted(type, event))) {
                    return new Routes.Answered();
                }
                spoken = System.nanoTime();
            }
            if (ResponseEvents.isEnded(shown) || System.nanoTime() > until) {
                context.response().end();
                return new Routes.Answered();
            }
            if (System.nanoTime() - spoken > SILENCE_MAX.toNanos()) {
                spoken = System.nanoTime();
                if (!write(context, ": keep-alive\n\n")) {
                    return new Routes.Answered();
                }
            }
            Thread.sleep(LOOK);
            shown = shown(caller, run);
        }
    }

    /** False when nobody listens any more. */
    private static boolean write(RoutingContext context, String text) throws InterruptedException {
        if (context.response().closed()) {
            return false;
        }
        try {
            context.response()
                    .write(text)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(WRITE_SECONDS_MAX, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException | TimeoutException e) {
            context.response().reset();
            return false;
        }
    }
}
