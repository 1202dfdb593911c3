package dev.lakemill.delta;

import dev.lakemill.delta.DeltaTable.Maintenance;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Deletes files that nobody needs: data files removed from the table before the retention, files
 * that no commit ever named and that are older than it, and our own old temporary files. Files of
 * snapshots that are kept, and those that somebody reads, stay. When a file was removed is its time
 * of modification, as a commit of ours sets it, or what the log says, if that is later.
 *
 * <p>The order makes it safe beside our own writers: first the folder is listed, then the files
 * that are being written are noted, then the log is read anew. A listed file that is not being
 * written by then was given up or committed before, and the log that is read afterwards names it if
 * it was committed. Whether somebody reads a file is asked when it would be deleted.
 */
final class Vacuum {
    private final TableContext table;
    private final TableLog log;

    Vacuum(TableContext table, TableLog log) {
        this.table = table;
        this.log = log;
    }

    /** A file of the folder. */
    private record Found(Path path, long sizeBytes, long modifiedMillis) {}

    Maintenance run(Duration retention) {
        if (retention.compareTo(table.config().fileRetention()) > 0) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a vacuum that keeps files for %s, when the log remembers them for %s"
                            .formatted(retention, table.config().fileRetention()),
                    "keep them at most as long as the table's file retention");
        }
        try {
            return delete(table.clock().millis() - retention.toMillis());
        } catch (IOException | RuntimeException e) {
            throw Failures.of("vacuum", table.location(), e);
        }
    }

    private Maintenance delete(long cutoffMillis) throws IOException {
        var found = list(table.location());
        found.removeIf(file -> !isDataFile(file.path()));
        var unfinished = Set.copyOf(table.unfinished());
        var snapshot = log.refresh();
        var live = paths(snapshot);
        log.kept().forEach(kept -> live.addAll(paths(kept)));
        var removed = removed(snapshot);
        int deleted = 0;
        long freed = 0;
        for (var file : found) {
            var unneededSince =
                    Math.max(removed.getOrDefault(file.path(), 0L), file.modifiedMillis());
            if (!live.contains(file.path())
                    && !unfinished.contains(file.path())
                    && unneededSince <= cutoffMillis
                    && !table.isHeld(file.path())
                    && table.disk().delete(file.path())) {
                deleted++;
                freed += file.sizeBytes();
            }
        }
        for (var file : list(table.logFolder())) {
            if (isTemporary(file.path()) && file.modifiedMillis() <= cutoffMillis) {
                table.disk().delete(file.path());
            }
        }
        return new Maintenance(found.size(), found.size() - deleted, freed);
    }

    private Set<Path> paths(DeltaSnapshot snapshot) {
        return snapshot.files().stream()
                .map(file -> file.in(table.location()))
                .collect(Collectors.toCollection(HashSet::new));
    }

    private Map<Path, Long> removed(DeltaSnapshot snapshot) throws IOException {
        return KernelActions.removed(snapshot.kernel(), table.engine()).entrySet().stream()
                .collect(
                        Collectors.toMap(
                                e -> DataFile.resolve(table.location(), e.getKey()),
                                Map.Entry::getValue,
                                Math::max));
    }

    private static boolean isDataFile(Path file) {
        var name = String.valueOf(file.getFileName());
        return name.endsWith(".parquet") && !name.startsWith(".") && !name.startsWith("_");
    }

    private static boolean isTemporary(Path file) {
        return String.valueOf(file.getFileName()).startsWith(KernelFiles.TEMPORARY_PREFIX);
    }

    /** The plain files of a folder. */
    private static List<Found> list(Path folder) throws IOException {
        var found = new ArrayList<Found>();
        try (var entries = Files.newDirectoryStream(folder)) {
            for (var entry : entries) {
                find(entry).ifPresent(found::add);
            }
        }
        return found;
    }

    /** Empty for a folder, and for a file that went meanwhile. */
    private static Optional<Found> find(Path entry) throws IOException {
        try {
            var attributes = Files.readAttributes(entry, BasicFileAttributes.class);
            var modifiedMillis = attributes.lastModifiedTime().toMillis();
            return attributes.isRegularFile()
                    ? Optional.of(new Found(entry, attributes.size(), modifiedMillis))
                    : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }
}
