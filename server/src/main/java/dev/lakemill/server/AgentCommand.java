package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Looks after durable agents. */
@Command(
        name = "agent",
        mixinStandardHelpOptions = true,
        description = {
            "Registers agents, starts and follows their runs, and decides what they ask.",
            "An agent's code runs elsewhere, as its own principal; docs/using/agents.md shows how."
        },
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "See a run:  ./lakemill agent runs, then ./lakemill agent show RUN"})
final class AgentCommand {
    private static final String AGENTS = "/api/2.0/agents/";
    private static final String RUNS = "/api/2.0/agent-runs/";
    private static final String APPROVALS = "/api/2.0/agent-approvals";
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String NONE =
            """
                    lakemill.yml declares no agents. For example:

                    agents:
                      - name: negotiator
                        principal: negotiator-agent
                        approvers: [procurement]
                        triggers: [{name: nightly, cron: "0 3 * * *"}]""";

    @Spec private CommandSpec spec;

    @Command(
            name = "register",
            mixinStandardHelpOptions = true,
            description = "Registers an agent, or changes it; metastore admins can.")
    int register(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME") String name,
            @Option(
                            names = "--principal",
                            required = true,
                            paramLabel = "SP",
                            description = "service principal that its code logs in as")
                    String principal,
            @Option(names = "--owner", paramLabel = "WHO", description = "default: you")
                    @Nullable String owner,
            @Option(names = "--caller", paramLabel = "WHO", description = "may start runs")
                    @Nullable List<String> callers,
            @Option(names = "--approver", paramLabel = "WHO", description = "is asked")
                    @Nullable List<String> approvers,
            @Option(
                            names = "--limit",
                            paramLabel = "CAP=N",
                            description =
                                    "steps_max, tokens_max, cost_micros_max, seconds_max or"
                                            + " failures_max")
                    @Nullable Map<String, Long> limits,
            @Option(
                            names = "--addresses",
                            paramLabel = "TABLE:KEY:COLUMN",
                            description = "where addresses of its e-mail are looked up")
                    @Nullable String addresses,
            @Option(names = "--send-unseen", description = "e-mail goes without approval")
                    boolean unseen) {
        var body = new LinkedHashMap<String, Object>();
        body.put("principal", principal);
        put(body, "owner", owner);
        put(body, "callers", callers);
        put(body, "approvers", approvers);
        if (limits != null) {
            body.putAll(limits);
        }
        if (addresses != null) {
            body.put("addresses", addresses(addresses));
        }
        body.put("mail_needs_approval", !unseen);
        target.client().put(AGENTS + name, body);
        print("registered " + name);
        return 0;
    }

    private static void put(Map<String, Object> body, String field, @Nullable Object value) {
        if (value != null) {
            body.put(field, value);
        }
    }

