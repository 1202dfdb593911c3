package dev.lakemill.pipeline;

import dev.lakemill.plan.FileSource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The files that a path means. Files and folders whose names begin with {@code _} or {@code .} are
 * not there yet, as Spark has it.
 */
final class FileListing implements Listing {
    /** Beyond it, a folder is not read. */
    static final int FILES_MAX = 1_000_000;

    private static final Pattern WILD = Pattern.compile("[*?\\[{]");

    private final Path root;
    private final PathMatcher matcher;
    private final PathMatcher names;
    private final boolean recursive;

    /** A file as it was found. */
    record Found(Path path, long sizeBytes, long modifiedMillis) {}

    /**
     * @param base of relative paths
     */
    FileListing(Path base, FileSource source) {
        var text =
                source.path().startsWith("file:")
                        ? Path.of(URI.create(source.path().replace(" ", "%20"))).toString()
                        : source.path();
        var whole = base.resolve(text).normalize().toString();
        var files = base.getFileSystem();
        if (WILD.matcher(text).find()) {
            var wild = WILD.matcher(whole);
            var until = wild.find() ? whole.lastIndexOf('/', wild.start()) : whole.length();
            root = Path.of(whole.substring(0, Math.max(1, until)));
            matcher = files.getPathMatcher("glob:" + whole);
        } else {
            root = Path.of(whole);
            matcher = _ -> true;
        }
        var filter = source.options().get("pathglobfilter");
        names = filter == null ? _ -> true : files.getPathMatcher("glob:" + filter);
        recursive =
                !"false".equalsIgnoreCase(source.options().getOrDefault("recursivefilelookup", ""));
    }

    /** The oldest first. None when the folder is not there. */
    @Override
    public List<Found> list() {
        var found = new ArrayList<Found>();
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
                            var enter = folder.equals(root) || (recursive && !isHidden(folder));
                            return enter ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                        }

                        @Override
                        public FileVisitResult visitFile(
                                Path file, BasicFileAttributes attributes) {
                            add(file, attributes, found);
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
        found.sort(Comparator.comparingLong(Found::modifiedMillis).thenComparing(Found::path));
        return found;
    }

    private void add(Path file, BasicFileAttributes attributes, List<Found> found) {
        var name = file.getFileName();
        if (name == null || isHidden(file) || !matcher.matches(file) || !names.matches(name)) {
            return;
        }
        if (found.size() == FILES_MAX) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%s has more than %,d files".formatted(root, FILES_MAX),
                    "move those that were read elsewhere");
        }
        found.add(new Found(file, attributes.size(), attributes.lastModifiedTime().toMillis()));
    }

    private static boolean isHidden(Path path) {
        var name = String.valueOf(path.getFileName());
        return name.startsWith("_") || name.startsWith(".");
    }

    @Override
    public String toString() {
        return root.toString();
    }
}
