package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline whose text changes while rows come in. */
@Timeout(300)
final class PipelineEditingTest {
    private static final String SOURCE =
            "CREATE TABLE c.b.t (id BIGINT NOT NULL, kind STRING, x BIGINT);\n";
    private static final String SILVER =
            "CREATE STREAMING TABLE c.s.t (CONSTRAINT low EXPECT (x < 100) ON VIOLATION QUARANTINE)"
                    + " AS SELECT id, kind, x FROM STREAM(c.b.t);\n";
    private static final String GOLD =
            "CREATE MATERIALIZED VIEW c.g.v AS SELECT kind, sum(x) AS x FROM c.s.t"
                    + " GROUP BY kind;\n";

    @TempDir Path folder;

    @Test
    void aTextIsPutInPlaceOrRefusedAndNoRowIsLost() throws Exception {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                "pipelines:\n  - name: p\n    folder: sql\n    configuration:\n      least: '0'\n");
        Files.createDirectories(folder.resolve("sql"));
        write(SOURCE + SILVER + GOLD);
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            send(node, 1, 2, 300);
            node.awaitRows("* FROM c.g.v", "a|3");

            write(SOURCE + SILVER + GOLD.replace("sum(x) AS x", "sum(x) AS x, count(*) AS n"));
            // On a slow machine the node has seen the new text by itself before.
            assertThat(refresh(node, false))
                    .containsAnyOf("runs the new text", "runs this text already");
            node.awaitRows("* FROM c.g.v", "a|3|2");

            write(SOURCE + SILVER + "CREATE MATERIALIZED VIEW c.g.v AS SELECT y FROM c.s.t;");
            assertThatThrownBy(() -> refresh(node, false)).hasMessageContaining("`y`");
            send(node, 4);
            node.awaitRows("* FROM c.g.v", "a|7|3");

            var more =
                    "CREATE STREAMING TABLE c.s.more AS SELECT id, x * 10 AS ten FROM STREAM(c.s.t)"
                            + " WHERE x > ${least};\n";
            write(SOURCE + SILVER + GOLD + more);
            assertThat(refresh(node, false)).contains("computes [c.s.more] from the first row");
            node.awaitRows("* FROM c.s.more", "1|10", "2|20", "4|40");
            send(node, 5);
            TestNode.await(() -> node.rows("* FROM c.s.more").size() == 4);
            TestNode.await(() -> node.rows("* FROM c.s.t").size() == 4);

            var wider = SILVER.replace("SELECT id", "SELECT id, x + 1 AS next");
            write(SOURCE + wider + GOLD + more);
            assertThatThrownBy(() -> refresh(node, false))
                    .hasMessageContaining("[c.s.t]")
                    .hasMessageContaining("full refresh");
            assertThat(refresh(node, true)).contains("c.s.t");
            TestNode.await(() -> node.rows("* FROM c.s.t").contains("5|6|a|5"));
            TestNode.await(() -> node.rows("* FROM c.s.t_quarantine").size() == 1);
            send(node, 6);
            // A round commits its outputs one after the other.
            node.awaitRows("* FROM c.g.v", "a|18");
            TestNode.await(() -> node.rows("* FROM c.s.t").size() == 5);
            assertThat(node.rows("* FROM c.s.t")).contains("6|7|a|6");
            assertThat(swaps(node, "c/s/t")).isEqualTo(1);
            assertThat(swaps(node, "c/s/t_quarantine")).isEqualTo(1);
            TestNode.await(() -> node.rows("* FROM c.s.more").size() == 5);

            var sql = new SqlClient(node.admin());
            TestNode.await(
                    () ->
                            sql
                                    .run(
                                            "SELECT DISTINCT event_type FROM"
                                                    + " system.pipelines.event_log ORDER BY 1")
                                    .rows()
                                    .stream()
                                    .map(List::getFirst)
                                    .toList()
                                    .equals(
                                            List.of(
                                                    "create_update",
                                                    "dataset_definition",
                                                    "flow_definition",
                                                    "flow_progress",
                                                    "update_progress")));
        }
    }

    /** Commits that give a table that stays the same one other columns and other rows together. */
    private static long swaps(TestNode node, String table) throws IOException {
        var log = node.data.resolve("tables").resolve(table).resolve("_delta_log");
        try (var files = Files.list(log)) {
            long swaps = 0;
            for (var file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
                var commit = Files.readString(file);
                var columns = commit.contains("{\"metaData\"") && commit.contains("\\\"next\\\"");
                assertThat(columns && file.endsWith("00000000000000000000.json")).isFalse();
                swaps +=
                        columns && commit.contains("{\"remove\"") && commit.contains("{\"add\"")
                                ? 1
                                : 0;
            }
            return swaps;
        }
    }

    private void write(String text) throws IOException {
        Files.writeString(folder.resolve("sql/p.sql"), text);
    }

    private static String refresh(TestNode node, boolean full) {
        return node.admin()
                .post("/api/pipelines/p/refresh", Map.of("full", full))
                .path("message")
                .asText();
    }

    private static void send(TestNode node, long... values) throws IOException {
        var endpoint = Endpoint.parse("http://" + RunFile.read(node.data).grpc());
        var token = node.adminToken();
        try (var client = ProducerClient.connect(endpoint, () -> token);
                var stream = client.open(TableName.parse("c.b.t"))) {
            for (var value : values) {
                stream.ingestJson("{\"id\":%1$d,\"kind\":\"a\",\"x\":%1$d}".formatted(value));
            }
            stream.flush(Duration.ofMinutes(2));
        }
    }
}
