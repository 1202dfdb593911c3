package dev.lakemill.pipeline;

import dev.lakemill.plan.FileSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The files of a folder of this machine. */
final class FileListing implements Listing {
    private final FilePattern pattern;

    /**
     * @param base of relative paths
     */
    FileListing(Path base, FileSource source) {
        var text =
                source.path().startsWith("file:")
                        ? Path.of(URI.create(source.path().replace(" ", "%20"))).toString()
                        : source.path();
        pattern =
                new FilePattern(
                        base.resolve(text).normalize().toString(),
                        FilePattern.isWild(text),
                        source.options());
    }

    /** The oldest first. None when the folder is not there. */
    @Override
    public List<Found> list() {
        var found = new ArrayList<Found>();
        var root = pattern.root();
        if (!Files.exists(root)) {
            return found;
        }
        try {
            Files.walkFileTree(
                    root,
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
                            if (pattern.takes(file)) {
                                Listing.add(found(file, attributes), found, pattern);
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            return FileVisitResult.CONTINUE; // gone meanwhile
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        found.sort(OLDEST_FIRST);
        return found;
    }

    private boolean isEntered(Path folder) {
        return pattern.isRecursive() && !FilePattern.isHidden(folder);
    }

    private static Found found(Path file, BasicFileAttributes attributes) {
        return new Found(
                file.toString(), attributes.size(), attributes.lastModifiedTime().toMillis());
    }

    @Override
    public Optional<LocalFile> open(Found file) {
        var path = Path.of(file.name());
        try {
            var now = found(path, Files.readAttributes(path, BasicFileAttributes.class));
            return now.equals(file)
                    ? Optional.of(new LocalFile(file, path, false))
                    : Optional.empty();
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return pattern.toString();
    }
}
