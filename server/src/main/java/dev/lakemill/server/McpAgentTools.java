package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.mcp.McpResult;
import dev.lakemill.agents.mcp.McpTool;
import dev.lakemill.agents.runtime.AgentStore;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Durable agents for MCP's clients. Approvals can be seen and not decided: who calls here is often
 * a model that has read what others wrote, and an approval is a person's.
 */
final class McpAgentTools {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int RUNS_MAX = 100;
    private static final int RUNS_USUAL = 20;

    private final AgentStore store;
    private final Catalog catalog;

    McpAgentTools(AgentStore store, Catalog catalog) {
        this.store = store;
        this.catalog = catalog;
    }

    List<McpTool> tools() {
        return List.of(
                new McpTool(
                        "list_agents",
                        "The agents that you may start or see.",
                        McpSchemas.object().build(),
                        false,
                        (caller, _) -> listed("agents", store.list(actor(caller)))),
                new McpTool(
                        "start_agent",
                        "Starts a run of an agent; the same key starts one run, however often it is"
                                + " asked for.",
                        McpSchemas.object()
                                .required("agent", "string", "its name")
                                .required("key", "string", "a name of this run, of your choice")
                                .optional("input", "object", "what the agent is given")
                                .build(),
                        true,
                        this::start),
                new McpTool(
                        "list_runs",
                        "The newest runs that you may see.",
                        McpSchemas.object()
                                .optional("agent", "string", "of one agent alone")
                                .count("limit", "runs at most; 20 without it", RUNS_MAX)
                                .build(),
                        false,
                        (caller, given) ->
                                listed(
                                        "runs",
                                        store.runs(
                                                actor(caller),
                                                given.path("agent").asText(""),
                                                "",
                                                given.path("limit").asInt(RUNS_USUAL)))),
                new McpTool(
                        "show_run",
                        "A run with its steps, effects and approvals.",
                        McpSchemas.object().required("run", "string", "its id").build(),
                        false,
                        (caller, given) -> McpResult.object(store.show(actor(caller), run(given)))),
                new McpTool(
                        "list_approvals",
                        "Approvals that wait for you. Decide them in the console, or by"
                                + " './lakemill agent'.",
                        McpSchemas.object().build(),
                        false,
                        (caller, _) -> listed("approvals", store.inbox(actor(caller)))));
    }

    private static String actor(Caller caller) {
        return caller.principal().name();
    }

    private static McpResult listed(String key, JsonNode list) {
        var answer = JSON.createObjectNode();
        answer.set(key, list);
        return McpResult.object(answer);
    }

    private static UUID run(ObjectNode given) {
        try {
            return UUID.fromString(given.path("run").asText());
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no id of a run".formatted(given.path("run").asText()),
                    "list_runs tells them",
                    e);
        }
    }

    private McpResult start(Caller caller, ObjectNode given) {
        var agent = given.path("agent").asText();
        var behalf = caller.onBehalfOf();
        var input = given.path("input").isObject() ? given.get("input") : JSON.createObjectNode();
        var run =
                store.start(
                        actor(caller),
                        agent,
                        "api",
                        given.path("key").asText(),
                        input,
                        behalf == null ? "" : behalf.name());
        catalog.audit()
                .record(
                        AuditEvent.done(
                                caller,
                                "agents",
                                "startRun",
                                Map.of("agent", agent, "run_id", run.toString())));
        return McpResult.object(JSON.createObjectNode().put("run_id", run.toString()));
    }
}
