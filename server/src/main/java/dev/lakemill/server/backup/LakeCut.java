package dev.lakemill.server.backup;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.wal.LogCopy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Copies the lake's side of a running node, so that the parts fit one another as after a crash.
 *
 * <p>Nothing is stopped for it. Tables that pipelines write, and the pipelines' own files, are
 * looked at twice: when nothing changed in between, all of them stood so at one moment. (A batch
 * journal may grow: its new batches have not been committed.) After that the ingested tables'
 * versions are taken, and after those the log's durable end. So the log has every row that an
 * ingested table has and that a pipeline has read, unless a segment was freed meanwhile; then all
 * is done again. Commits never wait for this.
 */
final class LakeCut {
    private static final int TRIES_MAX = 200;
    private static final long PAUSE_MILLIS_MAX = 50;
    private static final String JOURNAL = "journal";

    private final Path data;
    private final BackupFolder backups;
    private final Backups.Source source;
    private final String timeline;
    private final Map<Path, Long> versions = new HashMap<>();
    private final Map<String, LakePool> pools = new HashMap<>();
    private final Map<Path, Known> known = new HashMap<>();

    /** A file whose content is in the backup folder as long as it stays the same. */
    private record Known(long bytes, long modifiedMillis, String sha256, boolean executable) {}

    /** All of a node's tables, and files with their content's hash. */
    private record Look(Map<Path, Long> tables, Map<String, Mark.SmallFile> files) {
        boolean isSame(Look later, Set<Path> mayGrow) {
            var one = new TreeMap<>(tables);
            var other = new TreeMap<>(later.tables);
            mayGrow.forEach(one::remove);
            mayGrow.forEach(other::remove);
            return one.equals(other) && stable(files).equals(stable(later.files));
        }

        private static Map<String, Mark.SmallFile> stable(Map<String, Mark.SmallFile> files) {
            var stable = new TreeMap<>(files);
            stable.keySet()
                    .removeIf(
                            path -> !path.startsWith("pipelines/") || path.endsWith("/" + JOURNAL));
            return stable;
        }
    }

    /** What was copied. */
    record Cut(List<Mark.Table> tables, List<Mark.SmallFile> files, List<LogCopy.Part> log) {
        Cut {
            tables = List.copyOf(tables);
            files = List.copyOf(files);
            log = List.copyOf(log);
        }
    }

    LakeCut(Backups.Source source, BackupFolder backups, String timeline) {
        this.data = source.data();
        this.backups = backups;
        this.source = source;
        this.timeline = timeline;
    }

    /**
     * @throws LakemillException UNAVAILABLE when the node changes too fast to be looked at twice
     */
    Cut take(LongConsumer bytes) throws IOException, InterruptedException {
        for (int i = 0; i < TRIES_MAX; i++) {
            try {
                var cut = attempt(bytes);
                if (cut != null) {
                    return cut;
                }
            } catch (NoSuchFileException e) {
                if (i == TRIES_MAX - 1) {
                    throw e;
                }
            }
            Thread.sleep(Math.min(PAUSE_MILLIS_MAX, 2 + i));
        }
        throw new LakemillException(
                ErrorCode.UNAVAILABLE,
                "no moment was found in %d tries at which all pipelines stood still"
                        .formatted(TRIES_MAX),
                "a longer pipeline.commit_ms leaves more time between two commits");
    }

    /** Looks at the backup folder anew, after files went from it. */
    void forget() {
        pools.clear();
        known.clear();
    }

    private @Nullable Cut attempt(LongConsumer bytes) throws IOException {
        var fromLog = source.ingested().get();
        var first = look();
        var second = look();
        if (!first.isSame(second, fromLog)) {
            return null;
        }
        var segments = LogCopy.segments(data.resolve("log"));
        var tables = new TreeMap<>(second.tables());
        for (var table : fromLog) {
            if (tables.containsKey(table)) {
                tables.put(table, version(table));
            }
        }
        var durable = source.durableLsn().getAsLong();
        var copies = backups.log().resolve(timeline);
        var log = LogCopy.take(data.resolve("log"), durable, copies);
        if (log.isEmpty() || !LogCopy.segments(data.resolve("log")).containsAll(segments)) {
            return null;
        }
        var marked = new ArrayList<Mark.Table>();
        for (var entry : tables.entrySet()) {
            marked.add(copy(entry.getKey(), entry.getValue(), bytes));
        }
        return new Cut(marked, List.copyOf(second.files().values()), log.get());
    }

    private Look look() throws IOException {
        var found = DataFolder.of(data);
        var tables = new TreeMap<Path, Long>();
        for (var table : found.tables()) {
            tables.put(table, version(table));
        }
        var files = new TreeMap<String, Mark.SmallFile>();
        for (var file : found.files()) {
            var small = keep(file);
            files.put(small.path(), small);
        }
        return new Look(tables, files);
    }

    private long version(Path table) throws IOException {
        var before = versions.getOrDefault(table, -1L);
        var newest = LakePool.version(table, before);
        if (before >= 0 && newest == before && !LakePool.has(table, before)) {
            // Another table in its place.
            newest = LakePool.version(table, -1);
        }
        versions.put(table, newest);
        return newest;
    }

    private Mark.Table copy(Path table, long version, LongConsumer bytes) throws IOException {
        var path = data.relativize(table).toString();
        var id = LakePool.tableId(table) + "-" + timeline;
        var key = path + "/" + id;
        var pool = pools.get(key);
        if (pool == null) {
            pool = LakePool.open(backups.lake().resolve(key));
            pools.put(key, pool);
        }
        try {
            pool.copy(table, version, bytes);
        } catch (IOException e) {
            pools.remove(key);
            versions.remove(table);
            throw e;
        }
        return new Mark.Table(path, id, version);
    }

    /** Puts a file's content into the backup folder, by its hash. */
    private Mark.SmallFile keep(Path file) throws IOException {
        var path = data.relativize(file).toString();
        var before = known.get(file);
        var modified = Files.getLastModifiedTime(file).toMillis();
        var isOld = modified < System.currentTimeMillis() - 10_000;
        if (before != null
                && isOld
                && before.bytes() == Files.size(file)
                && before.modifiedMillis() == modified) {
            return new Mark.SmallFile(path, before.sha256(), before.bytes(), before.executable());
        }
        var content = Files.readAllBytes(file);
        var sha256 = Durable.sha256(content);
        var kept = backups.files().resolve(sha256);
        if (!Files.exists(kept)) {
            Durable.write(new ByteArrayInputStream(content), kept);
        }
        var executable = Files.isExecutable(file);
        known.put(file, new Known(content.length, modified, sha256, executable));
        return new Mark.SmallFile(path, sha256, content.length, executable);
    }
}
