package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.api.agent.AgentWorker;
import dev.lakemill.api.agent.HttpModelClient;
import dev.lakemill.catalog.Caller;
import dev.lakemill.types.Principal;
import java.net.URI;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** From a producer's row to an agent: pipeline, synced table, trigger, run, all of them real. */
@Timeout(300)
final class AgentOnSyncedTableTest {
    @TempDir static Path folder;

    @Test
    void aBatchOfAPipelineStartsAnAgentForEachRowThatItChanges() throws Exception {
        write(
                "lakemill.yml",
                "governance: g.sql\npipelines:\n  - {name: counts, folder: counts}\n");
        write(
                "g.sql",
                """
                CREATE CATALOG IF NOT EXISTS shop;
                GRANT USE CATALOG, USE SCHEMA, SELECT, MODIFY ON CATALOG shop TO admins;
                CREATE SERVICE PRINCIPAL IF NOT EXISTS watcher;
                GRANT USE CATALOG, USE SCHEMA, SELECT ON CATALOG shop TO watcher;
                """);
        Files.createDirectories(folder.resolve("counts"));
        write(
                "counts/p.sql",
                """
                CREATE TABLE shop.raw.events (id BIGINT NOT NULL);
                CREATE MATERIALIZED VIEW shop.gold.totals AS
                    SELECT id, count(*) AS n FROM shop.raw.events GROUP BY id;
                CREATE SYNCED TABLE shop.serving.totals FROM shop.gold.totals PRIMARY KEY (id);
                """);
        try (var node = new TestNode(folder, Map.of())) {
            node.send("shop.raw.events", "{\"id\": 1}");
            // Where Gold shows the row, Postgres need not yet: its insert would start an agent,
            // too.
            TestNode.await(() -> isSynced(node));
            var watcher = node.node().catalog().principals().find("watcher").orElseThrow();
            node.admin().put("/api/2.0/agents/watcher", Map.of("principal", "watcher"));
            node.admin()
                    .post(
                            "/api/2.0/agents/watcher/triggers",
                            Map.of("name", "totals", "table", "shop.serving.totals"));
            try (var _ = worker(node, watcher.principal())) {
                node.sendTogether("shop.raw.events", "{\"id\": 1}", "{\"id\": 2}", "{\"id\": 1}");
                awaitRuns(node, "insert 2 1", "update 1 3");
                node.send("shop.raw.events", "{\"id\": 2}");
                awaitRuns(node, "insert 2 1", "update 1 3", "update 2 2");
            }
        }
    }

    private static boolean isSynced(TestNode node) {
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT FROM serving.totals")) {
            return rows.next();
        } catch (SQLException _) {
            return false; // The table is not there yet.
        }
    }

    private static void write(String name, String text) throws Exception {
        Files.writeString(folder.resolve(name), text);
    }

    /** It reads what the batch has left in the row, by its own rights. */
    private static AgentWorker worker(TestNode node, Principal principal) {
        return AgentWorker.start(
                AgentWorker.Options.of("watcher"),
                run -> {
                    var sql = "SELECT n FROM serving.totals WHERE id = ?";
                    var id = run.input().at("/key/id").asLong();
                    return Map.of("n", run.query("total", sql, id).getFirst().number("n"));
                },
                () -> login(node, principal),
                new HttpModelClient(
                        URI.create(node.url), () -> "no model is asked", Duration.ofSeconds(1)));
    }

    private static Connection login(TestNode node, Principal principal) throws SQLException {
        var caller = new Caller(principal, null, "test", "", "");
        var request = new DatabaseTokens.Request(Duration.ofMinutes(10), false, Optional.empty());
        var token = node.node().databaseTokens().issue(caller, request).token();
        var url = "jdbc:postgresql://" + node.node().door().address() + "/lakemill?sslmode=require";
        return DriverManager.getConnection(url, principal.name(), token);
    }

    /** Operation, key and what the run saw, of all runs there are. */
    private static void awaitRuns(TestNode node, String... expected) throws InterruptedException {
        TestNode.await(() -> runs(node).equals(List.of(expected)));
    }

    private static List<String> runs(TestNode node) {
        var told = new ArrayList<String>();
        for (var line : node.admin().get("/api/2.0/agent-runs?agent=watcher").path("runs")) {
            var run = node.admin().get("/api/2.0/agent-runs/" + line.path("run_id").asText());
            told.add(
                    "%s %s %s"
                            .formatted(
                                    run.at("/input/operation").asText(),
                                    run.at("/input/key/id").asText(),
                                    run.at("/output/n").asText()));
        }
        assertThat(told.size()).as("%s", told).isLessThan(4);
        return told.stream().sorted().toList();
    }
}
