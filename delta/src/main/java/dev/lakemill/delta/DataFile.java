package dev.lakemill.delta;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A data file of a snapshot.
 *
 * @param path as the log has it: relative to the table, as a URI
 * @param rows -1 when the log does not say
 * @param baseRowId the row id of the file's first row (Delta's row tracking): ids are given out in
 *     commit order, so they order the files
 * @param commitVersion the version that the file's rows were committed in
 * @param tags what we noted about the file
 * @param partition the value of each partition column in all rows; null for NULL
 */
record DataFile(
        String path,
        long sizeBytes,
        long rows,
        OptionalLong baseRowId,
        OptionalLong commitVersion,
        long modifiedMillis,
        Map<String, String> tags,
        Map<String, @Nullable String> partition) {
    private static final String WRITER_TAG = "lakemill.writer";
    private static final String POSITIONS_TAG = "lakemill.positions";

    /** Commit order. */
    static final Comparator<DataFile> ORDER =
            Comparator.<DataFile>comparingLong(file -> file.baseRowId.orElse(-1))
                    .thenComparingLong(DataFile::modifiedMillis)
                    .thenComparing(DataFile::path);

    /** The positions of a file's first and last row. */
    record Positions(long first, long last) {
        boolean overlaps(long after, long to) {
            return first <= to && last > after;
        }
    }

    /** The tags of a file that we write. */
    static Map<String, String> tags(Optional<Positions> positions) {
        return positions
                .map(p -> Map.of(WRITER_TAG, "1", POSITIONS_TAG, p.first + "," + p.last))
                .orElse(Map.of(WRITER_TAG, "1"));
    }

    /** The same of a file's tags in the log. */
    static boolean ours(JsonNode tags) {
        return tags.has(WRITER_TAG);
    }

    /**
     * Whether we wrote it, so that it holds no columns that we do not know, and all that the table
     * has.
     */
    boolean ours() {
        return tags.containsKey(WRITER_TAG);
    }

    Optional<Positions> positions() {
        var tag = tags.get(POSITIONS_TAG);
        if (tag == null) {
            return Optional.empty();
        }
        int comma = tag.indexOf(',');
        return Optional.of(
                new Positions(
                        Long.parseLong(tag, 0, comma, 10),
                        Long.parseLong(tag, comma + 1, tag.length(), 10)));
    }

    Path in(Path table) {
        return resolve(table, path);
    }

    /** The path of a file that the log names. */
    static Path resolve(Path table, String name) {
        var uri = URI.create(name);
        return uri.isAbsolute() ? KernelFiles.path(name) : table.resolve(uri.getPath());
    }

    DataFile withRowIds(long first, long version) {
        return new DataFile(
                path,
                sizeBytes,
                rows,
                OptionalLong.of(first),
                OptionalLong.of(version),
                modifiedMillis,
                tags,
                partition);
    }
}
