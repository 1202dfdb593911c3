package dev.lakemill.delta;

import java.util.HashSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What lies between two versions of a table, by whole files: the rows of files that went, and the
 * rows of files that came. A row that was only moved to another file is among both.
 */
public final class SnapshotDifference {
    private final TableContext table;
    private final DeltaSnapshot before;
    private final DeltaSnapshot after;
    private final List<DataFile> deleted;
    private final List<DataFile> inserted;

    SnapshotDifference(TableContext table, DeltaSnapshot before, DeltaSnapshot after) {
        this.table = table;
        this.before = before;
        this.after = after;
        this.deleted = without(before.files(), after.files());
        this.inserted = without(after.files(), before.files());
    }

    private static List<DataFile> without(List<DataFile> files, List<DataFile> others) {
        var paths =
                others.stream().map(DataFile::path).collect(Collectors.toCollection(HashSet::new));
        return files.stream().filter(file -> !paths.contains(file.path())).toList();
    }

    /** Rows of both sides together; a file whose rows the log does not count counts as many. */
    public long rowCount() {
        return Stream.concat(deleted.stream(), inserted.stream())
                .mapToLong(file -> file.rows() >= 0 ? file.rows() : Integer.MAX_VALUE)
                .sum();
    }

    /** Rows of the older version; UNAVAILABLE where its files are gone. */
    public DeltaReader deleted() {
        return SnapshotReader.all(table, deleted, before.schema());
    }

    /** Rows of the newer version, in commit order. */
    public DeltaReader inserted() {
        return SnapshotReader.all(table, inserted, after.schema());
    }
}
