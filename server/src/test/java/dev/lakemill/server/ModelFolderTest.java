package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A project's folder of models, with what does not belong there. */
@Timeout(300)
final class ModelFolderTest {
    private static final Securable GOOD = model("main.ml.rank");
    private static final Securable BAD = model("main.ml.bad");

    @TempDir Path folder;

    @Test
    void eachModelIsRegisteredOnceAndWhatCannotBeHindersNoOther() throws Exception {
        var models = Files.createDirectories(folder.resolve("models"));
        for (var stray : List.of(".git", "tmp", "no.such.schema")) {
            Files.writeString(Files.createDirectories(models.resolve(stray)).resolve("x"), "x");
        }
        copyModel(models.resolve(BAD.name()));
        Files.write(models.resolve(BAD.name()).resolve("model.onnx"), new byte[] {1, 2, 3});
        copyModel(models.resolve(GOOD.name()));
        Files.writeString(folder.resolve("lakemill.yml"), "governance: governance.sql\n");
        Files.writeString(
                folder.resolve("governance.sql"),
                "CREATE CATALOG IF NOT EXISTS main; CREATE SCHEMA IF NOT EXISTS main.ml;");
        try (var node = new TestNode(folder, Map.of())) {
            assertThat(statuses(node, GOOD)).containsExactly("1 READY champion");
            assertThat(statuses(node, BAD)).containsExactly("1 FAILED_REGISTRATION");
            register(node);
            assertThat(statuses(node, GOOD)).containsExactly("1 READY champion");
            assertThat(statuses(node, BAD)).containsExactly("1 FAILED_REGISTRATION");

            // A registration that ends between the version and its alias.
            var catalog = node.node().catalog().models();
            var system = node.node().catalog().system();
            catalog.deleteAlias(system, GOOD, ModelFolder.ALIAS);
            for (int i = 0; i < dev.lakemill.catalog.Models.ALIASES_MAX; i++) {
                catalog.setAlias(system, GOOD, "a" + i, 1);
            }
            Files.writeString(models.resolve(GOOD.name()).resolve("README"), "newer");
            register(node);
            assertThat(catalog.byAlias(GOOD, ModelFolder.ALIAS)).isEmpty();
            catalog.deleteAlias(system, GOOD, "a0");
            register(node);
            assertThat(statuses(node, GOOD).getFirst()).isEqualTo("3 READY champion");
            register(node);
            assertThat(statuses(node, GOOD)).hasSize(3);
        }
    }

    private void register(TestNode node) {
        var catalog = node.node().catalog();
        new ModelFolder(catalog, node.node().models(), node.data)
                .register(folder.resolve("models"));
    }

    /** The newest first. */
    private static List<String> statuses(TestNode node, Securable model) {
        return node.node().catalog().models().versions(model, Integer.MAX_VALUE).stream()
                .map(ModelFolderTest::text)
                .toList();
    }

    private static String text(ModelVersion version) {
        return "%d %s %s"
                .formatted(version.version(), version.status(), String.join(" ", version.aliases()))
                .strip();
    }

    private static Securable model(String name) {
        return new Securable(SecurableType.REGISTERED_MODEL, name);
    }

    private static void copyModel(Path to) throws IOException {
        var model =
                Path.of(System.getProperty("lakemill.root"))
                        .resolve("examples/vertical-farm/models/farm.ml.supplier_rank");
        ModelFolder.copy(model, ModelFolder.files(model), to);
    }
}
