package dev.lakemill.delta;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.TableSchema;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.jspecify.annotations.Nullable;

/**
 * Reads files one after the other, a batch at a time. A batch has at most {@value #BATCH_ROWS}
 * rows, and fewer where rows are large, so that it holds about {@value #BATCH_BYTES} bytes; it
 * never spans row groups. Vacuum leaves its files until its end. One thread uses it.
 */
final class FileScan implements AutoCloseable {
    private static final int BATCH_ROWS = 16_384;
    private static final long BATCH_BYTES = 16L << 20;

    private final TableContext table;
    private final TableSchema columns;
    private final Predicate<BlockMetaData> wanted;
    private final Iterator<DataFile> files;
    private final HeldFiles held;
    private @Nullable DataFile file;
    private @Nullable ParquetInput parquet;
    private Iterator<BlockMetaData> groups = List.<BlockMetaData>of().iterator();
    private List<ColumnDecoder> decoders = List.of();
    private long rowsLeft;
    private int batchRows;

    /**
     * @param columns physical columns; null where a file has none
     * @param wanted row groups to read
     */
    FileScan(
            TableContext table,
            List<DataFile> files,
            TableSchema columns,
            Predicate<BlockMetaData> wanted) {
        this.table = table;
        this.columns = columns;
        this.wanted = wanted;
        this.files = files.iterator();
        this.held = new HeldFiles(table, files);
    }

    /** The next batch, which the caller closes; null at the end. */
    @Nullable VectorSchemaRoot next() {
        if (!advance()) {
            return null;
        }
        int count = (int) Math.min(batchRows, rowsLeft);
        var root = VectorSchemaRoot.create(ArrowTypes.schema(columns), table.allocator());
        try {
            ColumnDecoder.read(decoders, root, count);
        } catch (RuntimeException | Error e) {
            root.close();
            throw e;
        }
        rowsLeft -= count;
        return root;
    }

    /** The file of the batch last returned. */
    DataFile file() {
        return Objects.requireNonNull(file, "before the first batch");
    }

    /** Goes on to a row group with rows left; false at the end. */
    private boolean advance() {
        while (rowsLeft == 0) {
            if (parquet != null && groups.hasNext()) {
                var group = groups.next();
                if (wanted.test(group)) {
                    open(parquet, group);
                }
            } else if (files.hasNext()) {
                closeFile();
                file = files.next();
                parquet = ParquetInput.open(file.in(table.location()));
                groups = parquet.rowGroups().iterator();
            } else {
                close();
                return false;
            }
        }
        return true;
    }

    private void open(ParquetInput input, BlockMetaData group) {
        rowsLeft = group.getRowCount();
        decoders = input.decoders(group, columns, file().partition());
        long rowBytes = Math.max(1, group.getTotalByteSize() / Math.max(1, rowsLeft));
        batchRows = Math.clamp(BATCH_BYTES / rowBytes, 1, BATCH_ROWS);
    }

    @Override
    public void close() {
        closeFile();
        held.close();
    }

    private void closeFile() {
        if (parquet != null) {
            parquet.close();
            parquet = null;
        }
    }
}
