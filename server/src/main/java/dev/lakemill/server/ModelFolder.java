package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.catalog.Models;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A project's folder of models: each subfolder, named {@code catalog.schema.model}, is a model in
 * MLflow's form. At every start of the node, one whose content is not a version yet becomes one,
 * with the alias {@value #ALIAS}. What was registered otherwise since then stays as it is.
 */
final class ModelFolder {
    static final String ALIAS = "champion";

    /** Of a version that came from the folder: what it was made of. */
    private static final String CONTENT = "lakemill.content_sha256";

    private static final int FILES_MAX = 1_000;
    private static final Logger log = LoggerFactory.getLogger(ModelFolder.class);

    private final Catalog catalog;
    private final RegisteredModels scorer;
    private final Path data;

    /**
     * @param data the node's own folder, in which models' files are kept
     */
    ModelFolder(Catalog catalog, RegisteredModels scorer, Path data) {
        this.catalog = catalog;
        this.scorer = scorer;
        this.data = data;
    }

    /**
     * @throws LakemillException for a model that cannot be registered
     */
    void register(Path folder) {
        try (var entries = Files.list(folder)) {
            for (var entry : entries.filter(Files::isDirectory).sorted().toList()) {
                register(entry, entry.getFileName().toString());
            }
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    private void register(Path folder, String name) throws IOException {
        var files = files(folder);
        var content = digest(folder, files);
        var model = new Securable(SecurableType.REGISTERED_MODEL, name);
        var system = catalog.system();
        if (catalog.securables().find(model).isEmpty()) {
            catalog.securables().create(system, model, "", Map.of(), "");
        }
        if (catalog.models().versions(model, Integer.MAX_VALUE).stream()
                .anyMatch(v -> isOf(v, content))) {
            return;
        }
        var id = catalog.securables().find(model).orElseThrow().id();
        var root = data.toRealPath().resolve("models").resolve(id.toString());
        var wanted = new Models.NewVersion(folder.toString(), "", "", "file://" + root);
        var version = catalog.models().createVersion(system, model, wanted);
        copy(folder, files, Path.of(URI.create(version.location())));
        try {
            scorer.check(version);
        } catch (LakemillException e) {
            catalog.models().failVersion(system, model, version.version());
            throw e;
        }
        catalog.models().setTags(system, model, version.version(), Map.of(CONTENT, content));
        catalog.models().finalizeVersion(system, model, version.version());
        catalog.models().setAlias(system, model, ALIAS, version.version());
        log.info("registered {} as version {}, {}", name, version.version(), ALIAS);
    }

    private static boolean isOf(ModelVersion version, String content) {
        return version.status() == ModelVersion.Status.READY
                && content.equals(version.tags().get(CONTENT));
    }

    static List<Path> files(Path folder) throws IOException {
        try (var found = Files.walk(folder)) {
            var files = found.filter(Files::isRegularFile).sorted().limit(FILES_MAX + 1L).toList();
            if (files.size() > FILES_MAX) {
                throw new LakemillException(
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "%s has more than %d files".formatted(folder, FILES_MAX),
                        "a model's folder holds MLmodel and what it names");
            }
            return files;
        }
    }

    static void copy(Path folder, List<Path> files, Path to) throws IOException {
        for (var file : files) {
            var target = to.resolve(folder.relativize(file).toString());
            Files.createDirectories(target.getParent());
            Files.copy(file, target);
        }
    }

    private static String digest(Path folder, List<Path> files) throws IOException {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (var file : files) {
                var name = folder.relativize(file) + "\0" + Files.size(file) + "\0";
                digest.update(name.getBytes(StandardCharsets.UTF_8));
                digest.update(Files.readAllBytes(file));
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static LakemillException unreadable(Path folder, IOException e) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the models of %s cannot be registered: %s".formatted(folder, e),
                "each subfolder, named catalog.schema.model, holds MLmodel and its files",
                e);
    }
}
