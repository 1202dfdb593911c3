package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.pipeline.TestBuckets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline that reads a folder of files, whose columns grow. */
@Timeout(300)
final class PipelineFilesTest {
    private static final String TEXT =
            """
            CREATE STREAMING TABLE c.s.t (
              CONSTRAINT positive EXPECT (id > 0) ON VIOLATION QUARANTINE)
              AS SELECT * FROM STREAM read_files('in', format => 'json', schemaHints => 'at DATE');
            CREATE MATERIALIZED VIEW c.g.n AS SELECT count(*) AS n FROM c.s.t;
            """;

    @TempDir Path folder;

    @Test
    void eachFileIsReadOnceAndNewColumnsComeIntoTheTables() throws Exception {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                "pipelines:\n  - name: p\n    folder: sql\n  - name: q\n    folder: other\n");
        Files.createDirectories(folder.resolve("sql"));
        Files.createDirectories(folder.resolve("other"));
        Files.writeString(
                folder.resolve("other/q.sql"),
                "CREATE STREAMING TABLE c.q.t AS SELECT id * 10 AS ten FROM STREAM c.s.t;");
        Files.createDirectories(folder.resolve("in"));
        Files.writeString(folder.resolve("sql/p.sql"), TEXT);
        put("a.json", "{\"id\":1}\n{\"id\":-1}\n");
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            node.awaitRows("id, at FROM c.s.t", "1|null");
            put("bad.json", "{\"id\":");
            put("b.json", "{\"id\":2,\"at\":\"2026-01-02\",\"more\":{\"x\":1.5}}\n");
            node.awaitRows("id, at, more.x FROM c.s.t", "1|null|null", "2|2026-01-02|1.5");
            put("c.json", "{\"id\":3,\"more\":{\"x\":2.5}}\n{\"id\":-3}\n");
            node.awaitRows("n FROM c.g.n", "3");
            node.awaitRows("id FROM c.s.t_quarantine", "-3", "-1");
            TestNode.await(() -> files(node).badFiles() == 1);
            assertThat(files(node).files()).isEqualTo(3);
            node.admin().post("/api/pipelines/q/refresh", Map.of());
            node.awaitRows("ten FROM c.q.t", "10", "20", "30");
            assertThat(files(node).newestBad().getFirst()).contains("in/bad.json: ");
        }
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            put("d.json", "{\"id\":4}\n");
            node.awaitRows("n FROM c.g.n", "4");
            node.awaitRows("id FROM c.s.t", "1", "2", "3", "4");
            node.admin().post("/api/pipelines/p/refresh", Map.of("full", true));
            put("e.json", "{\"id\":5}\n");
            node.awaitRows("n FROM c.g.n", "5");
            node.awaitRows("id FROM c.s.t", "1", "2", "3", "4", "5");
        }
    }

    @Test
    void aBucketIsReadAsTheSettingsSay() throws Exception {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                "pipelines:\n  - name: p\n    folder: sql\ns3:\n  list_s: 1\n");
        Files.createDirectories(folder.resolve("sql"));
        Files.writeString(
                folder.resolve("sql/p.sql"),
                "CREATE STREAMING TABLE c.s.t AS SELECT * FROM STREAM"
                        + " read_files('s3://lake/in/*.json', format => 'json');");
        try (var buckets = new TestBuckets()) {
            buckets.put("in/a.json", "{\"id\":1}");
            var settings =
                    Map.of(
                            "LAKEMILL_PIPELINE_COMMIT_MS",
                            "200",
                            "LAKEMILL_S3_ENDPOINT",
                            buckets.endpoint());
            try (var node = new TestNode(folder, settings)) {
                node.awaitRows("id FROM c.s.t", "1");
                buckets.leave();
                TestNode.await(() -> files(node).error().contains("cannot be listed"));
                buckets.comeBack();
                buckets.put("in/b.json", "{\"id\":2,\"more\":3}");
                node.awaitRows("id, more FROM c.s.t", "1|null", "2|3");
                TestNode.await(() -> files(node).error().isEmpty());
                assertThat(files(node).files()).isEqualTo(2);
            }
        }
    }

    private static NodeStatus.FileState files(TestNode node) {
        return node.node().pipelines().hosts().getFirst().state().files().getFirst();
    }

    private void put(String name, String text) throws IOException {
        var beside = Files.writeString(folder.resolve(name), text);
        Files.move(beside, folder.resolve("in").resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
}
