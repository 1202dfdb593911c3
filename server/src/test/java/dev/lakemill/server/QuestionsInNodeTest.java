package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.agents.gateway.AnswerStore;
import dev.lakemill.agents.gateway.ScriptedModelServer;
import dev.lakemill.agents.gateway.ScriptedModelServer.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline that asks a model through the gateway of its node, with a scripted provider. */
final class QuestionsInNodeTest {
    @TempDir static Path folder;
    private static ScriptedModelServer provider;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        provider = ScriptedModelServer.start();
        provider.otherwise(
                new Answer.Computed(
                        request -> {
                            var prompt = request.at("/messages/0/content").asText();
                            return prompt.contains("bad")
                                    ? new Answer.Status(400, 0)
                                    : new Answer.Text(
                                            "%s (%s)".formatted(prompt, request.path("seed")));
                        }));
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                governance: governance.sql
                models:
                  endpoints:
                    - name: writer
                      providers: [{name: one, base_url: "%s", model: m}]
                pipelines:
                  - {name: p, folder: sql, owner: asker}
                  - {name: denied, folder: other, owner: nobody}
                """
                        .formatted(provider.url()));
        Files.writeString(
                folder.resolve("governance.sql"),
                """
                CREATE CATALOG IF NOT EXISTS main;
                GRANT USE CATALOG, USE SCHEMA, SELECT, MODIFY ON CATALOG main TO admins;
                CREATE SERVICE PRINCIPAL IF NOT EXISTS asker;
                GRANT USE CATALOG, USE SCHEMA, CREATE SCHEMA, CREATE TABLE, CREATE MATERIALIZED VIEW
                  ON CATALOG main TO asker;
                GRANT EXECUTE ON REGISTERED MODEL system.ai.writer TO asker;
                CREATE SERVICE PRINCIPAL IF NOT EXISTS nobody;
                GRANT USE CATALOG, CREATE SCHEMA ON CATALOG main TO nobody;
                """);
        Files.writeString(
                Files.createDirectories(folder.resolve("sql")).resolve("p.sql"),
                """
                CREATE TABLE main.gold.t (k INT, s STRING);
                CREATE MATERIALIZED VIEW main.gold.v AS SELECT k,
                  ai_query('writer', 'Say ' || s, modelParameters => named_struct('seed', 7),
                    failOnError => false) AS said
                FROM main.gold.t;
                """);
        Files.writeString(
                Files.createDirectories(folder.resolve("other")).resolve("p.sql"),
                """
                CREATE TABLE main.other.t (k INT, s STRING);
                CREATE MATERIALIZED VIEW main.other.v AS SELECT ai_query('writer', s) AS said
                FROM main.other.t;
                """);
        node = new TestNode(folder, Map.of());
    }

    @AfterAll
    static void stop() {
        node.close();
        provider.close();
    }

    @Test
    void asksOnTheOwnersAccountAndKeepsWhatIsAnswered() throws Exception {
        provider.script(new Answer.Status(503, 0), new Answer.Malformed());
        node.send("main.gold.t", "{\"k\": 1, \"s\": \"hi\"}", "{\"k\": 2, \"s\": \"bad\"}");
        var rows = "k, said.result, said.errorMessage IS NOT NULL FROM main.gold.v";
        node.awaitRows(rows, "1|Say hi (7)|false", "2|null|true");
        node.send("main.gold.t", "{\"k\": 3, \"s\": \"hi\"}");
        node.awaitRows(rows, "1|Say hi (7)|false", "2|null|true", "3|Say hi (7)|false");
        assertThat(node.rows("requester, status_code FROM system.ai_gateway.usage"))
                .contains("asker|200", "asker|400")
                .allMatch(row -> row.startsWith("asker|"));
        assertThat(node.rows("status_code FROM system.ai_gateway.usage"))
                .as("an answer is asked for once")
                .containsOnlyOnce("200");
        var metrics = node.get("/metrics").body();
        assertThat(metrics)
                .contains("lakemill_ai_query_calls_total{pipeline=\"p\"} 2.0")
                .contains("lakemill_ai_query_calls_failed_total{pipeline=\"p\"} 1.0")
                .containsPattern(
                        "lakemill_ai_query_seconds_total\\{pipeline=\"p\"\\} \\d+\\.\\d*[1-9]")
                .containsPattern("lakemill_ai_query_cached_total\\{pipeline=\"p\"\\} [2-9]");
    }

    @Test
    void anOwnerWithoutExecuteDoesNotRun() {
        var denied = node.node().pipelines().named("denied").orElseThrow();
        assertThat(denied.error().orElseThrow())
                .contains("EXECUTE on REGISTERED MODEL system.ai.writer")
                .contains("GRANT EXECUTE ON REGISTERED MODEL system.ai.writer TO `nobody`");
    }

    @Test
    void answersOfAPipelineThatIsGoneAreRemovedAtTheNextStart() throws Exception {
        var database = node.node().postgres().owner();
        var store = new AnswerStore(database);
        var answer = new AnswerStore.Row("k", Instant.EPOCH, "writer", "1", "Hello", null);
        store.keep("gone", List.of(answer));
        store.keep("p", List.of(answer));
        node.close();
        node = new TestNode(folder, Map.of());
        var restarted = new AnswerStore(node.node().postgres().owner());
        assertThat(restarted.load("gone")).isEmpty();
        assertThat(restarted.load("p")).contains(answer);
    }

    @Test
    void peopleAskInPipelinesAlone() {
        assertThat(node.rows("ai_query('writer', 'x') AS said"))
                .singleElement()
                .asString()
                .contains("in the SELECT list of a materialized view alone");
    }
}
