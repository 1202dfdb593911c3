package dev.lakemill.delta;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.jspecify.annotations.Nullable;

/**
 * Reads files one after the other, a batch at a time. A batch has at most {@value #BATCH_ROWS}
 * rows, and fewer where rows are large, so that it holds about {@value #BATCH_BYTES} bytes; it
 * never spans row groups.
 */
final class SnapshotReader implements DeltaReader {
    private static final int BATCH_ROWS = 16_384;
    private static final long BATCH_BYTES = 16L << 20;
    private static final long[] NO_POSITIONS = {};

    private final TableContext table;
    private final TableSchema columns;
    private final TableSchema physical;
    private final @Nullable PositionRange range;
    private final Iterator<DataFile> files;
    private Iterator<BlockMetaData> groups = List.<BlockMetaData>of().iterator();
    private List<ColumnDecoder> decoders = List.of();
    private @Nullable ParquetInput parquet;
    private long rowsLeft;
    private int batchRows;
    private long[] positions = NO_POSITIONS;

    /**
     * @param range the positions to read; null for all rows, without positions
     */
    SnapshotReader(
            TableContext table,
            List<DataFile> files,
            TableSchema columns,
            @Nullable PositionRange range) {
        this.table = table;
        this.columns = columns;
        this.range = range;
        this.files = files.iterator();
        var fields = new ArrayList<>(columns.columns());
        if (range != null) {
            fields.add(Column.required(TableContext.POSITION, DataType.Primitive.LONG));
        }
        this.physical = new TableSchema(fields);
    }

    @Override
    public @Nullable Rows next() {
        while (advance()) {
            int count = (int) Math.min(batchRows, rowsLeft);
            var root = VectorSchemaRoot.create(ArrowTypes.schema(physical), table.allocator());
            try {
                ColumnDecoder.read(decoders, root, count);
            } catch (RuntimeException | Error e) {
                root.close();
                throw e;
            }
            rowsLeft -= count;
            var rows = range == null ? new Rows(columns, root) : inRange(range, root);
            if (rows != null) {
                return rows;
            }
        }
        return null;
    }

    /** Goes on to a row group with rows left; false at the end. */
    private boolean advance() {
        while (rowsLeft == 0) {
            if (parquet != null && groups.hasNext()) {
                var group = groups.next();
                if (range == null || range.touches(group)) {
                    open(parquet, group);
                }
            } else if (files.hasNext()) {
                close();
                parquet = ParquetInput.open(files.next().in(table.location()));
                groups = parquet.rowGroups().iterator();
            } else {
                close();
                return false;
            }
        }
        return true;
    }

    private void open(ParquetInput file, BlockMetaData group) {
        rowsLeft = group.getRowCount();
        decoders = file.decoders(group, physical);
        long rowBytes = Math.max(1, group.getTotalByteSize() / Math.max(1, rowsLeft));
        batchRows = Math.clamp(BATCH_BYTES / rowBytes, 1, BATCH_ROWS);
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
        if (parquet != null) {
            parquet.close();
            parquet = null;
        }
    }
}
