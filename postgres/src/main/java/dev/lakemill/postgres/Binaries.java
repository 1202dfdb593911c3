package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/**
 * The Postgres programs that Maven brought (zonky's jars: one {@code .txz} each), unpacked once.
 *
 * <p>Unpacked beside the final place and renamed, so that a folder of the final name is whole. The
 * name holds the archive's length, so that new binaries get a folder of their own.
 */
final class Binaries {
    private static final Logger LOG = LoggerFactory.getLogger(Binaries.class);
    private static final Set<PosixFilePermission> PROGRAM =
            PosixFilePermissions.fromString("rwxr-xr-x");
    private static final Set<PosixFilePermission> FILE =
            PosixFilePermissions.fromString("rw-r--r--");

    private Binaries() {}

    /** The folder with {@code postgres} and {@code initdb}, unpacked below {@code cache}. */
    static Path unpack(Path cache) throws IOException {
        var resource = "postgres-%s-%s.txz".formatted(system(), architecture());
        var archive = Binaries.class.getResource("/" + resource);
        if (archive == null) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "no Postgres programs for this machine: %s is not on the class path"
                            .formatted(resource),
                    "set postgres.bin to those of a Postgres 16 or newer, or postgres.url"
                            + " to a Postgres of your own");
        }
        var home = cache.resolve(folderName(resource, archive));
        if (!Files.isDirectory(home)) {
            LOG.info("unpacking Postgres into {} (once)", home);
            unpack(archive, home);
        }
        return home.resolve("bin");
    }

    private static String folderName(String resource, URL archive) throws IOException {
        var connection = archive.openConnection();
        connection.setUseCaches(false);
        var length = connection.getContentLengthLong();
        connection.getInputStream().close();
        return resource.replace(".txz", "-" + length);
    }

    private static void unpack(URL archive, Path home) throws IOException {
        open(Files.createDirectories(home.getParent()));
        var unfinished = Files.createTempDirectory(home.getParent(), "unfinished-");
        open(unfinished);
        try (var tar =
                new TarArchiveInputStream(
                        new XZInputStream(new BufferedInputStream(archive.openStream())))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                unpack(tar, entry, unfinished);
            }
        }
        try {
            Files.move(unfinished, home);
        } catch (IOException e) {
            Folders.delete(unfinished);
            if (!Files.isDirectory(home)) {
                throw e;
            }
        }
    }

    private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path root)
            throws IOException {
        var target = root.resolve(entry.getName()).normalize();
        if (!target.startsWith(root)) {
            throw new IOException("the archive's entry %s leaves it".formatted(entry.getName()));
        }
        if (entry.isDirectory()) {
            open(Files.createDirectories(target));
            return;
        }
        open(Files.createDirectories(target.getParent()));
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
        } else {
            Files.copy(tar, target);
            Files.setPosixFilePermissions(target, (entry.getMode() & 0100) == 0 ? FILE : PROGRAM);
        }
    }

    /** Others may enter whatever our umask says: Postgres may run as another user. */
    private static void open(Path folder) throws IOException {
        Files.setPosixFilePermissions(folder, PROGRAM);
    }

    private static String system() {
        var name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        return name.startsWith("mac") ? "darwin" : name.startsWith("win") ? "windows" : "linux";
    }

    private static String architecture() {
        return switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm_64";
            case String other -> other;
        };
    }
}
