package dev.lakemill.pipeline;

import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Which files a path and the options of a source mean. Files and folders whose names begin with
 * {@code _} or {@code .} are not there yet, as Spark has it.
 */
final class FilePattern {
    private static final Pattern WILD = Pattern.compile("[*?\\[{]");

    private final Path root;
    private final PathMatcher matcher;
    private final PathMatcher names;
    private final boolean recursive;

    /**
     * @param whole an absolute path
     * @param isWild whether it is a pattern
     * @param options of the source, by their names in lower case
     */
    FilePattern(String whole, boolean isWild, Map<String, String> options) {
        var files = FileSystems.getDefault();
        if (isWild) {
            var until = whole.lastIndexOf('/', wildAt(whole));
            root = Path.of(whole.substring(0, Math.max(1, until)));
            matcher = files.getPathMatcher("glob:" + whole);
        } else {
            root = Path.of(whole);
            matcher = _ -> true;
        }
        var filter = options.get("pathglobfilter");
        names = filter == null ? _ -> true : files.getPathMatcher("glob:" + filter);
        recursive = !"false".equalsIgnoreCase(options.getOrDefault("recursivefilelookup", ""));
    }

    static boolean isWild(String path) {
        return WILD.matcher(path).find();
    }

    /** Where the text begins to be a pattern; its length when it is none. */
    static int wildAt(String text) {
        var wild = WILD.matcher(text);
        return wild.find() ? wild.start() : text.length();
    }

    /** The folder, or the file, that all of them are in. */
    Path root() {
        return root;
    }

    /** Whether files in folders below are meant too. */
    boolean isRecursive() {
        return recursive;
    }

    /** Whether a file is meant that stands in folders that are. */
    boolean takes(Path file) {
        var name = file.getFileName();
        return name != null && !isHidden(file) && matcher.matches(file) && names.matches(name);
    }

    static boolean isHidden(Path path) {
        var name = String.valueOf(path.getFileName());
        return name.startsWith("_") || name.startsWith(".");
    }

    @Override
    public String toString() {
        return root.toString();
    }
}
