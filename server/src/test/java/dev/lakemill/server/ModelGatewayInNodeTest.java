package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.agents.gateway.ScriptedModelServer;
import dev.lakemill.agents.gateway.ScriptedModelServer.Answer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models over HTTP, as OpenAI's and Databricks' clients call them, with scripted providers. */
final class ModelGatewayInNodeTest {
    private static final String HELLO =
            """
            {"model": "writer", "messages": [{"role": "user", "content": "hello"}]%s}
            """;

    @TempDir static Path folder;
    private static ScriptedModelServer provider;
    private static TestNode node;
    private static String token;

    @BeforeAll
    static void start() throws Exception {
        provider = ScriptedModelServer.start();
        var model =
                Path.of(System.getProperty("lakemill.root"))
                        .resolve("examples/vertical-farm/models/farm.ml.supplier_rank");
        var to = Files.createDirectories(folder.resolve("onnx/main.ml.rank"));
        ModelFolder.copy(model, ModelFolder.files(model), to);
        Files.writeString(folder.resolve("key"), "the-key\n");
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                governance: governance.sql
                models:
                  folder: onnx
                  endpoints:
                    - name: writer
                      comment: writes
                      stream_idle_seconds: 60
                      providers:
                        - name: one
                          base_url: %s
                          model: served
                          api_key: {file: key}
                          input_usd_per_million: 1
                          output_usd_per_million: 2
                      rate_limits:
                        - {key: user, principal: limited, calls: 0}
                        - {key: user, principal: spender, calls: 2, renewal_period: day}
                """
                        .formatted(provider.url()));
        Files.writeString(
                folder.resolve("governance.sql"),
                """
                CREATE CATALOG IF NOT EXISTS main;
                CREATE SCHEMA IF NOT EXISTS main.ml;
                GRANT USE CATALOG, USE SCHEMA, EXECUTE ON CATALOG main TO admins;
                CREATE SERVICE PRINCIPAL IF NOT EXISTS stranger;
                CREATE SERVICE PRINCIPAL IF NOT EXISTS limited;
                CREATE SERVICE PRINCIPAL IF NOT EXISTS spender;
                GRANT EXECUTE ON REGISTERED MODEL system.ai.writer TO spender;
                GRANT EXECUTE ON REGISTERED MODEL system.ai.writer TO admins;
                GRANT EXECUTE ON REGISTERED MODEL system.ai.writer TO limited;
                """);
        node = new TestNode(folder, Map.of());
        token = node.adminToken();
    }

    @AfterAll
    static void stop() {
        node.close();
        provider.close();
    }

    @Test
    void answersAsOpenAiDoesAndAtDatabricksPaths() {
        var answer = TestNode.body(post("/v1/chat/completions", HELLO.formatted(""), token));
        assertThat(answer.path("choices").path(0).path("message").path("content").asText())
                .isEqualTo("Good day.");
        assertThat(answer.path("usage").path("total_tokens").asInt()).isEqualTo(18);
        assertThat(answer.path("lakemill").path("template").asBoolean()).isFalse();
        var asked = provider.asked().getLast();
        assertThat(asked.authorization()).isEqualTo("Bearer the-key");
        assertThat(asked.body().path("model").asText()).isEqualTo("served");

        var other = post("/serving-endpoints/chat/completions", HELLO.formatted(""), token);
        assertThat(other.statusCode()).isEqualTo(200);
        var invoked = post("/serving-endpoints/writer/invocations", HELLO.formatted(""), token);
        assertThat(invoked.body()).contains("Good day.");
        var rows = "{\"dataframe_records\": [{\"prompt\": \"a\"}, {\"prompt\": \"b\"}]}";
        assertThat(post("/serving-endpoints/writer/invocations", rows, token).body())
                .isEqualTo("{\"predictions\":[\"Good day.\",\"Good day.\"]}");
        var embedded = post("/v1/embeddings", "{\"model\":\"writer\",\"input\":[\"a\"]}", token);
        assertThat(TestNode.body(embedded).path("data")).hasSize(1);
    }

    @Test
    void tellsUsageByPrincipalAndDayAndWhatIsLeft() {
        var spender = token("spender");
        for (var i = 0; i < 2; i++) {
            assertThat(post("/v1/chat/completions", HELLO.formatted(""), spender).statusCode())
                    .isEqualTo(200);
        }
        assertThat(post("/v1/chat/completions", HELLO.formatted(""), spender).statusCode())
                .isEqualTo(429);
        var mine = TestNode.body(get("/api/2.0/ai-gateway/usage", spender));
        assertThat(mine.path("all_principals").asBoolean()).isFalse();
        assertThat(mine.path("usage")).hasSize(1);
        var row = mine.path("usage").get(0);
        assertThat(row.path("requester").asText()).isEqualTo("spender");
        assertThat(row.path("day").asText())
                .isEqualTo(java.time.LocalDate.now(java.time.ZoneOffset.UTC).toString());
        assertThat(row.path("calls").asInt()).isEqualTo(3);
        assertThat(row.path("failed").asInt()).isEqualTo(1);
        assertThat(row.path("input_tokens").asInt()).isPositive();
        assertThat(row.path("cost_usd").asDouble()).isPositive();

        var budgets = TestNode.body(get("/api/2.0/ai-gateway/budgets", spender)).path("budgets");
        assertThat(budgets).hasSize(1);
        assertThat(budgets.get(0).path("principal").asText()).isEqualTo("spender");
        assertThat(budgets.get(0).path("calls").asInt()).isEqualTo(2);
        assertThat(budgets.get(0).path("calls_max").asInt()).isEqualTo(2);
        assertThat(budgets.get(0).path("tokens_max").isNull()).isTrue();
        assertThat(budgets.get(0).path("period").asText()).isEqualTo("day");

        assertThat(get("/api/2.0/ai-gateway/usage", token("stranger")).body())
                .doesNotContain("spender");
        assertThat(get("/api/2.0/ai-gateway/budgets", token("stranger")).body())
                .doesNotContain("spender");
        var all = TestNode.body(get("/api/2.0/ai-gateway/usage?days=1", token));
        assertThat(all.path("all_principals").asBoolean()).isTrue();
        assertThat(all.toString()).contains("\"spender\"");
        assertThat(get("/api/2.0/ai-gateway/budgets", token).body()).contains("\"spender\"");
        assertThat(get("/api/2.0/ai-gateway/usage?days=0", token).statusCode()).isEqualTo(400);
    }

    @Test
    void eventsArriveBeforeTheAnswerIsWhole() throws Exception {
        provider.script(new Answer.NeverEnds());
        var request = request("/v1/chat/completions", HELLO.formatted(", \"stream\": true"), token);
        try (var client = HttpClient.newHttpClient()) {
            var answer = client.send(request, BodyHandlers.ofInputStream());
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("content-type")).contains("text/event-stream");
            try (var lines =
                    new BufferedReader(
                            new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
                assertThat(lines.readLine()).startsWith("data: {").contains("\"one \"");
            }
        }
        node.awaitRows("status_code FROM system.ai_gateway.usage WHERE is_streaming", "499");
    }

    @Test
    void refusesThoseWithoutTokenGrantOrRoom() {
        assertThat(post("/v1/chat/completions", HELLO.formatted(""), null).statusCode())
                .isEqualTo(401);
        var stranger = token("stranger");
        var refused = post("/v1/chat/completions", HELLO.formatted(""), stranger);
        assertThat(refused.statusCode()).isIn(403, 404);
        assertThat(TestNode.body(refused).path("error").path("message").asText()).isNotEmpty();
        assertThat(get("/v1/models", stranger).body()).doesNotContain("writer");
        assertThat(get("/v1/models", token).body())
                .contains("\"id\":\"writer\"", "\"template\":true");
        var limited = post("/v1/chat/completions", HELLO.formatted(""), token("limited"));
        assertThat(limited.statusCode()).isEqualTo(429);
        assertThat(limited.headers().firstValue("retry-after")).isPresent();
        var scores = "{\"dataframe_records\": [{}]}";
        assertThat(
                        post("/serving-endpoints/main.ml.rank/invocations", scores, stranger)
                                .statusCode())
                .isIn(403, 404);
    }

    @Test
    void tellsClientsWhatToAskAgain() {
        provider.script(new Answer.Status(401, 0));
        var refused = post("/v1/chat/completions", HELLO.formatted(""), token);
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(424);
        assertThat(refused.headers().firstValue("x-should-retry")).contains("false");
        var limited = post("/v1/chat/completions", HELLO.formatted(""), token("limited"));
        assertThat(limited.headers().firstValue("x-should-retry")).contains("true");
    }

    @Test
    void endpointsAreDescribedAsDatabricksDoes() {
        var path = "/api/2.0/serving-endpoints";
        var shown = TestNode.body(get(path + "/writer", token));
        assertThat(shown.at("/config/served_entities/0/external_model/name").asText())
                .isEqualTo("served");
        assertThat(TestNode.body(get(path, token)).path("endpoints")).contains(shown);
        assertThat(get(path + "/writer", token("stranger")).statusCode()).isEqualTo(404);
        assertThat(TestNode.body(get(path + "/nothing", token)).path("error_code").asText())
                .isNotEmpty();
    }

    @Test
    void modelsOfTheRegistryAreScoredAtTheSamePlace() {
        var rows = "{\"dataframe_split\": {\"data\": [[4.8, 0.2, -0.1, 0, 0.9]]}}";
        var here = post("/serving-endpoints/main.ml.rank@champion/invocations", rows, token);
        assertThat(here.statusCode()).as(here.body()).isEqualTo(200);
        var there =
                post(
                        "/api/2.1/unity-catalog/models/main.ml.rank/aliases/champion/invocations",
                        rows,
                        token);
        assertThat(TestNode.body(here).path("predictions"))
                .hasSize(1)
                .isEqualTo(TestNode.body(there).path("predictions"));
        assertThat(post("/serving-endpoints/main.ml.rank/invocations", rows, token).body())
                .isEqualTo(here.body());
        assertThat(post("/serving-endpoints/nothing/invocations", rows, token).statusCode())
                .isEqualTo(404);
        var used = "status_code, destination_name FROM system.ai_gateway.usage";
        assertThat(node.rows(used + " WHERE endpoint_name = 'main.ml.rank@champion'"))
                .containsExactly("200|registry");
    }

    @Test
    void aTemplateAnswersAnybodyAndSaysSo() {
        var body = "{\"model\":\"template\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
        var answer = TestNode.body(post("/v1/chat/completions", body, token("stranger")));
        assertThat(answer.path("model").asText()).isEqualTo("template");
        assertThat(answer.path("lakemill").path("template").asBoolean()).isTrue();
    }

    @Test
    void whatIsNoRequestIsToldInOpenAisForm() {
        for (var body :
                new String[] {"[]", "{\"model\":\"writer\"}", "{", HELLO.formatted(",\"n\":2")}) {
            var answer = post("/v1/chat/completions", body, token);
            assertThat(answer.statusCode()).as(body).isEqualTo(400);
            assertThat(TestNode.body(answer).path("error").path("message").asText()).isNotEmpty();
        }
        var large = post("/v1/chat/completions", "x".repeat(5 << 20), token);
        assertThat(large.statusCode()).isEqualTo(413);
    }

    private static String token(String principal) {
        return node.token(principal, Map.of());
    }

    private static HttpResponse<String> post(
            String path, String body, @org.jspecify.annotations.Nullable String bearer) {
        return bearer == null
                ? node.json("POST", path, body)
                : node.json("POST", path, body, "authorization", "Bearer " + bearer);
    }

    private static HttpResponse<String> get(String path, String bearer) {
        return node.get(path, "authorization", "Bearer " + bearer);
    }

    private static HttpRequest request(String path, String body, String bearer) {
        return HttpRequest.newBuilder(URI.create(node.url + path))
                .header("authorization", "Bearer " + bearer)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }
}
