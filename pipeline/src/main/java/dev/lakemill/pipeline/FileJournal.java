package dev.lakemill.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.pipeline.Listing.Found;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which files were taken, each with the positions of its rows: written and synced before the rows
 * are, so that no file is taken twice. One thread uses it.
 *
 * <p>Only the last line can be torn by a crash; such a file was not taken. Damage before a whole
 * line is refused, because then nothing says which files were.
 */
final class FileJournal {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BAD_KEPT_MAX = 20;

    /**
     * A file that was taken.
     *
     * @param start its rows have positions above it
     * @param end the position of its last rows
     * @param bad why it is set aside; empty for a file that is read
     */
    record Entry(Found found, long start, long end, String bad) {
        static Entry of(Found file, long start, long end) {
            return new Entry(file, start, end, "");
        }

        static Entry bad(Found file, long at, String reason) {
            return new Entry(file, at, at, reason);
        }

        String path() {
            return found.name();
        }

        boolean isBad() {
            return !bad.isEmpty();
        }
    }

    private final Path file;
    private final Disk disk;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Deque<Entry> newestBad = new ArrayDeque<>();
    private @Nullable Entry last;
    private long sizeBytes;
    private long end;

    /**
     * @throws LakemillException DATA_LOSS when the file is damaged
     */
    FileJournal(Path file, Disk disk) {
        this.file = file;
        this.disk = disk;
        try {
            var bytes = disk.read(file);
            read(bytes);
            if (bytes.length == 0) {
                disk.replace(file, bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A bad file that has changed since is new. */
    boolean isNew(Found found) {
        var entry = entries.get(found.name());
        return entry == null || (entry.isBad() && !entry.found().equals(found));
    }

    /** The position behind all files. */
    long end() {
        return end;
    }

    /** The last file that is read; null before the first, and when it was set aside since. */
    @Nullable Entry last() {
        return last;
    }

    long count() {
        return entries.values().stream().filter(entry -> !entry.isBad()).count();
    }

    long badCount() {
        return entries.values().stream().filter(Entry::isBad).count();
    }

    /** The newest first. */
    List<Entry> newestBad() {
        return newestBad.stream().filter(e -> e.equals(entries.get(e.path()))).toList();
    }

    /**
     * Writes and syncs.
     *
     * @throws UncheckedIOException when the disk refuses: the journal is as before
     */
    void append(Entry entry) {
        if (entries.size() >= Listing.FILES_MAX) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%s knows %,d files".formatted(file, Listing.FILES_MAX),
                    "refresh the pipeline in full on a folder with fewer files");
        }
        var line = RecordLine.line(json(entry));
        try {
            disk.append(file, sizeBytes, line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        take(entry);
        sizeBytes += line.length;
    }

    private void take(Entry entry) {
        entries.put(entry.path(), entry);
        if (entry.isBad()) {
            newestBad.addFirst(entry);
            if (newestBad.size() > BAD_KEPT_MAX) {
                newestBad.removeLast();
            }
            if (last != null && last.path().equals(entry.path())) {
                last = null;
            }
        } else {
            last = entry;
            end = entry.end();
        }
    }

    private static JsonNode json(Entry entry) {
        var node = JSON.createObjectNode();
        node.put("path", entry.path());
        node.put("size", entry.found().sizeBytes());
        node.put("modified", entry.found().modifiedMillis());
        if (!entry.found().tag().isEmpty()) {
            node.put("tag", entry.found().tag());
        }
        node.put("start", entry.start());
        node.put("end", entry.end());
        if (entry.isBad()) {
            node.put("bad", entry.bad());
        }
        return node;
    }

    private static Entry entry(JsonNode node) {
        return new Entry(
                new Found(
                        node.path("path").asText(),
                        node.path("size").asLong(),
                        node.path("modified").asLong(),
                        node.path("tag").asText()),
                node.path("start").asLong(),
                node.path("end").asLong(),
                node.path("bad").asText());
    }

    private void read(byte[] bytes) {
        int at = 0;
        while (at < bytes.length) {
            int lineEnd = at;
            while (lineEnd < bytes.length && bytes[lineEnd] != '\n') {
                lineEnd++;
            }
            lineEnd = Math.min(lineEnd + 1, bytes.length);
            var node = RecordLine.json(Arrays.copyOfRange(bytes, at, lineEnd));
            if (node.isEmpty()) {
                refuseDamage(bytes, at, lineEnd);
                return;
            }
            take(entry(node.get()));
            at = lineEnd;
            sizeBytes = at;
        }
    }

    private void refuseDamage(byte[] bytes, int at, int lineEnd) {
        if (lineEnd < bytes.length) {
            throw new LakemillException(
                    ErrorCode.DATA_LOSS,
                    "the journal of files %s is damaged at byte %d: %s"
                            .formatted(
                                    file,
                                    at,
                                    new String(bytes, at, lineEnd - at, StandardCharsets.UTF_8)
                                            .strip()),
                    "restore the file from a backup; without it, files would be read again");
        }
    }
}
