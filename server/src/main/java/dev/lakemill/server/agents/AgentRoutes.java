package dev.lakemill.server.agents;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.agents.runtime.AgentDefinition;
import dev.lakemill.agents.runtime.AgentStore;
import dev.lakemill.agents.runtime.AgentTriggers;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Agents, their runs, approvals and triggers over REST, as whoever calls. */
public final class AgentRoutes {
    private static final String AGENTS = "/api/2.0/agents";
    private static final String RUNS = "/api/2.0/agent-runs";
    private static final String APPROVALS = "/api/2.0/agent-approvals";
    private static final String SWITCH = "/api/2.0/agent-switch";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, Boolean> DONE = Map.of("done", true);

    private final Routes routes;
    private final Catalog catalog;
    private final AgentStore store;
    private final AgentTriggers triggers;

    private AgentRoutes(Routes routes, Catalog catalog, AgentStore store, AgentTriggers triggers) {
        this.routes = routes;
        this.catalog = catalog;
        this.store = store;
        this.triggers = triggers;
    }

    public static void mount(
            Routes routes, Catalog catalog, AgentStore store, AgentTriggers triggers) {
        var mine = new AgentRoutes(routes, catalog, store, triggers);
        routes.secured(HttpMethod.GET, AGENTS, (_, c) -> mine.list(c));
        routes.secured(HttpMethod.PUT, AGENTS + "/:agent", mine::register);
        routes.secured(HttpMethod.DELETE, AGENTS + "/:agent", mine::delete);
        routes.secured(HttpMethod.POST, AGENTS + "/:agent/runs", mine::run);
        routes.secured(HttpMethod.POST, AGENTS + "/:agent/messages", mine::message);
        routes.secured(HttpMethod.POST, AGENTS + "/:agent/pause", (x, c) -> mine.pause(x, c, true));
        routes.secured(
                HttpMethod.POST, AGENTS + "/:agent/resume", (x, c) -> mine.pause(x, c, false));
        routes.secured(HttpMethod.GET, AGENTS + "/:agent/triggers", mine::triggers);
        routes.secured(HttpMethod.POST, AGENTS + "/:agent/triggers", mine::createTrigger);
        routes.secured(HttpMethod.DELETE, AGENTS + "/:agent/triggers/:trigger", mine::dropTrigger);
        routes.secured(HttpMethod.GET, RUNS, mine::runs);
        routes.secured(HttpMethod.GET, RUNS + "/:run", mine::show);
        routes.secured(HttpMethod.POST, RUNS + "/:run/messages", mine::tell);
        routes.secured(HttpMethod.POST, RUNS + "/:run/cancel", mine::cancel);
        routes.secured(HttpMethod.POST, RUNS + "/:run/pause", (x, c) -> mine.pauseRun(x, c, true));
        routes.secured(
                HttpMethod.POST, RUNS + "/:run/resume", (x, c) -> mine.pauseRun(x, c, false));
        routes.secured(HttpMethod.GET, APPROVALS, mine::approvals);
        routes.secured(HttpMethod.POST, APPROVALS + "/:approval/decide", mine::decide);
        routes.secured(HttpMethod.POST, APPROVALS + "/:approval/delegate", mine::delegate);
        routes.secured(HttpMethod.GET, SWITCH, (_, _) -> store.killSwitch());
        routes.secured(HttpMethod.POST, SWITCH, mine::turnSwitch);
        ResponsesRoutes.mount(routes, store);
    }

    private static String actor(Caller caller) {
        return caller.principal().name();
    }

    static String onBehalfOf(Caller caller) {
        var other = caller.onBehalfOf();
        return other == null ? "" : other.name();
    }

    private Object list(Caller caller) {
        return Map.of(
                "agents",
                store.list(actor(caller)),
                "switch",
                store.killSwitch(),
                "may_stop_all",
                catalog.principals().isAdmin(caller.principal().id()));
    }

