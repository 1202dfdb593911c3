package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** PARTITIONED BY and CLUSTER BY on the tables of a node. */
@Timeout(300)
final class PipelineLayoutTest {
    private static final String TEXT =
            """
            CREATE TABLE c.b.t (id BIGINT NOT NULL, kind STRING, x BIGINT);
            CREATE STREAMING TABLE c.s.t PARTITIONED BY (kind) AS SELECT * FROM STREAM(c.b.t);
            CREATE MATERIALIZED VIEW c.g.v CLUSTER BY (kind)
            AS SELECT kind, sum(x) AS x FROM c.s.t GROUP BY kind;
            CREATE PRIVATE MATERIALIZED VIEW c.g.hidden PARTITIONED BY (kind) AS SELECT * FROM c.s.t;
            CREATE MATERIALIZED VIEW c.g.n AS SELECT count(*) AS n FROM c.g.hidden;
            """;

    @TempDir Path folder;

    @Test
    void tablesAreLaidOutAsTheirTextSaysAndAnewByAFullRefresh() throws Exception {
        Files.writeString(
                folder.resolve("lakemill.yml"), "pipelines:\n  - name: p\n    folder: sql\n");
        Files.createDirectories(folder.resolve("sql"));
        write(TEXT);
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            node.send("c.b.t", row(1, "a"), row(2, "b"), row(3, "a"));
            node.awaitRows("* FROM c.g.v", "a|4", "b|2");
            node.awaitRows("* FROM c.g.n", "3");
            node.awaitRows("* FROM c.s.t", "1|a|1", "2|b|2", "3|a|3");
            assertThat(newest(node, "c/s/t", "partitionColumns")).contains("[\"kind\"]");
            assertThat(newest(node, "c/s/t", "partitionValues"))
                    .get()
                    .asString()
                    .matches("\\{\"kind\":\"[ab]\"}");
            assertThat(newest(node, "c/g/v", "clusteringColumns")).isPresent();

            write(TEXT.replace("CLUSTER BY (kind)", "CLUSTER BY (x, kind)"));
            // On a slow machine the node has seen the new text by itself before.
            assertThat(refresh(node, false))
                    .containsAnyOf("runs the new text", "runs this text already");
            node.send("c.b.t", row(4, "b"));
            node.awaitRows("* FROM c.g.v", "a|4", "b|6");

            write(TEXT.replace("c.s.t PARTITIONED BY (kind)", "c.s.t PARTITIONED BY (x)"));
            assertThatThrownBy(() -> refresh(node, false))
                    .hasMessageContaining("[c.s.t]")
                    .hasMessageContaining("full refresh");
            assertThat(refresh(node, true)).contains("c.s.t");
            TestNode.await(
                    () -> newest(node, "c/s/t", "partitionColumns").equals(Optional.of("[\"x\"]")));
            TestNode.await(() -> node.rows("* FROM c.s.t").size() == 4);
            assertThat(node.rows("* FROM c.s.t"))
                    .containsExactly("1|a|1", "2|b|2", "3|a|3", "4|b|4");
            node.awaitRows("* FROM c.g.v", "a|4", "b|6");
        }
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            node.send("c.b.t", row(5, null));
            node.awaitRows("* FROM c.g.n", "5");
            node.awaitRows("* FROM c.s.t WHERE kind IS NULL", "5|null|5");
        }
    }

    private static String row(int id, @org.jspecify.annotations.Nullable String kind) {
        return kind == null
                ? "{\"id\":%1$d,\"x\":%1$d}".formatted(id)
                : "{\"id\":%1$d,\"x\":%1$d,\"kind\":\"%2$s\"}".formatted(id, kind);
    }

    /** A member of the last commit that has it. */
    private static Optional<String> newest(TestNode node, String table, String member) {
        var log = node.data.resolve("tables").resolve(table).resolve("_delta_log");
        var pattern = Pattern.compile("\"" + member + "\\\\?\":([\\[{][^\\]}]*[\\]}])");
        try (var files = Files.list(log)) {
            var commits = files.filter(f -> f.toString().endsWith(".json")).sorted().toList();
            for (var commit : commits.reversed()) {
                var found = pattern.matcher(Files.readString(commit));
                if (found.find()) {
                    return Optional.of(found.group(1));
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
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
}
