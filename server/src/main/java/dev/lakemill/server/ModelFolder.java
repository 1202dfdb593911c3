package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.catalog.ModelVersion.Status;
import dev.lakemill.catalog.Models;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A project's folder of models: each subfolder, named {@code catalog.schema.model}, is a model in
 * MLflow's form. At every start of the node, one whose content is not a version yet becomes one,
 * with the alias {@value #ALIAS}. What was registered otherwise since then stays as it is. Hidden
 * folders are none, and files that cannot be scored are registered once, as a failed version.
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
     * What hinders one model is logged, and the others go on.
     *
     * @throws LakemillException UNAVAILABLE for a folder that cannot be read
     */
    void register(Path folder) {
        try (var entries = Files.list(folder)) {
            entries.filter(Files::isDirectory)
                    .filter(entry -> !entry.getFileName().toString().startsWith("."))
                    .sorted()
                    .forEach(this::registerOrTell);
        } catch (IOException e) {
            throw unreadable(folder, e);
        }
    }

    private void registerOrTell(Path folder) {
        var name = folder.getFileName().toString();
        if (name.split("\\.", -1).length != 3) {
            log.warn("{} is no model: its name is not catalog.schema.model", folder);
            return;
        }
        try {
            register(folder, name);
        } catch (IOException e) {
            log.error("{} is not registered: its files cannot be copied: {}", folder, e.toString());
        } catch (LakemillException e) {
            log.error("{} is not registered: {}", folder, e.getMessage());
        } catch (RuntimeException e) {
            log.error("{} is not registered: it met a defect", folder, e);
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
        var known =
                catalog.models().versions(model, Integer.MAX_VALUE).stream()
                        .filter(version -> content.equals(version.tags().get(CONTENT)))
                        .filter(version -> version.status() != Status.PENDING_REGISTRATION)
                        .findFirst();
        if (known.isPresent()) {
            tell(folder, known.get());
            return;
        }
        var id = catalog.securables().find(model).orElseThrow().id();
        var root = data.toRealPath().resolve("models").resolve(id.toString());
        var wanted = new Models.NewVersion(folder.toString(), "", "", "file://" + root);
        var version = catalog.models().createVersion(system, model, wanted);
        copy(folder, files, Path.of(URI.create(version.location())));
        check(version, content);
        catalog.models().finalizeVersion(system, model, version.version());
        catalog.models().setAlias(system, model, ALIAS, version.version());
        // Last: what is done up to here is done again after a crash, rather than left half done.
        tag(version, content);
        log.info("registered {} as version {}, {}", name, version.version(), ALIAS);
    }

    private static void tell(Path folder, ModelVersion known) {
        if (known.status() == Status.FAILED_REGISTRATION) {
            log.warn(
                    "{} is not registered: version {} failed with the same files; change them, or"
                            + " delete that version",
                    folder,
                    known.version());
        }
    }

    /** The files of a version that cannot be scored are not tried again. */
    private void check(ModelVersion version, String content) {
        try {
            scorer.check(version);
        } catch (LakemillException e) {
            catalog.models().failVersion(catalog.system(), version.model(), version.version());
            if (e.code() == ErrorCode.INVALID_ARGUMENT) {
                tag(version, content);
            }
            throw e;
        }
    }

    private void tag(ModelVersion version, String content) {
        var tags = Map.of(CONTENT, content);
        catalog.models().setTags(catalog.system(), version.model(), version.version(), tags);
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

    /** The files and their names are on the disk on return. */
    static void copy(Path folder, List<Path> files, Path to) throws IOException {
        var changed = new LinkedHashSet<Path>();
        for (var file : files) {
            var target = to.resolve(folder.relativize(file).toString());
            makeFolder(folderOf(target), changed);
            Files.copy(file, target);
            force(target);
        }
        for (var each : changed) {
            force(each);
        }
    }

    private static void makeFolder(Path folder, Set<Path> changed) throws IOException {
        changed.add(folder);
        if (!Files.isDirectory(folder)) {
            makeFolder(folderOf(folder), changed);
            Files.createDirectories(folder);
        }
    }

    private static Path folderOf(Path path) {
        return Objects.requireNonNull(path.getParent(), "the root is there");
    }

    private static void force(Path path) throws IOException {
        try (var channel = FileChannel.open(path)) {
            channel.force(true);
        }
    }

    private static String digest(Path folder, List<Path> files) throws IOException {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            var out = new DigestOutputStream(OutputStream.nullOutputStream(), digest);
            for (var file : files) {
                var name = folder.relativize(file) + "\0" + Files.size(file) + "\0";
                digest.update(name.getBytes(StandardCharsets.UTF_8));
                Files.copy(file, out);
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
