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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiPredicate;
import java.util.function.IntToLongFunction;
import org.apache.arrow.vector.BigIntVector;
import org.jspecify.annotations.Nullable;

/**
 * Joins neighbours in commit order into larger files, without changing what readers see.
 *
 * <p>Row tracking stays exact: only files whose row ids follow one another are joined, so that the
 * first one's base row id goes on to number the rows; and the version that each row was committed
 * in is written as the physical column that Delta names for it. Positions are copied.
 *
 * <p>Files of a partition do not follow one another, so there each row's id is written beside it,
 * as the physical column that Delta names for that.
 *
 * <p>Files below half the target are joined, up to the target. A first file that is larger than all
 * the others of its group together is left out, so that a row is rewritten about as often as the
 * binary logarithm of the target over the size of a commit, and not at every call.
 */
final class Compaction {
    private static final String COMMIT_VERSION_PROPERTY =
            "delta.rowTracking.materializedRowCommitVersionColumnName";
    private static final String ROW_ID_PROPERTY = "delta.rowTracking.materializedRowIdColumnName";

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
        for (var group : groups(snapshot)) {
            var joined = join(snapshot, group);
            if (joined.isPresent()) {
                fewer += group.size() - 1;
                freed += bytes(group) - joined.get().sizeBytes();
            }
        }
        return new Maintenance(before, before - fewer, freed);
    }

    /** Files of one partition need not follow one another: their rows take their ids along. */
    private List<List<DataFile>> groups(DeltaSnapshot snapshot) {
        var target = table.config().fileBytesTarget();
        if (snapshot.partitionedBy().isEmpty()) {
            return groups(snapshot.files(), target);
        }
        var partitions = new LinkedHashMap<Map<String, @Nullable String>, List<DataFile>>();
        for (var file : snapshot.files()) {
            partitions.computeIfAbsent(file.partition(), _ -> new ArrayList<>()).add(file);
        }
        return partitions.values().stream()
                .flatMap(files -> groups(files, target, (_, _) -> true).stream())
                .toList();
    }

    static List<List<DataFile>> groups(List<DataFile> files, long target) {
        return groups(files, target, Compaction::follows);
    }

    private static List<List<DataFile>> groups(
            List<DataFile> files, long target, BiPredicate<DataFile, DataFile> follows) {
        var groups = new ArrayList<List<DataFile>>();
        var group = new ArrayList<DataFile>();
        for (var file : files) {
            var small = file.ours() && file.rows() > 0 && file.sizeBytes() < target / 2;
            var fits =
                    small
                            && !group.isEmpty()
                            && follows.test(group.getLast(), file)
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
        var properties = snapshot.kernel().getTableProperties();
        var extras = new ArrayList<Column>();
        if (group.getFirst().positions().isPresent()) {
            extras.add(TableContext.POSITION_COLUMN);
        }
        var partitioned = !snapshot.partitionedBy().isEmpty();
        var ids = partitioned ? properties.get(ROW_ID_PROPERTY) : null;
        if (ids != null) {
            extras.add(Column.nullable(ids, DataType.Primitive.LONG));
        }
        var versions = properties.get(COMMIT_VERSION_PROPERTY);
        if (versions != null) {
            extras.add(Column.nullable(versions, DataType.Primitive.LONG));
        }
        var physical = new ArrayList<>(snapshot.schema().columns());
        physical.addAll(extras);
        try (var scan = new FileScan(table, group, new TableSchema(physical), any -> true);
                var file =
                        new DataFileWriter(
                                table, snapshot.schema(), extras, group.getFirst().partition())) {
            var rows = new Numbered();
            for (var root = scan.next(); root != null; root = scan.next()) {
                try (var batch = root) {
                    var first = rows.first(scan.file(), batch.getRowCount());
                    if (ids != null) {
                        var vector = (BigIntVector) batch.getVector(ids);
                        fill(vector, row -> first + row);
                    }
                    if (versions != null) {
                        var vector = (BigIntVector) batch.getVector(versions);
                        var version = scan.file().commitVersion().orElse(0);
                        fill(vector, _ -> version);
                    }
                    file.write(batch.getFieldVectors(), batch.getRowCount());
                }
            }
            return file.finish(partitioned ? OptionalLong.empty() : group.getFirst().baseRowId());
        } catch (IOException | RuntimeException e) {
            throw Failures.of("compaction", table.location(), e);
        }
    }

    /** Counts the rows of files that are read one after the other. */
    private static final class Numbered {
        private @Nullable DataFile file;
        private long next;

        /** The id that the first of the next rows had when it was written. */
        long first(DataFile from, int count) {
            if (!from.equals(file)) {
                file = from;
                next = from.baseRowId().orElse(0);
            }
            var first = next;
            next += count;
            return first;
        }
    }

    private static void fill(BigIntVector vector, IntToLongFunction value) {
        for (int i = 0; i < vector.getValueCount(); i++) {
            if (vector.isNull(i)) {
                vector.set(i, value.applyAsLong(i));
            }
        }
    }
}
