package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a pipeline's text meets that nobody thought of is that pipeline's alone, and is told. */
@Timeout(300)
final class PipelineDefectsTest {
    @TempDir Path folder;

    @Test
    void aNodeStartsAndAPipelineThatIsDownSaysWhy() throws Exception {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                pipelines:
                  - {name: good, folder: good}
                  - {name: glob, folder: glob}
                  - {name: none, folder: none}
                """);
        write("good", text("good", "in"));
        write("glob", text("glob", "in/[a-"));
        Files.createDirectories(folder.resolve("in"));
        Files.writeString(folder.resolve("in/a.json"), "{\"id\":1}\n");
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            node.awaitRows("id FROM c.s.good", "1");
            assertThat(error(node, "glob")).contains("in/[a-");
            assertThat(error(node, "none")).contains("folder");

            var own = Files.createDirectories(node.data.resolve("in"));
            Files.writeString(own.resolve("a.json"), "{\"id\":1}\n");
            write("good", text("good", own.toString()));
            assertThatThrownBy(
                            () ->
                                    node.admin()
                                            .post(
                                                    "/api/pipelines/good/refresh",
                                                    Map.of("full", true)))
                    .hasMessageContaining("the node's own folder");
            assertThat(error(node, "good")).contains("the node's own folder");

            write("good", text("good", "in"));
            node.admin().post("/api/pipelines/good/refresh", Map.of("full", true));
            TestNode.await(() -> error(node, "good").isEmpty());
            node.awaitRows("id FROM c.s.good", "1");
            commandsNameOnePipeline(node);
        }
    }

    private static void commandsNameOnePipeline(TestNode node) throws Exception {
        assertThatThrownBy(() -> node.admin().post("/api/pipelines/glob/refresh", Map.of()));
        node.admin().post("/api/pipelines/good/refresh", Map.of("full", true));
        var events = List.of("pipeline", "events", "glob", "--limit", "1");
        TestNode.await(() -> node.run(0, events.toArray(String[]::new)).contains("glob does not"));
        assertThat(node.run(0, "pipeline", "events", "goo")).isEmpty();
        assertThat(node.run(0, "pipeline", "status", "good")).contains("pipeline good: ");
        assertThat(node.run(1, "pipeline", "status", "goo"))
                .contains("the node has no pipeline 'goo'")
                .contains("[good, glob, none]");
    }

    private static String text(String table, String path) {
        return "CREATE STREAMING TABLE c.s.%s AS SELECT id FROM STREAM read_files('%s', format => 'json');"
                .formatted(table, path);
    }

    private void write(String pipeline, String text) throws IOException {
        Files.createDirectories(folder.resolve(pipeline));
        Files.writeString(folder.resolve(pipeline).resolve("p.sql"), text);
    }

    private static String error(TestNode node, String pipeline) {
        return node.node().pipelines().named(pipeline).orElseThrow().error().orElse("");
    }
}
