package dev.lakemill.server;

import dev.lakemill.api.pipeline.PipelineJar;
import dev.lakemill.plan.JavaFunction;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The jars of a project's pipelines: each is copied under the hash of its content, so that what
 * runs does not change when a jar is built again, and asked once what it defines.
 */
final class PipelineJars {
    /** Copies beyond these are deleted, the longest unused first. */
    private static final int COPIES_MAX = 16;

    /** By the jar's own path: what it was when it was read last. */
    private static final Map<Path, Read> READ = new ConcurrentHashMap<>();

    /**
     * @param jar null where it was refused
     */
    private record Read(
            long bytes,
            FileTime modified,
            Path copy,
            @Nullable PipelineJar jar,
            @Nullable LakemillException refused) {
        /** A jar that is wrong is asked once, too. */
        PipelineJar orThrow() {
            if (jar == null) {
                throw Objects.requireNonNull(refused);
            }
            return jar;
        }
    }

    private PipelineJars() {}

    /** What a jar adds to a pipeline. */
    record Content(String name, List<SourceText> texts, List<JavaFunction> functions) {}

    /**
     * @throws LakemillException INVALID_ARGUMENT with what is wrong with the jar
     */
    static Content of(Path data, Path jar) {
        try {
            var read = read(data, jar);
            var asked = read.orThrow();
            return new Content(
                    asked.name(),
                    asked.texts().stream()
                            .map(text -> new SourceText(text.path(), text.sql()))
                            .toList(),
                    asked.functions().stream()
                            .map(function -> function(function, read.copy()))
                            .toList());
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the jar %s cannot be read (%s)".formatted(jar, e),
                    "check that it is there, and its permissions",
                    e);
        }
    }

    private static Read read(Path data, Path jar) throws IOException {
        var bytes = Files.size(jar);
        var modified = Files.getLastModifiedTime(jar);
        var known = READ.get(jar);
        if (known != null
                && known.bytes() == bytes
                && known.modified().equals(modified)
                && Files.exists(known.copy())) {
            return known;
        }
        var copy = copy(data.resolve("pipelines/jars"), jar);
        var named = Files.createTempDirectory("lakemill-jar");
        var asNamed = named.resolve(jar.getFileName());
        try {
            // Messages name the jar as its author does.
            Files.copy(copy, asNamed);
            var read = new Read(bytes, modified, copy, PipelineJar.read(asNamed), null);
            READ.put(jar, read);
            return read;
        } catch (LakemillException e) {
            if (e.code() == ErrorCode.INVALID_ARGUMENT) {
                READ.put(jar, new Read(bytes, modified, copy, null, e));
            }
            throw e;
        } finally {
            Files.deleteIfExists(asNamed);
            Files.delete(named);
        }
    }

    private static Path copy(Path folder, Path jar) throws IOException {
        Files.createDirectories(folder);
        var temporary = Files.createTempFile(folder, "jar", ".new");
        try {
            Files.copy(jar, temporary, StandardCopyOption.REPLACE_EXISTING);
            var copy = folder.resolve(hash(temporary) + ".jar");
            Files.setLastModifiedTime(temporary, FileTime.from(Instant.now()));
            Files.move(temporary, copy, StandardCopyOption.ATOMIC_MOVE);
            forgetOld(folder);
            return copy;
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void forgetOld(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            var old =
                    files.filter(file -> file.toString().endsWith(".jar"))
                            .sorted(Comparator.comparing(PipelineJars::modified).reversed())
                            .skip(COPIES_MAX)
                            .toList();
            for (var file : old) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static FileTime modified(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException _) {
            return FileTime.fromMillis(0);
        }
    }

    private static String hash(Path file) throws IOException {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(Files.readAllBytes(file));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JavaFunction function(PipelineJar.Function function, Path jar) {
        return new JavaFunction(
                function.name(),
                jar.toString(),
                function.className(),
                function.method(),
                function.parameters().stream()
                        .map(p -> new JavaFunction.Parameter(p.name(), p.type(), p.nullable()))
                        .toList(),
                function.result(),
                function.resultNullable());
    }
}
