package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.ProtoTypes;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A table that gets columns from its producers under a running pipeline, through kill -9. */
@Timeout(300)
final class SchemaEvolutionTest {
    private static final TableName TABLE = TableName.parse("c.b.t");
    private static final String SOURCE = "CREATE TABLE c.b.t (id BIGINT NOT NULL, x INT);\n";
    private static final String REST =
            "CREATE STREAMING TABLE c.s.t AS SELECT * FROM STREAM(c.b.t);\n"
                    + "CREATE MATERIALIZED VIEW c.g.v AS SELECT count(*) AS n, sum(x) AS x"
                    + " FROM c.s.t;\n";
    private static final TableSchema NEWER =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("x", Primitive.LONG),
                    Column.nullable("unit", Primitive.STRING));

    @TempDir Path folder;

    @Test
    void aTableGrowsUnderItsPipelineAndThroughKillMinusNine() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Files.writeString(
                folder.resolve("lakemill.yml"), "pipelines:\n  - name: p\n    folder: sql\n");
        Files.createDirectories(folder.resolve("sql"));
        write(SOURCE + REST);
        firstLife();
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            nothingIsLost(node);
            theTextFollowsAWiderType(node);
        }
    }

    /** Producers of both forms, until the process is killed. */
    private void firstLife() throws Exception {
        var data = folder.resolve(".lakemill");
        var process = server();
        try {
            TestNode.await(() -> !process.isAlive() || RunFile.isThere(data));
            assertThat(process.isAlive()).isTrue();
            var sql = new SqlClient(NodeClient.local(RunFile.read(data), data));
            var token = Files.readString(LocalToken.file(data));
            var endpoint = Endpoint.parse("http://" + RunFile.read(data).grpc());
            try (var client = ProducerClient.connect(endpoint, () -> token);
                    var older = client.open(TABLE)) {
                send(older, "{\"id\":1,\"x\":10}");
                assertThatThrownBy(() -> send(client.open(TABLE), "{\"id\":0,\"note\":\"a\"}"))
                        .isInstanceOf(LakemillException.class)
                        .hasMessageContaining("note");
                sql.run(
                        "ALTER TABLE c.b.t SET TAGS ('zerobus_schema_evolution'"
                                + " = 'addNewColumnsWithTypeWidening')");
                try (var json = client.open(TABLE)) {
                    send(json, "{\"id\":2,\"x\":20,\"note\":\"a\"}");
                }
                assertThat(text(sql, "note FROM c.b.t WHERE id = 2")).isEqualTo("[[a]]");
                send(older, "{\"id\":3,\"x\":30}");
                var format = RecordFormat.proto(ProtoTypes.descriptor(NEWER));
                try (var proto =
                        client.open(TABLE, format, StreamOptions.DEFAULT, ProducerObserver.NONE)) {
                    // id = 4, x = 40, unit = "g"
                    proto.ingestProto(new byte[] {8, 4, 16, 40, 26, 1, 'g'});
                    proto.flush(Duration.ofMinutes(2));
                }
                send(older, "{\"id\":5,\"x\":50}");
                process.destroyForcibly().waitFor();
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static void send(ProducerStream stream, String row) {
        stream.ingestJson(row);
        stream.flush(Duration.ofMinutes(2));
    }

    private static String text(SqlClient sql, String query) {
        return sql.run("SELECT " + query).rows().toString();
    }

    private Process server() throws IOException {
        var root = System.getProperty("lakemill.root");
        var command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "@" + Path.of(root, "jvm.flags"),
                                "-Xmx384m",
                                "-Dlakemill.root=" + root,
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName(),
                                "up"));
        var builder = new ProcessBuilder(command).directory(folder.toFile());
        for (var port : List.of("GRPC", "HTTP", "POSTGRES")) {
            builder.environment().put("LAKEMILL_" + port + "_PORT", "0");
        }
        builder.redirectErrorStream(true).redirectOutput(folder.resolve("out").toFile());
        return builder.start();
    }

    private void nothingIsLost(TestNode node) throws Exception {
        var all =
                List.of(
                        "1|10|null|null",
                        "2|20|a|null",
                        "3|30|null|null",
                        "4|40|null|g",
                        "5|50|null|null");
        assertThat(node.rows("* FROM c.b.t")).isEqualTo(all);
        node.awaitRows("* FROM c.g.v", "5|150");
        node.awaitRows("* FROM c.s.t", "1|10", "2|20", "3|30", "4|40", "5|50");
        assertThat(
                        node.rows(
                                "request_params['added'], request_params['widened']"
                                        + " FROM system.access.audit"
                                        + " WHERE action_name = 'evolveSchema'"))
                .containsExactly("note STRING|", "unit STRING|x INT to BIGINT");
        TestNode.await(() -> outside().size() == 5);
        assertThat(outside()).containsExactlyElementsOf(all);
    }

    /** The pipeline stops at a number that its text does not allow for, and says what to do. */
    private void theTextFollowsAWiderType(TestNode node) throws Exception {
        node.send("c.b.t", "{\"id\":6,\"x\":5000000000}");
        TestNode.await(
                () ->
                        node.node()
                                .pipelines()
                                .named("p")
                                .flatMap(PipelineHost::error)
                                .filter(e -> e.contains("column 'x' holds 5000000000"))
                                .isPresent());
        write(SOURCE.replace("INT)", "BIGINT, note STRING)") + REST);
        node.admin().post("/api/pipelines/p/refresh", Map.of("full", true));
        node.awaitRows("* FROM c.g.v", "6|5000000150");
        node.awaitRows("note FROM c.s.t WHERE id = 2", "a");
    }

    /** Bronze as somebody else reads it. */
    private List<String> outside() {
        var at = folder.resolve(".lakemill/tables/c/b/t");
        var rows = new ArrayList<String>();
        try (var allocator = new RootAllocator();
                var table = DeltaTable.open(at, DeltaConfig.DEFAULT, allocator, Clock.systemUTC());
                var reader = table.snapshot().read(List.of())) {
            for (var batch = reader.next(); batch != null; batch = reader.next()) {
                for (int row = 0; row < batch.count(); row++) {
                    var values = new ArrayList<String>();
                    for (int i = 0; i < batch.schema().size(); i++) {
                        values.add(String.valueOf(batch.vector(i).getObject(row)));
                    }
                    rows.add(String.join("|", values));
                }
                batch.close();
            }
        }
        return rows;
    }

    private void write(String text) throws IOException {
        Files.writeString(folder.resolve("sql/p.sql"), text, StandardCharsets.UTF_8);
    }
}
