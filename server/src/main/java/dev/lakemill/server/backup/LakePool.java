package dev.lakemill.server.backup;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;

/**
 * One Delta table's files in the backup folder. Files of a Delta table never change, so each is
 * copied once, whatever number of versions it belongs to.
 *
 * <p>A version's files are found by the table's own log: what the commits since the last copy
 * added. A file that was added and removed again between two copies is left out, but not within the
 * newest {@value #LOOKED_BACK} versions, unless a vacuum deleted it: a pipeline that starts may go
 * back that far. Where the log does not tell (its beginning was cleaned up, or rows are deleted by
 * vectors in files), all files of the folder are copied.
 *
 * <p>The index is appended to after its files are on the disk; a torn last line is as if it was not
 * there.
 */
final class LakePool {
    static final int LOOKED_BACK = 8;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern LOG_FILE =
            Pattern.compile("(\\d{20})\\.(json|crc|checkpoint\\..*parquet)");
    private static final String LOG = "_delta_log/";
    private static final String STAGED = LOG + "_staged_commits/";

    /**
     * A file of the index.
     *
     * @param version of the table when it was copied: it belongs to this or an earlier one
     */
    record Entry(String path, long version, long bytes, String sha256) {}

    private final Path folder;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private long copied = -1;
    private long indexBytes;

    private LakePool(Path folder) {
        this.folder = folder;
    }

    static LakePool open(Path folder) throws IOException {
        var pool = new LakePool(folder);
        pool.load();
        return pool;
    }

    Map<String, Entry> entries() {
        return entries;
    }

    private Path index() {
        return folder.resolve("index.jsonl");
    }

    private void load() throws IOException {
        if (!Files.exists(index())) {
            return;
        }
        var text = Files.readString(index());
        var at = 0;
        for (var end = text.indexOf('\n', at); end >= 0; end = text.indexOf('\n', at)) {
            Entry entry;
            try {
                entry = JSON.readValue(text.substring(at, end), Entry.class);
            } catch (JsonProcessingException e) {
                break;
            }
            entries.put(entry.path(), entry);
            copied = Math.max(copied, entry.version());
            at = end + 1;
        }
        indexBytes = text.substring(0, at).getBytes(StandardCharsets.UTF_8).length;
    }

    /** Copies what a version of a table needs and is not here yet. */
    void copy(Path table, long version, LongConsumer bytes) throws IOException {
        var staged = staged(table);
        if (version == copied && entries.keySet().containsAll(staged)) {
            return;
        }
        var needed = new TreeSet<String>();
        if (!addDataFiles(table, version, staged, needed)) {
            addAllFiles(table, needed);
        }
        var log = new TreeSet<>(staged);
        for (var name : names(table.resolve(LOG))) {
            var matcher = LOG_FILE.matcher(name);
            if (matcher.matches() && Long.parseLong(matcher.group(1)) <= version) {
                log.add(LOG + name);
            }
        }
        var lines = new StringBuilder();
        for (var path : needed) {
            lines.append(copy(table, path, version, bytes));
        }
        for (var path : log) {
            lines.append(copy(table, path, version, bytes));
        }
        append(lines.toString());
        copied = Math.max(copied, version);
    }

    private String copy(Path table, String path, long version, LongConsumer bytes)
            throws IOException {
        if (entries.containsKey(path)) {
            return "";
        }
        var target = folder.resolve("files").resolve(path).normalize();
        if (!target.startsWith(folder)) {
            throw new IOException("%s of %s leaves its table".formatted(path, table));
        }
        Durable.Written written;
        try {
            written = Durable.copy(table.resolve(path), target);
        } catch (NoSuchFileException e) {
            if (path.startsWith(LOG) && !path.endsWith(".json")) {
                return "";
            }
            throw e;
        }
        bytes.accept(written.bytes());
        var entry = new Entry(path, version, written.bytes(), written.sha256());
        entries.put(path, entry);
        return JSON.writeValueAsString(entry) + "\n";
    }