    private static Map<String, String> addresses(String text) {
        var parts = text.split(":");
        if (parts.length != 3) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "--addresses is '%s'".formatted(text),
                    "write TABLE:KEY:COLUMN, for example app.suppliers:id:email");
        }
        return Map.of("table", parts[0], "key", parts[1], "column", parts[2]);
    }

    @Command(
            name = "plan",
            mixinStandardHelpOptions = true,
            description = "Tells what 'apply' would do with the agents of lakemill.yml.")
    int plan(@Mixin NodeClient.Target target) {
        return steps().plan(
                        AgentProject.plan(AgentProject.read(target.project()), target.client()));
    }

    @Command(
            name = "apply",
            mixinStandardHelpOptions = true,
            description = {
                "Registers and changes agents and their triggers as lakemill.yml declares them.",
                "Other agents stay as they are; 'delete' deletes one."
            })
    int apply(@Mixin NodeClient.Target target) {
        var client = target.client();
        var steps = AgentProject.plan(AgentProject.read(target.project()), client);
        return steps().apply(steps, step -> AgentProject.apply(step, client));
    }

    private ProjectSteps<AgentProject.Step> steps() {
        return new ProjectSteps<>(this::print, AgentProject::line, NONE);
    }

    @Command(
            name = "delete",
            mixinStandardHelpOptions = true,
            description = {
                "Deletes an agent with its triggers, runs, approvals, e-mail and keys of effects.",
                "The audit keeps what it did. Registered again, it begins anew."
            })
    int delete(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--cancel-runs", description = "with open runs, which end")
                    boolean cancel) {
        var answer = target.client().delete(AGENTS + name + (cancel ? "?cancel_runs=true" : ""));
        print("deleted %s with %d runs".formatted(name, answer.path("runs").asLong()));
        return 0;
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists agents and how many runs they have open.")
    int list(
            @Mixin NodeClient.Target target,
            @Option(names = "--json", description = "print the node's own JSON") boolean json) {
        var answer = target.client().get("/api/2.0/agents");
        if (json) {
            print(answer.toPrettyString());
            return 0;
        }
        if (answer.at("/switch/stopped").asBoolean()) {
            print("ALL AGENTS ARE STOPPED by " + answer.at("/switch/changed_by").asText());
        }
        for (var agent : answer.path("agents")) {
            print(
                    "%-24s %-24s %d queued, %d running, %d waiting%s"
                            .formatted(
                                    agent.path("name").asText(),
                                    agent.path("principal").asText(),
                                    agent.path("queued").asInt(),
                                    agent.path("running").asInt(),
                                    agent.path("waiting").asInt(),
                                    agent.path("paused").asBoolean() ? "  PAUSED" : ""));
        }
        return 0;
    }

    @Command(
            name = "run",
            mixinStandardHelpOptions = true,
            description = "Starts a run and prints its id; once for each --key.")
    int run(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "AGENT") String agent,
            @Option(names = "--input", paramLabel = "JSON", defaultValue = "{}") String input,
            @Option(names = "--key", paramLabel = "TEXT", defaultValue = "") String key) {
        var body = Map.of("input", parse(input), "key", key);
        print(target.client().post(AGENTS + agent + "/runs", body).path("run_id").asText());
        return 0;
    }

    @Command(
            name = "runs",
            mixinStandardHelpOptions = true,
            description = "Lists the newest runs that you may see.")
    int runs(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "AGENT", arity = "0..1", defaultValue = "") String agent,
            @Option(names = "--status", paramLabel = "STATUS", defaultValue = "") String status,
            @Option(names = "--limit", paramLabel = "N", defaultValue = "50") int limit,
            @Option(names = "--json", description = "print the node's own JSON") boolean json) {
        var query =
                "?agent=%s&status=%s&limit=%d"
                        .formatted(NodeClient.encoded(agent), NodeClient.encoded(status), limit);
        var answer = target.client().get("/api/2.0/agent-runs" + query);
        if (json) {
            print(answer.toPrettyString());
            return 0;
        }
        for (var run : answer.path("runs")) {
            print(
                    "%s  %-16s %-10s %3d steps  %s %s"
                            .formatted(
                                    run.path("run_id").asText(),
                                    run.path("agent").asText(),
                                    run.path("status").asText(),
                                    run.path("steps_used").asInt(),
                                    run.path("created_at").asText(),
                                    run.path("error").asText()));
        }
        return 0;
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "Prints a run with its steps, effects, approvals and e-mail, as JSON.")
    int show(@Mixin NodeClient.Target target, @Parameters(paramLabel = "RUN") String run) {
        print(target.client().get(RUNS + run).toPrettyString());
        return 0;
    }

    @Command(
            name = "approve",
            mixinStandardHelpOptions = true,
            description = {
                "Decides what an agent asks; without ID lists what waits for you.",
                "Accepts, unless an option says otherwise."
            })
    int approve(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "ID", arity = "0..1") @Nullable String approval,
            @Option(names = "--edit", paramLabel = "JSON", description = "accept with changes")
                    @Nullable String edit,
            @Option(names = "--respond", paramLabel = "TEXT", description = "answer with words")
                    @Nullable String respond,
            @Option(names = "--ignore", description = "decline") boolean ignore,
            @Option(names = "--delegate", paramLabel = "WHO", description = "hand it on")
                    @Nullable String receiver) {
        if (approval == null) {
            return inbox(target);
        }
        var path = APPROVALS + "/" + approval;
        if (receiver != null) {
            target.client().post(path + "/delegate", Map.of("to", receiver));
            print("handed on to " + receiver);
            return 0;
        }
        var body = new LinkedHashMap<String, Object>();
        body.put("decision", decision(edit, respond, ignore));
        put(body, "args", edit == null ? null : parse(edit));
        put(body, "response", respond);
        target.client().post(path + "/decide", body);
        print("decided: " + body.get("decision"));
        return 0;
    }

    private static String decision(
            @Nullable String edit, @Nullable String respond, boolean ignore) {
        if (ignore) {
            return "ignore";
        }
        return edit != null ? "edit" : respond != null ? "respond" : "accept";
    }

    private int inbox(NodeClient.Target target) {
        for (var approval : target.client().get(APPROVALS).path("approvals")) {
            print(
                    "%s  %s asks for %s until %s%n    %s"
                            .formatted(
                                    approval.path("approval_id").asText(),
                                    approval.path("agent").asText(),
                                    approval.path("action").asText(),
                                    approval.path("expires_at").asText(),
                                    approval.path("args")));
        }
        return 0;
    }

    @Command(
            name = "tell",
            mixinStandardHelpOptions = true,
            description = "Sends a run that goes on a message; once for each --key.")
    int tell(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "RUN") String run,
            @Parameters(paramLabel = "JSON") String message,
            @Option(names = "--key", paramLabel = "TEXT", defaultValue = "") String key) {
        var body = Map.of("message", parse(message), "key", key);
        print("message " + target.client().post(RUNS + run + "/messages", body).path("message_id"));
        return 0;
    }

    @Command(
            name = "cancel",
            mixinStandardHelpOptions = true,
            description = "Ends a run for good, with what it waits for.")
    int cancel(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "RUN") String run,
            @Option(names = "--reason", paramLabel = "TEXT", defaultValue = "") String reason) {
        var answer = target.client().post(RUNS + run + "/cancel", Map.of("reason", reason));
        print(answer.path("cancelled").asBoolean() ? "cancelled" : "it had ended before");
        return 0;
    }

    @Command(
            name = "pause",
            mixinStandardHelpOptions = true,
            description = "Pauses an agent or one run, until 'resume'.")
    int pause(@Mixin NodeClient.Target target, @Parameters(paramLabel = "AGENT|RUN") String what) {
        return turn(target, what, "pause");
    }

    @Command(
            name = "resume",
            mixinStandardHelpOptions = true,
            description = "Lets an agent or a run go on.")
    int resume(@Mixin NodeClient.Target target, @Parameters(paramLabel = "AGENT|RUN") String what) {
        return turn(target, what, "resume");
    }

    private int turn(NodeClient.Target target, String what, String action) {
        var isRun = what.matches("[0-9a-f]{8}-[0-9a-f-]{27}");
        target.client().post((isRun ? RUNS : AGENTS) + what + "/" + action, Map.of());
        print(action + "d " + what);
        return 0;
    }

    @Command(
            name = "stop-all",
            mixinStandardHelpOptions = true,
            description = {
                "The kill switch: no agent does anything any more, and no e-mail goes out.",
                "Returns when what was being written has ended."
            })
    int stopAll(
            @Mixin NodeClient.Target target,
            @Option(names = "--undo", description = "let them go on") boolean undo) {
        target.client().post("/api/2.0/agent-switch", Map.of("stopped", !undo));
        print(undo ? "agents go on" : "all agents are stopped");
        return 0;
    }

    private static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no JSON: %s".formatted(text, e.getOriginalMessage()),
                    "write an object, in quotes for the shell",
                    e);
        }
    }

    private void print(String line) {
        var out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
