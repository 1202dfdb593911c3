package dev.lakemill.delta;

import dev.lakemill.delta.DeltaTable.Commit;
import dev.lakemill.delta.DeltaTable.Maintenance;
import dev.lakemill.delta.ParquetFileBuilder.Added;
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
import org.apache.arrow.vector.BigIntVector;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
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
 * binary logarithm of the target over the size of a commit, and not at every call. A file whose row
 * groups are large is not rewritten at all: they are copied, compressed as they are.
 */
final class Compaction {
    private static final String COMMIT_VERSION_PROPERTY =
            "delta.rowTracking.materializedRowCommitVersionColumnName";
    private static final String ROW_ID_PROPERTY = "delta.rowTracking.materializedRowIdColumnName";

    /** Row groups of so many rows in the mean, or so many bytes, are copied as they are. */
    private static final long LARGE_ROWS = 32_768;

    private static final long LARGE_BYTES = 8L << 20;

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
        try (var _ = new HeldFiles(table, group);
                var file =
                        new DataFileWriter(
                                table, snapshot.schema(), extras, group.getFirst().partition())) {
            for (var part : group) {
                var added = new ArrayList<Added>();
                if (ids != null) {
                    var first = part.baseRowId().orElse(0);
                    added.add(new Added(ids, row -> first + row));
                }
                if (versions != null) {
                    var version = part.commitVersion().orElse(0);
                    added.add(new Added(versions, _ -> version));
                }
                write(part, new TableSchema(physical), added, file);
            }
            return file.finish(partitioned ? OptionalLong.empty() : group.getFirst().baseRowId());
        } catch (IOException | RuntimeException e) {
            throw Failures.of("compaction", table.location(), e);
        }
    }

    /** Copies the row groups of a file, or where they are small, writes their rows anew. */
    private void write(DataFile part, TableSchema physical, List<Added> added, DataFileWriter file)
            throws IOException {
        try (var source = ParquetInput.open(part.in(table.location()))) {
            if (areLarge(source.rowGroups()) && file.canCopy(source, added)) {
                file.copy(source, added);
                return;
            }
        }
        try (var scan = new FileScan(table, List.of(part), physical, any -> true)) {
            long next = 0;
            for (var root = scan.next(); root != null; root = scan.next()) {
                try (var batch = root) {
                    for (var column : added) {
                        fill((BigIntVector) batch.getVector(column.name()), column, next);
                    }
                    file.write(batch.getFieldVectors(), batch.getRowCount());
                    next += batch.getRowCount();
                }
            }
        }
    }

    /** Of a size, as they are in the mean, that costs readers no more than larger ones. */
    private static boolean areLarge(List<BlockMetaData> groups) {
        long rows = groups.stream().mapToLong(BlockMetaData::getRowCount).sum();
        long bytes = groups.stream().mapToLong(BlockMetaData::getTotalByteSize).sum();
        return rows >= LARGE_ROWS * groups.size() || bytes >= LARGE_BYTES * groups.size();
    }

    private static void fill(BigIntVector vector, Added column, long first) {
        for (int i = 0; i < vector.getValueCount(); i++) {
            if (vector.isNull(i)) {
                vector.set(i, column.valueOfRow().applyAsLong(first + i));
            }
        }
    }
}
