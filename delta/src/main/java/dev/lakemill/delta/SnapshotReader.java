package dev.lakemill.delta;

import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;

/** Reads the rows of a snapshot, all of them or those in a range of positions. */
final class SnapshotReader implements DeltaReader {
    private static final long[] NO_POSITIONS = {};

    private final TableSchema columns;
    private final @Nullable PositionRange range;
    private final FileScan scan;
    private long[] positions = NO_POSITIONS;

    private SnapshotReader(TableSchema columns, @Nullable PositionRange range, FileScan scan) {
        this.columns = columns;
        this.range = range;
        this.scan = scan;
    }

    static SnapshotReader all(TableContext table, List<DataFile> files, TableSchema columns) {
        return new SnapshotReader(
                columns, null, new FileScan(table, files, columns, group -> true));
    }

    static SnapshotReader inRange(
            TableContext table, List<DataFile> files, TableSchema columns, PositionRange range) {
        var physical = new ArrayList<>(columns.columns());
        physical.add(TableContext.POSITION_COLUMN);
        var selected = range.select(table, files);
        var scan = new FileScan(table, selected, new TableSchema(physical), range::touches);
        return new SnapshotReader(columns, range, scan);
    }

    @Override
    public @Nullable Rows next() {
        for (var root = scan.next(); root != null; root = scan.next()) {
            var rows = range == null ? new Rows(columns, root) : inRange(range, root);
            if (rows != null) {
                return rows;
            }
        }
        return null;
    }

    /** The rows of a batch that are in the range, or null when none is; takes over the root. */
    private @Nullable Rows inRange(PositionRange wanted, VectorSchemaRoot root) {
        var all = positions((BigIntVector) root.getVector(columns.size()), root.getRowCount());
        int from = PositionRange.firstAbove(all, wanted.after());
        int to = PositionRange.firstAbove(all, wanted.to());
        var whole = withoutPositions(root);
        if (from == 0 && to == all.length) {
            positions = all;
            return whole;
        }
        try (whole) {
            positions = Arrays.copyOfRange(all, from, to);
            return from == to ? null : whole.slice(from, to - from);
        }
    }

    private static long[] positions(BigIntVector vector, int count) {
        var values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = vector.get(i);
        }
        return values;
    }

    private Rows withoutPositions(VectorSchemaRoot root) {
        var vectors = new ArrayList<FieldVector>(root.getFieldVectors());
        vectors.removeLast().close();
        var rest = new VectorSchemaRoot(vectors);
        rest.setRowCount(root.getRowCount());
        return new Rows(columns, rest);
    }

    @Override
    public long[] positions() {
        return positions;
    }

    @Override
    public void close() {
        scan.close();
    }
}
