package dev.lakemill.delta;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.data.ColumnVector;
import io.delta.kernel.data.ColumnarBatch;
import io.delta.kernel.data.FilteredColumnarBatch;
import io.delta.kernel.engine.FileReadResult;
import io.delta.kernel.engine.ParquetHandler;
import io.delta.kernel.expressions.Column;
import io.delta.kernel.expressions.Predicate;
import io.delta.kernel.types.StructField;
import io.delta.kernel.types.StructType;
import io.delta.kernel.utils.CloseableIterator;
import io.delta.kernel.utils.DataFileStatus;
import io.delta.kernel.utils.FileStatus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.jspecify.annotations.Nullable;

/** The kernel's own Parquet files, which are checkpoints, through our reader and writer. */
final class KernelParquet implements ParquetHandler {
    private static final int BATCH_ROWS = 1024;

    private final KernelFiles files;
    private final BufferAllocator allocator;

    KernelParquet(KernelFiles files, BufferAllocator allocator) {
        this.files = files;
        this.allocator = allocator;
    }

    @Override
    public CloseableIterator<FileReadResult> readParquetFiles(
            CloseableIterator<FileStatus> statuses,
            StructType schema,
            Optional<Predicate> predicate) {
        return new Reading(statuses, schema);
    }

    @Override
    public CloseableIterator<DataFileStatus> writeParquetFiles(
            String folder, CloseableIterator<FilteredColumnarBatch> batches, List<Column> stats) {
        throw new UnsupportedOperationException("data files are written by DataFiles");
    }

    @Override
    public void writeParquetFileAtomically(
            String path, CloseableIterator<FilteredColumnarBatch> batches) throws IOException {
        try (batches) {
            files.put(KernelFiles.path(path), false, output -> write(batches, output));
        }
    }

    private void write(Iterator<FilteredColumnarBatch> batches, Disk.Output output)
            throws IOException {
        if (!batches.hasNext()) {
            throw new IllegalArgumentException("no batch, hence no schema, to write");
        }
        var batch = batches.next();
        var schema = KernelTypes.schema(batch.getData().getSchema());
        try (var file = new ParquetFileBuilder(output, schema, allocator)) {
            write(batch, schema, file);
            while (batches.hasNext()) {
                write(batches.next(), schema, file);
            }
            file.finish();
        }
    }

    private void write(FilteredColumnarBatch batch, TableSchema schema, ParquetFileBuilder file)
            throws IOException {
        try (var root = KernelRows.copy(batch, schema, allocator)) {
            file.write(root.getFieldVectors(), root.getRowCount());
        }
    }

    private final class Reading implements CloseableIterator<FileReadResult> {
        private final CloseableIterator<FileStatus> statuses;
        private final StructType kernelSchema;
        private final TableSchema schema;
        private @Nullable ParquetInput file;
        private Iterator<BlockMetaData> groups = List.<BlockMetaData>of().iterator();
        private List<ColumnDecoder> decoders = List.of();
        private long rowsLeft;

        Reading(CloseableIterator<FileStatus> statuses, StructType kernelSchema) {
            this.statuses = statuses;
            this.kernelSchema = kernelSchema;
            this.schema = KernelTypes.schema(kernelSchema);
        }

        @Override
        public boolean hasNext() {
            while (rowsLeft == 0) {
                if (file != null && groups.hasNext()) {
                    var group = groups.next();
                    rowsLeft = group.getRowCount();
                    decoders = file.decoders(group, schema, Map.of());
                } else if (statuses.hasNext()) {
                    closeFile();
                    file = ParquetInput.open(KernelFiles.path(statuses.next().getPath()));
                    groups = file.rowGroups().iterator();
                } else {
                    return false;
                }
            }
            return true;
        }

        @Override
        public FileReadResult next() {
            if (!hasNext() || file == null) {
                throw new NoSuchElementException();
            }
            int count = (int) Math.min(BATCH_ROWS, rowsLeft);
            rowsLeft -= count;
            try (var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator)) {
                ColumnDecoder.read(decoders, root, count);
                return new FileReadResult(batch(root), file.path().toString());
            }
        }

        private ColumnarBatch batch(VectorSchemaRoot root) {
            var columns = new ArrayList<ColumnVector>();
            for (int i = 0; i < kernelSchema.length(); i++) {
                columns.add(KernelVector.copy(root.getVector(i), kernelSchema.at(i).getDataType()));
            }
            return new HeapBatch(kernelSchema, columns, root.getRowCount());
        }

        private void closeFile() {
            if (file != null) {
                file.close();
                file = null;
            }
        }

        @Override
        public void close() throws IOException {
            closeFile();
            statuses.close();
        }
    }

    private record HeapBatch(StructType schema, List<ColumnVector> columns, int size)
            implements ColumnarBatch {
        @Override
        public StructType getSchema() {
            return schema;
        }

        @Override
        public ColumnVector getColumnVector(int ordinal) {
            return columns.get(ordinal);
        }

        @Override
        public int getSize() {
            return size;
        }

        @Override
        public ColumnarBatch withNewColumn(int ordinal, StructField field, ColumnVector column) {
            var fields = new ArrayList<>(schema.fields());
            fields.add(ordinal, field);
            var more = new ArrayList<>(columns);
            more.add(ordinal, column);
            return new HeapBatch(new StructType(fields), more, size);
        }

        @Override
        public ColumnarBatch withDeletedColumnAt(int ordinal) {
            var fields = new ArrayList<>(schema.fields());
            fields.remove(ordinal);
            var fewer = new ArrayList<>(columns);
            fewer.remove(ordinal);
            return new HeapBatch(new StructType(fields), fewer, size);
        }

        @Override
        public ColumnarBatch withNewSchema(StructType newSchema) {
            return new HeapBatch(newSchema, columns, size);
        }
    }
}
