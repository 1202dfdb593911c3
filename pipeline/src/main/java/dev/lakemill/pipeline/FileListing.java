package dev.lakemill.pipeline;

import dev.lakemill.plan.FileSource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/** The files of a folder of this machine. Links are followed. */
final class FileListing implements Listing {
    private final FilePattern pattern;
    private final List<Path> closed;

    /**
     * @param base of relative paths
     * @param closed folders that are not read, wherever the path or a link leads
     */
    FileListing(Path base, FileSource source, List<Path> closed) {
        var text =
                source.path().startsWith("file:")
                        ? Path.of(URI.create(source.path().replace(" ", "%20"))).toString()
                        : source.path();
        this.pattern =
                new FilePattern(
                        base.resolve(text).normalize().toString(),
                        FilePattern.isWild(text),
                        source.options());
        this.closed = closed.stream().map(FileListing::real).toList();
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException _) {
            return path.toAbsolutePath().normalize(); // not there yet
        }
    }

    /**
     * @throws LakemillException PERMISSION_DENIED when all that it means is the node's own
     */
    void refuseClosed() {
        if (isClosed(pattern.root())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "files are not read from the node's own folder %s".formatted(pattern.root()),
                    "put them into another folder");
        }
    }

    private boolean isClosed(Path path) {
        var real = closed.isEmpty() ? path : real(path);
        return closed.stream().anyMatch(real::startsWith);
    }

    /** The oldest first. None when the folder is not there. */
    @Override
    public List<Found> list() {
        var found = new ArrayList<Found>();
        var root = pattern.root();
        if (!Files.exists(root)) {
            return found;
        }
        refuseClosed();
        try {
            Files.walkFileTree(
                    root,
                    EnumSet.of(FileVisitOption.FOLLOW_LINKS),
                    Integer.MAX_VALUE,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(
                                Path folder, BasicFileAttributes attributes) {
                            return folder.equals(root) || isEntered(folder)
                                    ? FileVisitResult.CONTINUE
                                    : FileVisitResult.SKIP_SUBTREE;
                        }

                        @Override
                        public FileVisitResult visitFile(
                                Path file, BasicFileAttributes attributes) {
                            if (attributes.isRegularFile()
                                    && pattern.takes(file)
                                    && !(Files.isSymbolicLink(file) && isClosed(file))) {
                                Listing.add(found(file, attributes), found, pattern);
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            return FileVisitResult.CONTINUE; // gone meanwhile, or a loop of links
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        found.sort(OLDEST_FIRST);
        return found;
    }

    private boolean isEntered(Path folder) {
        return pattern.isRecursive() && !FilePattern.isHidden(folder) && !isClosed(folder);
    }

    private static Found found(Path file, BasicFileAttributes attributes) {
        return new Found(
                file.toString(), attributes.size(), attributes.lastModifiedTime().toMillis());
    }

    /** What cannot be opened just now is tried again: a disk may be back, or a right be given. */
    @Override
    public String refusal(Found file) {
        try (var bytes = Files.newInputStream(Path.of(file.name()))) {
            var _ = bytes.read();
            return "";
        } catch (NoSuchFileException _) {
            return "";
        } catch (IOException e) {
            return "%s cannot be read, and is tried again: %s; hint: let the node's user read it"
                    .formatted(file.name(), e);
        }
    }

    @Override
    public Optional<LocalFile> open(Found file) {
        return LocalFile.inPlace(file, now -> found(Path.of(file.name()), now).equals(file));
    }

    @Override
    public String toString() {
        return pattern.toString();
    }
}
