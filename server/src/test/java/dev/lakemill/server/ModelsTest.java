package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline that scores with the farm's model, in a whole node. */
final class ModelsTest {
    private static final String NAME = "main.ml.rank";
    private static final String API = "/api/2.1/unity-catalog/models";

    @TempDir static Path folder;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        copyModel(Files.createDirectories(folder.resolve("models").resolve(NAME)));
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                governance: governance.sql
                pipelines:
                  - {name: p, folder: sql}
                  - {name: denied, folder: other, owner: nobody}
                """);
        Files.writeString(
                folder.resolve("governance.sql"),
                """
                CREATE CATALOG IF NOT EXISTS main;
                CREATE SCHEMA IF NOT EXISTS main.ml;
                CREATE SCHEMA IF NOT EXISTS main.other;
                GRANT USE CATALOG, USE SCHEMA, SELECT, MODIFY, EXECUTE ON CATALOG main TO admins;
                CREATE SERVICE PRINCIPAL IF NOT EXISTS nobody;
                GRANT USE CATALOG ON CATALOG main TO nobody;
                GRANT USE SCHEMA ON SCHEMA main.ml TO nobody;
                GRANT USE SCHEMA, CREATE TABLE, CREATE MATERIALIZED VIEW ON SCHEMA main.other
                  TO nobody;
                """);
        pipeline("sql", "main.gold");
        pipeline("other", "main.other");
        node = new TestNode(folder, Map.of());
    }

    private static void pipeline(String name, String schema) throws IOException {
        Files.writeString(
                Files.createDirectories(folder.resolve(name)).resolve("p.sql"),
                """
                CREATE TABLE %1$s.t (d DOUBLE, r DOUBLE);
                CREATE STREAMING TABLE %1$s.s AS SELECT d,
                  predict('main.ml.rank@champion', d, 0.2, -0.1, 0, coalesce(r, 0.9D)) AS score,
                  model_version('main.ml.rank@champion') AS version
                FROM STREAM(%1$s.t);
                CREATE MATERIALIZED VIEW %1$s.v AS SELECT d,
                  predict('main.ml.rank@champion', d, 0.2, -0.1, 0, coalesce(r, 0.9D)) AS score,
                  model_version('main.ml.rank@champion') AS version
                FROM %1$s.t;
                """
                        .formatted(schema));
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @Test
    void theProjectsModelIsRegisteredAndItsPipelineRollsForward() throws Exception {
        assertThat(models()).containsExactly(new ModelUse(NAME, 1));
        var client = node.admin();
        assertThat(score("aliases/champion")).isEqualTo(score("versions/1"));
        send(1);
        TestNode.await(() -> versions("main.gold.s").equals(List.of("1.0|1")));

        var second = register();
        client.patch("%s/%s/versions/%d/finalize".formatted(API, NAME, second), Map.of());
        client.put("%s/%s/aliases/champion".formatted(API, NAME), Map.of("version_num", second));
        TestNode.await(() -> models().equals(Set.of(new ModelUse(NAME, second))));
        send(2);
        TestNode.await(() -> versions("main.gold.s").equals(List.of("1.0|1", "2.0|" + second)));
        TestNode.await(
                () -> versions("main.gold.v").equals(List.of("1.0|" + second, "2.0|" + second)));

        client.post("/api/pipelines/p/refresh", Map.of("full", true));
        TestNode.await(
                () -> versions("main.gold.s").equals(List.of("1.0|" + second, "2.0|" + second)));
        var host = node.node().pipelines().named("p").orElseThrow();
        assertThat(host.error()).isEmpty();
        assertThat(PlanLineage.ofDatasets(host.plan().orElseThrow()))
                .extracting(edge -> edge.source())
                .contains(new LineageNode(LineageNode.Type.MODEL, NAME));
    }

    @Test
    void whatCannotBeScoredFailsItsRegistration() throws Exception {
        var version = register();
        var path = "%s/%s/versions/%d".formatted(API, NAME, version);
        var location = node.admin().get(path).path("storage_location").asText();
        Files.write(Path.of(URI.create(location)).resolve("model.onnx"), new byte[] {1, 2, 3});
        assertThatThrownBy(() -> node.admin().patch(path + "/finalize", Map.of()))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("cannot be scored");
        assertThat(node.admin().get(path).path("status").asText()).isEqualTo("FAILED_REGISTRATION");
    }

    @Test
    void anOwnerWithoutExecuteIsToldTheGrantThatIsMissing() {
        assertThat(node.node().pipelines().named("denied").orElseThrow().error())
                .hasValueSatisfying(
                        error ->
                                assertThat(error)
                                        .contains("lacks EXECUTE on REGISTERED MODEL main.ml.rank")
                                        .contains("GRANT EXECUTE ON REGISTERED MODEL"));
        var catalog = node.node().catalog();
        var nobody = catalog.principals().find("nobody").orElseThrow();
        assertThat(
                        catalog.access()
                                .decide(
                                        nobody.principal().id(),
                                        Privilege.EXECUTE,
                                        new Securable(SecurableType.REGISTERED_MODEL, NAME)))
                .isInstanceOf(dev.lakemill.catalog.Decision.Denied.class);
    }

    private static Set<ModelUse> models() {
        PipelinePlan plan = node.node().pipelines().named("p").orElseThrow().plan().orElseThrow();
        return Relations.models(plan);
    }

    private static void send(double value) throws IOException {
        var endpoint = Endpoint.parse("http://" + RunFile.read(node.data).grpc());
        var token = node.adminToken();
        try (var producer = ProducerClient.connect(endpoint, () -> token);
                var stream = producer.open(TableName.parse("main.gold.t"))) {
            stream.ingestJson("{\"d\":%s}".formatted(value));
            stream.flush(Duration.ofMinutes(2));
        }
    }

    /** Of each row, what was scored and by which version. */
    private static List<String> versions(String table) {
        try {
            return new SqlClient(node.admin())
                    .run("SELECT d, version FROM " + table + " ORDER BY d").rows().stream()
                            .map(row -> row.get(0) + "|" + row.get(1))
                            .toList();
        } catch (LakemillException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
    }

    private static double score(String of) {
        var rows = Map.of("dataframe_split", Map.of("data", List.of(List.of(1, 0.2, 0, 0, 0.9))));
        var answer = node.admin().post("%s/%s/%s/invocations".formatted(API, NAME, of), rows);
        return answer.path("predictions").path(0).asDouble(Double.NaN);
    }

    private static int register() throws IOException {
        var made =
                node.admin()
                        .post(
                                API + "/versions",
                                Map.of(
                                        "catalog_name", "main",
                                        "schema_name", "ml",
                                        "model_name", "rank",
                                        "source", "test"));
        var location = Path.of(URI.create(made.path("storage_location").asText()));
        copyModel(Files.createDirectories(location));
        return made.path("version").asInt();
    }

    private static void copyModel(Path to) throws IOException {
        var model =
                Path.of(System.getProperty("lakemill.root"))
                        .resolve("examples/vertical-farm/models/farm.ml.supplier_rank");
        ModelFolder.copy(model, ModelFolder.files(model), to);
    }
}
