package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.agents.gateway.ScriptedModelServer;
import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentWorker;
import dev.lakemill.api.agent.Approval;
import dev.lakemill.api.agent.HttpModelClient;
import dev.lakemill.api.agent.Prompt;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Durable agents in a whole node: through the front door, by commands, and by REST. */
final class AgentsInNodeTest {
    @TempDir static Path folder;
    private static TestNode node;
    private static ScriptedModelServer models;

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
        models = ScriptedModelServer.start();
    }

    @AfterAll
    static void stop() {
        models.close();
        node.close();
    }

    private static String run(String... words) {
        var out = new StringWriter();
        var err = new StringWriter();
        var arguments = new ArrayList<>(List.of(words));
        arguments.addAll(List.of("--project", folder.toString()));
        var status =
                Main.commandLine()
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(err))
                        .execute(arguments.toArray(String[]::new));
        assertThat(status).as(err.toString()).isZero();
        return out.toString().strip();
    }

    private static String failure(String... words) {
        var err = new StringWriter();
        var arguments = new ArrayList<>(List.of(words));
        arguments.addAll(List.of("--project", folder.toString()));
        var status =
                Main.commandLine()
                        .setErr(new PrintWriter(err))
                        .execute(arguments.toArray(String[]::new));
        assertThat(status).isNotZero();
        return err.toString();
    }

    private static Principal agent(String name) {
        var catalog = node.node().catalog();
        var principal =
                catalog.principals()
                        .create(
                                catalog.system(),
                                PrincipalKind.SERVICE_PRINCIPAL,
                                name + "-agent",
                                "",
                                "")
                        .principal();
        run("agent", "register", name, "--principal", name + "-agent", "--approver", "admins");
        return principal;
    }

    /** By a token of its own, as any client. */
    private static Connection login(Principal principal) throws SQLException {
        var url = "jdbc:postgresql://" + node.node().door().address() + "/lakemill?sslmode=require";
        return DriverManager.getConnection(url, principal.name(), token(principal));
    }

    private static String token(Principal principal) {
        var caller = new Caller(principal, null, "test", "", "");
        var request = new DatabaseTokens.Request(Duration.ofMinutes(10), false, Optional.empty());
        return node.node().databaseTokens().issue(caller, request).token();
    }

    private static AgentWorker worker(String name, Principal principal, Agent code) {
        return AgentWorker.start(
                new AgentWorker.Options(name, 1, Duration.ofMinutes(5)),
                code,
                () -> login(principal),
                new HttpModelClient(models.url(), () -> "token", Duration.ofSeconds(60)));
    }

    private static void awaitStatus(String run, String status) throws InterruptedException {
        TestNode.await(() -> shown(run).path("status").asText().equals(status));
    }

    private static JsonNode shown(String run) {
        return node.admin().get("/api/2.0/agent-runs/" + run);
    }

    @Test
    void aRunGoesThroughTheCommands() throws Exception {
        var principal = agent("commands");
        var run = run("agent", "run", "commands", "--input", "{\"n\": 7}", "--key", "k");
        assertThat(run("agent", "run", "commands", "--key", "k")).isEqualTo(run);
        assertThat(run("agent", "runs", "commands")).contains(run, "queued");
        assertThat(run("agent", "list")).contains("commands-agent", "1 queued");
        try (var _ =
                worker(
                        "commands",
                        principal,
                        r -> r.approve("may", Approval.of("act", Map.of("n", 7), "")).args())) {
            awaitStatus(run, "waiting");
            var id = run("agent", "approve").split(" ")[0];
            run("agent", "approve", id, "--edit", "{\"n\": 8}");
            awaitStatus(run, "succeeded");
        }
        assertThat(run("agent", "show", run)).contains("\"n\" : 8", "\"decision\" : \"edit\"");
        var ended = node.admin().get("/api/2.0/agent-approvals?state=ended").path("approvals");
        assertThat(ended.get(0).path("run_id").asText()).isEqualTo(run);
        assertThat(ended.get(0).path("decision").asText()).isEqualTo("edit");
        assertThat(node.admin().get("/api/2.0/agent-approvals").path("approvals")).isEmpty();
        var paused = run("agent", "run", "commands");
        run("agent", "pause", paused);
        run("agent", "stop-all");
        assertThat(run("agent", "list")).contains("ALL AGENTS ARE STOPPED");
        run("agent", "stop-all", "--undo");
        run("agent", "resume", paused);
        assertThat(run("agent", "cancel", paused)).isEqualTo("cancelled");
        assertThat(run("agent", "cancel", paused)).isEqualTo("it had ended before");
    }

    @Test
    void anAgentIsDeletedWithItsRunsButNotWhileTheyAreOpen() throws Exception {
        var principal = agent("passing");
        run("agent", "run", "passing", "--key", "done");
        var open = run("agent", "run", "passing", "--key", "open");
        try (var _ = worker("passing", principal, r -> r.write("w", "k" + r.id(), _ -> null))) {
            awaitStatus(open, "succeeded");
        }
        var waiting = run("agent", "run", "passing", "--key", "waits");
        trigger("passing", Map.of("name", "passing-nightly", "cron", "0 3 * * *"));
        assertThat(failure("agent", "delete", "passing")).contains("has 1 open runs");
        assertThat(shown(waiting).path("status").asText()).isEqualTo("queued");
        assertThat(node.admin().get("/api/2.0/agents/passing/triggers").path("triggers"))
                .hasSize(1);
        assertThat(run("agent", "delete", "passing", "--cancel-runs"))
                .isEqualTo("deleted passing with 3 runs");
        assertThat(run("agent", "list")).doesNotContain("passing");
        assertThat(failure("agent", "show", waiting)).contains("there is no run");
        assertThat(failure("agent", "delete", "passing")).contains("does not manage");
        node.awaitRows(
                "request_params['runs'] FROM system.access.audit WHERE action_name = 'deleteAgent'"
                        + " AND request_params['agent'] = 'passing'",
                "3");
        run("agent", "register", "passing", "--principal", "passing-agent");
        assertThat(run("agent", "run", "passing", "--key", "done")).isNotEqualTo(open);
    }

    @Test
    void aRunTakesMessagesOnceInOrderAndWaitsForThem() throws Exception {
        var principal = agent("listens");
        var run = run("agent", "run", "listens");
        Agent code =
                r -> {
                    var until = r.startedAt().plus(Duration.ofHours(1));
                    var first = r.receive("first", until).orElseThrow();
                    var second = r.receive("second", until).orElseThrow();
                    r.sleepUntil(r.startedAt());
                    var none = r.receive("none", r.startedAt());
                    return Map.of(
                            "said", List.of(first.body(), second.body()),
                            "by", first.sender(),
                            "more", none.isPresent());
                };
        try (var _ = worker("listens", principal, code)) {
            awaitStatus(run, "waiting");
            var sent = run("agent", "tell", run, "{\"price\": 12}", "--key", "reply");
            assertThat(run("agent", "tell", run, "{\"price\": 13}", "--key", "reply"))
                    .isEqualTo(sent);
            TestNode.await(() -> shown(run).path("steps").size() == 1);
            awaitStatus(run, "waiting");
        }
        // A message to a run that nobody works on is there when somebody does.
        try (var connection = login(principal);
                var statement = connection.createStatement()) {
            assertThatThrownBy(
                            () ->
                                    statement.execute(
                                            "SELECT lakemill.agent_tell('%s', '1', 'k')"
                                                    .formatted(run)))
                    .hasMessageContaining("to send a message to");
        }
        run("agent", "tell", run, "\"soon\"");
        try (var _ = worker("listens", principal, code)) {
            awaitStatus(run, "succeeded");
        }
        var output = shown(run).path("output");
        assertThat(output.path("said").toString()).isEqualTo("[{\"price\":12},\"soon\"]");
        assertThat(output.path("more").asBoolean()).isFalse();
        assertThat(output.path("by").asText()).isNotEmpty();
        assertThat(shown(run).path("messages")).hasSize(2);
        // A step without a message is audited as well, and can be read.
        node.awaitRows(
                "count(*) FROM system.access.audit WHERE action_name = 'runStep'"
                        + " AND request_params['run_id'] = '%s'".formatted(run)
                        + " AND request_params['name'] = 'none'",
                "1");
        assertThat(failure("agent", "tell", run, "1")).contains("takes no messages any more");
    }

    private static void trigger(String agent, Map<String, ?> trigger) {
        node.admin().post("/api/2.0/agents/" + agent + "/triggers", trigger);
    }

    @Test
    void agentsOfTheProjectsFileAreAppliedOnceAndThenAsTheyAre() throws Exception {
        node.node()
                .catalog()
                .principals()
                .create(
                        node.node().catalog().system(),
                        PrincipalKind.SERVICE_PRINCIPAL,
                        "declared-agent",
                        "",
                        "");
        var file = folder.resolve("lakemill.yml");
        var declared =
                """
                agents:
                  mail_from: lake@example.org
                  declared:
                    - name: declared
                      principal: declared-agent
                      approvers: [admins]
                      tokens_max: %d
                      triggers:
                        - {name: declared-nightly, cron: "%s", time_zone: Europe/Berlin}
                """;
        Files.writeString(file, declared.formatted(5000, "0 3 * * *"));
        assertThat(run("agent", "plan"))
                .isEqualTo(
                        "register declared as declared-agent\n"
                                + "add      trigger declared-nightly of declared: 0 3 * * *");
        assertThat(run("agent", "list")).doesNotContain("declared");
        run("agent", "apply");
        assertThat(run("agent", "plan")).isEqualTo("as it is declared");
        var agents = node.admin().get("/api/2.0/agents").path("agents");
        assertThat(agents.findValue("may_manage").asBoolean()).isTrue();

        Files.writeString(file, declared.formatted(7000, "0 4 * * *"));
        assertThat(run("agent", "apply"))
                .isEqualTo(
                        "change   declared: tokens_max becomes 7000\n"
                                + "replace  trigger declared-nightly of declared: 0 4 * * *");
        assertThat(run("agent", "plan")).isEqualTo("as it is declared");

        Files.writeString(
                file, "agents: [{name: declared, principal: declared-agent, triggers: []}]\n");
        assertThat(run("agent", "apply"))
                .contains("approvers becomes []", "drop     trigger declared-nightly of declared");
        assertThat(run("agent", "plan")).isEqualTo("as it is declared");
        Files.writeString(file, "agents: [{name: declared, principal: p, token_max: 1}]\n");
        assertThat(failure("agent", "plan")).contains("unknown key token_max");
        Files.delete(file);
        assertThat(run("agent", "plan")).contains("declares no agents");
    }

    @Test
    void metricsCountWhatAgentsAreAt() throws Exception {
        var principal = agent("measured");
        var run = run("agent", "run", "measured");
        try (var _ =
                worker(
                        "measured",
                        principal,
                        r -> {
                            r.write("w", "measured", _ -> null);
                            return r.approve("may", Approval.of("act", Map.of(), "")).args();
                        })) {
            awaitStatus(run, "waiting");
            TestNode.await(
                    () -> {
                        var metrics = node.get("/metrics").body();
                        return metrics.contains(
                                        "lakemill_agent_runs{agent=\"measured\",status=\"waiting\"} 1.0")
                                && metrics.contains(
                                        "lakemill_agent_approvals_waiting{agent=\"measured\"} 1.0")
                                && metrics.contains(
                                        "lakemill_agent_effects{agent=\"measured\",state=\"done\"} 1.0");
                    });
            run("agent", "cancel", run);
        }
    }

    record Draft(String subject, int amount) {}

    @Test
    void anAgentAsksThroughTheGatewayOfItsNode() throws Exception {
        var principal = agent("drafter");
        var run = run("agent", "run", "drafter");
        var token = node.adminToken();
        Agent code =
                r -> {
                    var prompt = Prompt.of("Draft.").with("crop", "basil");
                    var answer = r.ask("draft", "template", prompt, Draft.class);
                    return Map.of("model", answer.model(), "amount", answer.value().amount());
                };
        try (var _ =
                AgentWorker.start(
                        new AgentWorker.Options("drafter", 1, Duration.ofMinutes(5)),
                        code,
                        () -> login(principal),
                        new HttpModelClient(
                                URI.create(node.url + "/v1"),
                                () -> token,
                                Duration.ofSeconds(60)))) {
            awaitStatus(run, "succeeded");
        }
        assertThat(shown(run).at("/output/model").asText()).isEqualTo("template");
        assertThat(shown(run).at("/steps/0/model").asText()).isEqualTo("template");
    }

    @Test
    void aStreamOfResponsesGoesOnAfterAnyEvent() throws Exception {
        var principal = agent("answers");
        var bearer = "Bearer " + node.adminToken();
        var begun =
                TestNode.body(
                        node.json(
                                "POST",
                                "/v1/responses",
                                "{\"model\": \"answers\", \"input\": \"hi\", \"background\": true}",
                                "authorization",
                                bearer));
        assertThat(begun.path("status").asText()).isEqualTo("queued");
        var path = "/v1/responses/" + begun.path("id").asText();
        try (var _ =
                worker(
                        "answers",
                        principal,
                        r -> {
                            r.note("look", () -> 1);
                            r.note("think", () -> 2);
                            return "You said " + r.input().path("input").asText();
                        })) {
            var whole = events(node.get(path + "?stream=true", "authorization", bearer).body());
            assertThat(whole.stream().map(e -> e.path("type").asText()))
                    .startsWith("response.created", "response.in_progress")
                    .contains("response.output_text.delta")
                    .endsWith("response.completed");
            for (var i = 0; i < whole.size(); i++) {
                assertThat(whole.get(i).path("sequence_number").asInt()).isEqualTo(i);
            }
            for (var after = 0; after < whole.size(); after += 3) {
                var query = path + "?stream=true&starting_after=" + after;
                assertThat(events(node.get(query, "authorization", bearer).body()))
                        .isEqualTo(whole.subList(after + 1, whole.size()));
            }
        }
        var ended = TestNode.body(node.get(path, "authorization", bearer));
        assertThat(ended.path("status").asText()).isEqualTo("completed");
        assertThat(ended.path("output").findValuesAsText("text")).containsExactly("You said hi");
        var cookie = node.logIn("eve");
        assertThat(node.get(path, "cookie", cookie).statusCode()).isEqualTo(404);
    }

    private static List<JsonNode> events(String stream) throws Exception {
        var events = new ArrayList<JsonNode>();
        for (var line : stream.split("\n")) {
            if (line.startsWith("data: ")) {
                events.add(new ObjectMapper().readTree(line.substring("data: ".length())));
            }
        }
        return events;
    }

    @Test
    void langGraphKeepsItsCheckpointsUnchanged() throws Exception {
        langGraph("langgraph.mjs", "graph");
        var checkpoints = TableName.parse("memory_graph.graph.checkpoints");
        TestNode.await(() -> node.node().catalog().find(checkpoints).isPresent());
    }

    @Test
    void langGraphKeepsItsStoreUnchanged() throws Exception {
        langGraph("langgraph-store.mjs", "keep");
        var store = TableName.parse("memory_keep.keep.store");
        TestNode.await(() -> node.node().catalog().find(store).isPresent());
    }

    /** Runs a script as a principal of its own, with a schema of its own. */
    private static void langGraph(String script, String name) throws Exception {
        var root = Path.of(System.getProperty("lakemill.root"));
        assumeTrue(
                Files.isDirectory(root.resolve("node_modules/@langchain/langgraph")),
                "node_modules has no @langchain/langgraph: run npm ci");
        var catalog = node.node().catalog();
        var system = catalog.system();
        var graph =
                catalog.principals()
                        .create(system, PrincipalKind.SERVICE_PRINCIPAL, name, "", "")
                        .principal();
        var memory = Securable.catalog("memory_" + name);
        catalog.securables().create(system, memory, "", Map.of(), "");
        var schema = Securable.schema("memory_" + name, name);
        catalog.securables().create(system, schema, "", Map.of(), "");
        grant(name, memory, Privilege.USE_CATALOG);
        grant(name, schema, Privilege.USE_SCHEMA, Privilege.CREATE_TABLE);
        TestNode.await(() -> mayCreate(graph));
        var command =
                List.of(
                        "node",
                        root.resolve("server/src/test/node").resolve(script).toString(),
                        node.node().door().address(),
                        name);
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PRINCIPAL", graph.name());
        builder.environment().put("TOKEN", token(graph));
        var process = builder.start();
        process.getOutputStream().close();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said.strip()).endsWith("all well");
    }

    private static void grant(String principal, Securable on, Privilege... privileges) {
        var catalog = node.node().catalog();
        var change = new GrantChange(principal, Set.of(privileges), Set.of());
        catalog.grants().change(catalog.system(), on, List.of(change));
    }

    /** The projection carries roles and rights to Postgres on a thread of its own. */
    private static boolean mayCreate(Principal principal) {
        try (var connection = login(principal);
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT has_schema_privilege('%s', 'CREATE')"
                                        .formatted(principal.name()))) {
            return rows.next() && rows.getBoolean(1);
        } catch (SQLException e) {
            return false;
        }
    }

    @Test
    void whoMayNotDoesNot() {
        agent("guarded");
        var cookie = node.logIn("mallory");
        var own = TestNode.OWN_PAGE;
        for (var path :
                List.of(
                        "/api/2.0/agents/guarded/runs",
                        "/api/2.0/agents/guarded/pause",
                        "/api/2.0/agents/guarded/triggers",
                        "/api/2.0/agent-switch")) {
            var answer =
                    node.json(
                            "POST", path, "{\"stopped\": true}", "cookie", cookie, own[0], own[1]);
            assertThat(answer.statusCode()).as(path).isEqualTo(403);
        }
        var register =
                node.json(
                        "PUT",
                        "/api/2.0/agents/guarded",
                        "{\"principal\": \"mallory\"}",
                        "cookie",
                        cookie,
                        own[0],
                        own[1]);
        assertThat(register.statusCode()).isEqualTo(403);
        var listed = TestNode.body(node.get("/api/2.0/agents", "cookie", cookie));
        assertThat(listed.path("agents")).isEmpty();
    }
}