    private void append(String lines) throws IOException {
        if (lines.isEmpty()) {
            return;
        }
        Files.createDirectories(folder);
        var bytes = lines.getBytes(StandardCharsets.UTF_8);
        try (var channel =
                FileChannel.open(index(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.truncate(indexBytes);
            channel.write(ByteBuffer.wrap(bytes), indexBytes);
            channel.force(true);
        }
        indexBytes += bytes.length;
    }

    /** False when the log does not tell. */
    private boolean addDataFiles(Path table, long version, Set<String> staged, Set<String> needed)
            throws IOException {
        var live = new HashSet<String>();
        var removed = new HashSet<String>();
        for (var v = Math.max(0, copied - LOOKED_BACK + 1); v <= version; v++) {
            var file = table.resolve(commit(v));
            var isOld = v <= version - LOOKED_BACK;
            if (!Files.exists(file) || !addActions(file, isOld, live, removed)) {
                return false;
            }
        }
        for (var path : staged) {
            // It may be a version that never comes, and what it removes is needed then.
            if (!addActions(table.resolve(path), false, live, new HashSet<>())) {
                return false;
            }
        }
        live.removeIf(path -> removed.contains(path) && !Files.exists(table.resolve(path)));
        needed.addAll(live);
        return true;
    }

    /**
     * Takes in a commit.
     *
     * @param removed files that a vacuum may have deleted, though they are not old
     * @return false when it does not tell
     */
    private static boolean addActions(
            Path commit, boolean isOld, Set<String> live, Set<String> removed) throws IOException {
        for (var line : Files.readAllLines(commit)) {
            if (line.isBlank()) {
                continue;
            }
            var action = JSON.readTree(line);
            var add = action.path("add");
            var storage = add.path("deletionVector").path("storageType").asText("i");
            if (!storage.equals("i")) {
                return false;
            }
            if (add.has("path")) {
                live.add(path(add));
                removed.remove(path(add));
            }
            if (action.path("cdc").has("path")) {
                live.add(path(action.path("cdc")));
                removed.add(path(action.path("cdc")));
            }
            if (action.path("remove").has("path")) {
                var path = path(action.path("remove"));
                if (isOld) {
                    live.remove(path);
                } else {
                    removed.add(path);
                }
            }
        }
        return true;
    }

    /** Delta writes paths as URIs. */
    private static String path(JsonNode action) throws IOException {
        var uri = URI.create(action.path("path").asText());
        if (uri.isAbsolute()) {
            throw new IOException(
                    "a table has a file outside of its folder, which is not backed up: " + uri);
        }
        return uri.getPath();
    }

    private static void addAllFiles(Path table, Set<String> needed) throws IOException {
        try (var files = Files.walk(table)) {
            files.filter(Files::isRegularFile)
                    .map(file -> table.relativize(file).toString())
                    .filter(path -> !path.startsWith(LOG))
                    .forEach(needed::add);
        }
    }

    private static Set<String> staged(Path table) throws IOException {
        var staged = new TreeSet<String>();
        for (var name : names(table.resolve(STAGED))) {
            if (name.endsWith(".json")) {
                staged.add(STAGED + name);
            }
        }
        return staged;
    }

    private static Set<String> names(Path folder) throws IOException {
        var names = new TreeSet<String>();
        if (Files.isDirectory(folder)) {
            try (var files = Files.list(folder)) {
                files.forEach(file -> names.add(String.valueOf(file.getFileName())));
            }
        }
        return names;
    }

    /**
     * Makes a table at a version out of its copies.
     *
     * @throws IOException when a copy is missing or is not as it was written
     */
    void restore(long version, Path table, LongConsumer bytes) throws IOException {
        for (var entry : entries.values()) {
            if (ofVersion(entry) <= version) {
                restore(entry, table);
                bytes.accept(entry.bytes());
            }
        }
    }

    /** The first version, as far as is known, that the file belongs to. */
    private static long ofVersion(Entry entry) {
        var log = LOG_FILE.matcher(entry.path().replaceFirst("^" + LOG, ""));
        return entry.path().startsWith(LOG) && log.matches()
                ? Long.parseLong(log.group(1))
                : entry.version();
    }

    private void restore(Entry entry, Path table) throws IOException {
        var source = folder.resolve("files").resolve(entry.path());
        var written = Durable.copy(source, table.resolve(entry.path()));
        if (!written.sha256().equals(entry.sha256())) {
            throw new IOException("the backup's file %s is damaged".formatted(source));
        }
    }

    /**
     * Deletes files that were removed from the table before a version, and the reach behind it.
     *
     * @param oldest the oldest version that is still to be restored
     */
    void prune(long oldest) throws IOException {
        var removed = new HashSet<String>();
        for (var v = 0L; v <= copied; v++) {
            var file = folder.resolve("files").resolve(commit(v));
            if (Files.exists(file)) {
                prune(file, v <= oldest - LOOKED_BACK, removed);
            }
        }
        if (!entries.keySet().removeAll(removed)) {
            return;
        }
        var lines = new StringBuilder();
        for (var entry : entries.values()) {
            lines.append(JSON.writeValueAsString(entry)).append('\n');
        }
        var bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
        Durable.write(new ByteArrayInputStream(bytes), index());
        indexBytes = bytes.length;
        for (var path : removed) {
            Files.deleteIfExists(folder.resolve("files").resolve(path));
        }
    }

    private static void prune(Path commit, boolean isOld, Set<String> removed) throws IOException {
        for (var line : Files.readAllLines(commit)) {
            var action = JSON.readTree(line);
            if (action.path("add").has("path")) {
                removed.remove(path(action.path("add")));
            } else if (isOld && action.path("remove").has("path")) {
                removed.add(path(action.path("remove")));
            }
        }
    }

    private static String commit(long version) {
        return LOG + String.format(Locale.ROOT, "%020d.json", version);
    }

    /** The identity of a table's content: one made anew in the place of another has its own. */
    static String tableId(Path table) throws IOException {
        var first = table.resolve(LOG + "00000000000000000000.json");
        if (!Files.exists(first)) {
            return "cleaned";
        }
        for (var line : Files.readAllLines(first)) {
            var id = line.isBlank() ? "" : JSON.readTree(line).at("/metaData/id").asText("");
            if (!id.isEmpty()) {
                return id.replaceAll("[^A-Za-z0-9-]", "_");
            }
        }
        return "cleaned";
    }

    /** Whether a version's commit is there. */
    static boolean has(Path table, long version) {
        return Files.exists(table.resolve(commit(version)));
    }

    /** The newest version of a table. */
    static long version(Path table, long atLeast) throws IOException {
        var version = atLeast;
        if (version < 0) {
            for (var name : names(table.resolve(LOG))) {
                if (name.matches("\\d{20}\\.json")) {
                    version = Math.max(version, Long.parseLong(name.substring(0, 20)));
                }
            }
        }
        while (has(table, version + 1)) {
            version++;
        }
        return version;
    }
}
