package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline that fails fails alone. */
@Timeout(300)
final class PipelineIsolationTest {
    @TempDir Path folder;

    @Test
    void theOthersAndIngestGoOnWhateverIsWrongWithOne() throws Exception {
        var entries = new StringBuilder("pipelines:\n");
        for (var name : List.of("good", "unreadable", "unknown", "poisoned", "denied")) {
            entries.append("  - name: ").append(name).append("\n    folder: ").append(name);
            entries.append(name.equals("denied") ? "\n    owner: nobody\n" : "\n");
            Files.createDirectories(folder.resolve(name));
        }
        Files.writeString(folder.resolve("lakemill.yml"), entries.toString());
        write("good", source("a") + view("c.g.good", "count(*) AS n FROM c.b.a"));
        write("unreadable", "CREATE STREAMING TABEL c.s.x AS SELECT 1;");
        write("unknown", view("c.g.unknown", "y FROM c.b.none"));
        write("poisoned", source("p") + view("c.g.poisoned", "sum(100 / x) AS s FROM c.b.p"));
        write("denied", source("d") + view("c.g.denied", "count(*) AS n FROM c.b.d"));
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            assertThat(error(node, "unreadable")).contains("TABEL");
            assertThat(error(node, "unknown")).contains("c.b.none");
            assertThat(error(node, "denied")).contains("nobody");
            node.send("c.b.a", "{\"id\":1,\"x\":1}");
            node.send("c.b.p", "{\"id\":1,\"x\":50}");
            node.awaitRows("* FROM c.g.good", "1");
            node.awaitRows("* FROM c.g.poisoned", "2.0");
            node.send("c.b.p", "{\"id\":2,\"x\":0}");
            TestNode.await(() -> error(node, "poisoned").contains("c.g.poisoned"));
            node.send("c.b.p", "{\"id\":3,\"x\":1}");
            node.send("c.b.a", "{\"id\":2,\"x\":1}");
            node.awaitRows("* FROM c.g.good", "2");
            assertThat(node.rows("* FROM c.g.poisoned")).containsExactly("2.0");
            TestNode.await(() -> node.rows("* FROM c.b.p").size() == 3);
            assertThat(error(node, "good")).isEmpty();

            write("unreadable", source("u") + view("c.g.u", "count(*) AS n FROM c.b.u"));
            node.admin().post("/api/pipelines/unreadable/refresh", Map.of());
            node.send("c.b.u", "{\"id\":1,\"x\":1}");
            node.awaitRows("* FROM c.g.u", "1");
        }
    }

    private static String source(String table) {
        return "CREATE TABLE c.b.%s (id BIGINT NOT NULL, x BIGINT);\n".formatted(table);
    }

    private static String view(String name, String query) {
        return "CREATE MATERIALIZED VIEW %s AS SELECT %s;\n".formatted(name, query);
    }

    private void write(String pipeline, String text) throws IOException {
        Files.writeString(folder.resolve(pipeline).resolve("p.sql"), text);
    }

    private static String error(TestNode node, String pipeline) {
        return node.node().pipelines().named(pipeline).orElseThrow().error().orElse("");
    }
}
