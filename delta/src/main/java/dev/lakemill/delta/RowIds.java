package dev.lakemill.delta;

import io.delta.kernel.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Delta's row tracking: which row ids the kernel gave to the files of a commit. */
final class RowIds {
    private static final String DOMAIN = "delta.rowTracking";
    private static final Pattern HIGH_WATER_MARK =
            Pattern.compile("\"rowIdHighWaterMark\"\\s*:\\s*(-?\\d+)");

    private RowIds() {}

    /**
     * The files with their row ids: the kernel gives ids in the order of the actions, up to the
     * high-water mark, to those that have none. Null when the table has no row tracking.
     */
    static @Nullable List<DataFile> assign(Snapshot committed, List<DataFile> added) {
        var mark = highWaterMark(committed);
        if (mark.isEmpty()) {
            return added.isEmpty() ? added : null;
        }
        long fresh =
                added.stream()
                        .filter(file -> file.baseRowId().isEmpty())
                        .mapToLong(DataFile::rows)
                        .sum();
        long next = mark.getAsLong() + 1 - fresh;
        var files = new ArrayList<DataFile>();
        for (var file : added) {
            long base = file.baseRowId().orElse(next);
            next += file.baseRowId().isPresent() ? 0 : file.rows();
            files.add(file.withRowIds(base, committed.getVersion()));
        }
        return files;
    }

    private static OptionalLong highWaterMark(Snapshot snapshot) {
        var json = snapshot.getDomainMetadata(DOMAIN).orElse("");
        var matcher = HIGH_WATER_MARK.matcher(json);
        return matcher.find()
                ? OptionalLong.of(Long.parseLong(matcher.group(1)))
                : OptionalLong.empty();
    }
}