    /** Metastore admins make agents: an agent's principal acts without anybody being there. */
    private Object register(RoutingContext context, Caller caller) {
        var name = context.pathParam("agent");
        if (!catalog.principals().isAdmin(caller.principal().id())) {
            audit(caller, "registerAgent", Map.of("agent", name), 403);
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "only metastore admins may register an agent",
                    "a member of the group admins can do it, with you as its owner");
        }
        var body = routes.body(context);
        var usual = AgentDefinition.Caps.USUAL;
        var addresses = body.path("addresses");
        var agent =
                new AgentDefinition(
                        name,
                        text(body, "principal"),
                        body.path("owner").asText(actor(caller)),
                        body.path("description").asText(""),
                        texts(body, "callers"),
                        texts(body, "approvers"),
                        new AgentDefinition.Caps(
                                body.path("steps_max").asInt(usual.stepsMax()),
                                body.path("tokens_max").asLong(usual.tokensMax()),
                                body.path("cost_micros_max").asLong(usual.costMicrosMax()),
                                body.path("seconds_max").asInt(usual.secondsMax()),
                                body.path("failures_max").asInt(usual.failuresMax())),
                        addresses.isObject()
                                ? new AgentDefinition.Addresses(
                                        text(addresses, "table"),
                                        text(addresses, "key"),
                                        text(addresses, "column"))
                                : null,
                        body.path("mail_needs_approval").asBoolean(true));
        store.register(agent);
        audit(
                caller,
                "registerAgent",
                Map.of("agent", name, "principal", agent.principal(), "owner", agent.owner()),
                200);
        return DONE;
    }

    /**
     * Triggers go first, each when no write to its table is under way: no write ever fails by it.
     */
    private Object delete(RoutingContext context, Caller caller) {
        var agent = context.pathParam("agent");
        var cancelOpen = "true".equals(parameter(context, "cancel_runs", ""));
        store.requireDeletable(actor(caller), agent, cancelOpen);
        triggers.list(agent).forEach(trigger -> triggers.drop(trigger.path("name").asText()));
        return Map.of("runs", store.delete(actor(caller), agent, cancelOpen));
    }

    private void audit(Caller caller, String action, Map<String, String> about, int status) {
        catalog.audit()
                .record(
                        new AuditEvent(
                                caller,
                                "agents",
                                action,
                                about,
                                status,
                                status == 200 ? "" : "not allowed"));
    }

    private Object run(RoutingContext context, Caller caller) {
        return start(context, caller, "api");
    }

    private Object message(RoutingContext context, Caller caller) {
        return start(context, caller, "message");
    }

    private Object start(RoutingContext context, Caller caller, String kind) {
        var body = routes.body(context);
        var key = body.path("key").asText("");
        var run =
                store.start(
                        actor(caller),
                        context.pathParam("agent"),
                        kind,
                        key.isEmpty() ? UUID.randomUUID().toString() : key,
                        body.has("input") ? body.get("input") : JSON.createObjectNode(),
                        onBehalfOf(caller));
        return Map.of("run_id", run.toString());
    }

    private Object pause(RoutingContext context, Caller caller, boolean pause) {
        store.pauseAgent(actor(caller), context.pathParam("agent"), pause);
        return DONE;
    }

    private Object triggers(RoutingContext context, Caller caller) {
        return Map.of("triggers", triggers.list(managed(context, caller)));
    }

    private String managed(RoutingContext context, Caller caller) {
        var agent = context.pathParam("agent");
        if (!store.mayManage(actor(caller), agent)) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "%s does not manage an agent %s".formatted(actor(caller), agent),
                    "its owner and metastore admins do");
        }
        return agent;
    }

    private Object createTrigger(RoutingContext context, Caller caller) {
        var agent = managed(context, caller);
        var body = routes.body(context);
        var name = text(body, "name");
        var input = body.has("input") ? body.get("input") : JSON.createObjectNode();
        if (body.has("cron")) {
            var zone = body.path("time_zone").asText("UTC");
            triggers.schedule(actor(caller), name, agent, text(body, "cron"), zone, input);
        } else {
            var table = TableName.parse(text(body, "table"));
            requireManaged(caller, table);
            var operations = texts(body, "operations");
            var change =
                    new AgentTriggers.RowChange(
                            table.toString(),
                            texts(body, "key_columns"),
                            operations.isEmpty()
                                    ? List.of("insert", "update", "delete")
                                    : operations,
                            body.path("changed_column").asText(""),
                            body.hasNonNull("becomes") ? text(body, "becomes") : null);
            triggers.onRowChange(actor(caller), name, agent, change, input);
        }
        audit(caller, "createAgentTrigger", Map.of("agent", agent, "trigger", name), 200);
        return DONE;
    }

    /** A trigger is part of every write to the table. */
    private void requireManaged(Caller caller, TableName table) {
        if (!catalog.access().mayManage(caller, Securable.table(table))) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "%s does not manage the table %s".formatted(actor(caller), table),
                    "its owner, and who has MANAGE on it, do");
        }
    }

    private Object dropTrigger(RoutingContext context, Caller caller) {
        var agent = managed(context, caller);
        var name = context.pathParam("trigger");
        for (var trigger : triggers.list(agent)) {
            if (trigger.path("name").asText().equals(name)) {
                triggers.drop(name);
                audit(caller, "dropAgentTrigger", Map.of("agent", agent, "trigger", name), 200);
                return DONE;
            }
        }
        throw new LakemillException(
                ErrorCode.NOT_FOUND,
                "the agent %s has no trigger %s".formatted(agent, name),
                "GET %s/%s/triggers lists them".formatted(AGENTS, agent));
    }

    private Object runs(RoutingContext context, Caller caller) {
        return Map.of(
                "runs",
                store.runs(
                        actor(caller),
                        parameter(context, "agent", ""),
                        parameter(context, "status", ""),
                        number(parameter(context, "limit", "50"))));
    }

    private Object show(RoutingContext context, Caller caller) {
        return store.show(actor(caller), id(context, "run"));
    }

    private Object cancel(RoutingContext context, Caller caller) {
        var reason = routes.body(context).path("reason").asText("");
        return Map.of("cancelled", store.cancel(actor(caller), id(context, "run"), reason));
    }

    private Object tell(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        if (!body.has("message")) {
            throw missing("message");
        }
        var key = body.path("key").asText("");
        var id =
                store.tell(
                        actor(caller),
                        id(context, "run"),
                        key.isEmpty() ? UUID.randomUUID().toString() : key,
                        body.get("message"),
                        onBehalfOf(caller));
        return Map.of("message_id", id);
    }

    private Object pauseRun(RoutingContext context, Caller caller, boolean pause) {
        store.pauseRun(actor(caller), id(context, "run"), pause);
        return DONE;
    }

    /** Those that wait for the caller; with {@code ?state=ended} those that do not any more. */
    private Object approvals(RoutingContext context, Caller caller) {
        var state = parameter(context, "state", "pending");
        var limit = number(parameter(context, "limit", "50"));
        return Map.of(
                "approvals",
                switch (state) {
                    case "pending" -> store.inbox(actor(caller));
                    case "ended" -> store.endedApprovals(actor(caller), limit);
                    default ->
                            throw new LakemillException(
                                    ErrorCode.INVALID_ARGUMENT,
                                    "'%s' is no state to list approvals by".formatted(state),
                                    "ask for pending or ended");
                });
    }

    private Object decide(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        store.decide(
                actor(caller),
                id(context, "approval"),
                text(body, "decision"),
                body.get("args"),
                body.path("response").asText(""));
        return DONE;
    }

    private Object delegate(RoutingContext context, Caller caller) {
        store.delegate(actor(caller), id(context, "approval"), text(routes.body(context), "to"));
        return DONE;
    }

    private Object turnSwitch(RoutingContext context, Caller caller) {
        var stopped = routes.body(context).path("stopped");
        if (!stopped.isBoolean()) {
            throw missing("stopped");
        }
        store.stopAll(actor(caller), stopped.asBoolean());
        return store.killSwitch();
    }

    private static UUID id(RoutingContext context, String parameter) {
        return id(context.pathParam(parameter));
    }

    static UUID id(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no id".formatted(text),
                    "runs and approvals have ids like 3f0c1e1c-…",
                    e);
        }
    }

    private static String parameter(RoutingContext context, String name, String otherwise) {
        var value = context.request().getParam(name);
        return value == null ? otherwise : value;
    }

    static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT, "'%s' is no number".formatted(text), "", e);
        }
    }

    private static String text(JsonNode body, String field) {
        var value = body.path(field);
        if (!value.isTextual() || value.asText().isEmpty()) {
            throw missing(field);
        }
        return value.asText();
    }

    private static List<String> texts(JsonNode body, String field) {
        var found = new ArrayList<String>();
        body.path(field).forEach(value -> found.add(value.asText()));
        return found;
    }

    private static LakemillException missing(String field) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "%s is missing".formatted(field),
                "docs/using/agents.md shows the request");
    }
}
