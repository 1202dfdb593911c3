package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Packs an app's folder for its deployment, without what no app needs. */
final class AppPacker extends SimpleFileVisitor<Path> {
    private static final Set<String> LEFT_OUT =
            Set.of(".git", ".venv", "__pycache__", ".lakemill", ".DS_Store", ".idea");
    private static final int EXECUTABLE = 0100755;

    private final Path folder;
    private final TarArchiveOutputStream tar;

    private AppPacker(Path folder, TarArchiveOutputStream tar) {
        this.folder = folder;
        this.tar = tar;
    }

    /** Into a file that is deleted by whoever asked. */
    static Path pack(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no folder " + folder,
                    "name the folder with app.yaml, or with built pages");
        }
        try {
            var file = Files.createTempFile("lakemill-app-", ".tar.gz");
            try (var tar =
                    new TarArchiveOutputStream(
                            new GZIPOutputStream(
                                    new BufferedOutputStream(Files.newOutputStream(file))))) {
                tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
                tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
                tar.setAddPaxHeadersForNonAsciiNames(true);
                Files.walkFileTree(folder, new AppPacker(folder, tar));
            }
            return file;
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "cannot pack %s: %s".formatted(folder, e.getMessage()),
                    "check its files and the space for temporary files",
                    e);
        }
    }

    private static boolean isLeftOut(Path path) {
        return LEFT_OUT.contains(String.valueOf(path.getFileName()));
    }

    @Override
    public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes of) {
        return isLeftOut(each) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
    }

    /** A link is packed as what it leads to, where that is in the folder. */
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes of) throws IOException {
        var real = file.toRealPath();
        if (isLeftOut(file) || Files.isDirectory(real)) {
            return FileVisitResult.CONTINUE;
        }
        if (!real.startsWith(folder.toRealPath())
                || !Files.isRegularFile(real, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(folder.relativize(file) + " leads out of the folder");
        }
        var entry = new TarArchiveEntry(folder.relativize(file).toString().replace('\\', '/'));
        entry.setSize(Files.size(real));
        if (Files.isExecutable(real)) {
            entry.setMode(EXECUTABLE);
        }
        tar.putArchiveEntry(entry);
        Files.copy(real, tar);
        tar.closeArchiveEntry();
        return FileVisitResult.CONTINUE;
    }
}
