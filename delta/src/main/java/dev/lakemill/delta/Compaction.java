package dev.lakemill.delta;

import dev.lakemill.delta.DeltaTable.Commit;
import dev.lakemill.delta.DeltaTable.Maintenance;
import dev.lakemill.delta.TableLog.Change;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.vector.BigIntVector;

/**
 * Joins neighbours in commit order into larger files, without changing what readers see.
 *
 * <p>Row tracking stays exact: only files whose row ids follow one another are joined, so that the
 * first one's base row id goes on to number the rows; and the version that each row was committed
 * in is written as the physical column that Delta names for it. Positions are copied.
 *
 * <p>Files below half the target are joined, up to the target. A first file that is larger than all
 * the others of its group together is left out, so that a row is rewritten about as often as the
 * binary logarithm of the target over the size of a commit, and not at every call.
 */
final class Compaction {
    private static final String COMMIT_VERSION_PROPERTY =
            "delta.rowTracking.materializedRowCommitVersionColumnName";

    private final TableContext table;
    private final TableLog log;
    private final TableWriter writer;

    Compaction(TableContext table, TableLog log, TableWriter writer) {
        this.table = table;
        this.log = log;
        this.writer = writer;
    }

    Maintenance run() {
        var snapshot = log.newest();
        int before = snapshot.fileCount();
        int fewer = 0;
        long freed = 0;
        for (var group : groups(snapshot.files(), table.config().fileBytesTarget())) {
            var joined = join(snapshot, group);
            if (joined.isPresent()) {
                fewer += group.size() - 1;
                freed += bytes(group) - joined.get().sizeBytes();
            }
        }
        return new Maintenance(before, before - fewer, freed);
    }

    static List<List<DataFile>> groups(List<DataFile> files, long target) {
        var groups = new ArrayList<List<DataFile>>();
        var group = new ArrayList<DataFile>();
        for (var file : files) {
            var small = file.ours() && file.rows() > 0 && file.sizeBytes() < target / 2;
            var fits =
                    small
                            && !group.isEmpty()
                            && follows(group.getLast(), file)
                            && bytes(group) + file.sizeBytes() <= target;
            if (!fits) {
                addWorthwhile(groups, group);
                group = new ArrayList<>();
            }
            if (small) {
                group.add(file);
            }
        }
        addWorthwhile(groups, group);
        return groups;
    }

    private static boolean follows(DataFile file, DataFile next) {
        return file.baseRowId().isPresent()
                && next.baseRowId().isPresent()
                && file.baseRowId().getAsLong() + file.rows() == next.baseRowId().getAsLong()
                && file.positions().isPresent() == next.positions().isPresent();
    }

    private static void addWorthwhile(List<List<DataFile>> groups, List<DataFile> group) {
        var left = group;
        while (left.size() > 1 && 2 * left.getFirst().sizeBytes() > bytes(left)) {
            left = left.subList(1, left.size());
        }
        if (left.size() > 1) {
            groups.add(List.copyOf(left));
        }
    }

    private static long bytes(List<DataFile> files) {
        return files.stream().mapToLong(DataFile::sizeBytes).sum();
    }

    /** Commits the joined file; empty when a file of the group went meanwhile. */
    private Optional<DataFile> join(DeltaSnapshot snapshot, List<DataFile> group) {
        var written = List.of(write(snapshot, group));
        var commit =
                writer.commit(
                        null,
                        written,
                        now ->
                                new HashSet<>(now.files()).containsAll(group)
                                        ? Optional.of(new Change(written, group, false))
                                        : Optional.empty());
        return commit instanceof Commit.Done
                ? Optional.of(written.getFirst().file())
                : Optional.empty();
    }

    private DataFileWriter.Written write(DeltaSnapshot snapshot, List<DataFile> group) {
        var extras = new ArrayList<Column>();
        if (group.getFirst().positions().isPresent()) {
            extras.add(TableContext.POSITION_COLUMN);
        }
        var versions = snapshot.kernel().getTableProperties().get(COMMIT_VERSION_PROPERTY);
        if (versions != null) {
            extras.add(Column.nullable(versions, DataType.Primitive.LONG));
        }
        var physical = new ArrayList<>(snapshot.schema().columns());
        physical.addAll(extras);
        try (var scan = new FileScan(table, group, new TableSchema(physical), any -> true);
                var file = new DataFileWriter(table, snapshot.schema(), extras)) {
            for (var root = scan.next(); root != null; root = scan.next()) {
                try (var batch = root) {
                    if (versions != null) {
                        var vector = (BigIntVector) batch.getVector(physical.size() - 1);
                        fill(vector, scan.file().commitVersion().orElse(0));
                    }
                    file.write(batch.getFieldVectors(), batch.getRowCount());
                }
            }
            return file.finish(group.getFirst().baseRowId());
        } catch (IOException | RuntimeException e) {
            throw Failures.of("compaction", table.location(), e);
        }
    }

    private static void fill(BigIntVector versions, long version) {
        for (int i = 0; i < versions.getValueCount(); i++) {
            if (versions.isNull(i)) {
                versions.set(i, version);
            }
        }
    }
}
