package dev.lakemill.delta;

import com.github.luben.zstd.ZstdCompressCtx;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongUnaryOperator;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnWriteStore;
import org.apache.parquet.column.ParquetProperties;
import org.apache.parquet.compression.CompressionCodecFactory.BytesInputCompressor;
import org.apache.parquet.hadoop.ColumnChunkPageWriteStore;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/**
 * Writes one Parquet file from Arrow's vectors, compressed with zstd. One thread uses it.
 *
 * <p>Memory is one row group (at most {@value #ROW_GROUP_BYTES} bytes, encoded). The columns of a
 * slice of rows are written one after the other, then the slice's rows are ended: those without
 * parts by {@link FlatColumn}, the others by Parquet's own writers, which count the rows of a page
 * by their repetition levels, so that pages end on rows all the same.
 *
 * <p>Row groups of another file are copied as they are, compressed.
 */
final class ParquetFileBuilder implements AutoCloseable {
    private static final long ROW_GROUP_BYTES = 32L << 20;
    private static final int SLICE_ROWS = 1024;

    private final Disk.Output output;
    private final MessageType message;
    private final TableSchema schema;
    private final ParquetFileWriter file;
    private final BufferAllocator allocator;
    private final PageMemory memory;
    private final ParquetProperties properties;
    private final Zstd zstd;
    private RowGroup group;
    private long rows;

    /**
     * @param allocator of the memory for pages
     */
    ParquetFileBuilder(Disk.Output output, TableSchema schema, BufferAllocator allocator)
            throws IOException {
        this.output = output;
        this.schema = schema;
        this.message = ParquetTypes.message(schema);
        this.allocator = allocator;
        this.memory = new PageMemory(allocator);
        this.properties = ParquetProperties.builder().withAllocator(memory).build();
        this.file =
                new ParquetFileWriter(
                        new Target(output),
                        message,
                        ParquetFileWriter.Mode.CREATE,
                        ROW_GROUP_BYTES,
                        0,
                        properties.getColumnIndexTruncateLength(),
                        properties.getStatisticsTruncateLength(),
                        properties.getPageWriteChecksumEnabled());
        file.start();
        this.zstd = new Zstd(memory);
        this.group = new RowGroup(schema, message);
    }

    /** Writes rows; one vector per column of the schema. */
    void write(List<? extends ValueVector> vectors, int count) throws IOException {
        for (int i = 0; i < vectors.size(); i++) {
            group.encoders.get(i).bind(vectors.get(i));
        }
        for (int from = 0; from < count; from += SLICE_ROWS) {
            int to = Math.min(count, from + SLICE_ROWS);
            group.write(from, to);
            if (group.bytes() >= ROW_GROUP_BYTES && to < count) {
                nextGroup();
                for (int i = 0; i < vectors.size(); i++) {
                    group.encoders.get(i).bind(vectors.get(i));
                }
            }
        }
        rows += count;
        if (group.bytes() >= ROW_GROUP_BYTES) {
            nextGroup();
        }
    }

    private void nextGroup() throws IOException {
        group.flush();
        group = new RowGroup(schema, message);
    }

    /** A column of whole numbers that rows get when they are copied. */
    record Added(String name, LongUnaryOperator valueOfRow) {}

    /** Whether a file has this one's columns, but for some at the end that rows can get. */
    boolean canCopy(ParquetInput source, List<Added> added) {
        var names = added.stream().map(Added::name).toList();
        var fields = message.getFields();
        int there = source.schema().getFieldCount();
        return there <= fields.size()
                && source.schema().getFields().equals(fields.subList(0, there))
                && fields.stream().skip(there).allMatch(field -> names.contains(field.getName()));
    }

    /**
     * Copies the row groups of a file that {@link #canCopy} holds for.
     *
     * @param added by the number of a row in its file; those that it has stay as they are
     */
    void copy(ParquetInput source, List<Added> added) throws IOException {
        if (group.count > 0) {
            nextGroup();
        }
        var missing = added.stream().filter(a -> !source.schema().containsField(a.name())).toList();
        long first = 0;
        for (var block : source.rowGroups()) {
            file.startBlock(block.getRowCount());
            for (var chunk : block.getColumns()) {
                copy(source, chunk);
            }
            add(missing, first, Math.toIntExact(block.getRowCount()));
            file.endBlock();
            first += block.getRowCount();
        }
        rows += first;
    }

    private void copy(ParquetInput source, ColumnChunkMetaData chunk) throws IOException {
        file.appendColumnChunk(
                message.getColumnDescription(chunk.getPath().toArray()),
                source.stream(),
                chunk,
                null,
                source.columnIndex(chunk),
                source.offsetIndex(chunk));
    }

    private void add(List<Added> columns, long first, int count) throws IOException {
        if (columns.isEmpty()) {
            return;
        }
        var schema =
                new TableSchema(
                        columns.stream()
                                .map(added -> Column.nullable(added.name(), Primitive.LONG))
                                .toList());
        var parts = new RowGroup(schema, ParquetTypes.message(schema));
        try (var vector = new BigIntVector("added", allocator)) {
            vector.allocateNew(SLICE_ROWS);
            for (int i = 0; i < columns.size(); i++) {
                add(columns.get(i), first, count, vector, parts.encoders.get(i));
            }
            parts.end();
        } finally {
            parts.close();
        }
    }

    private static void add(
            Added column, long first, int count, BigIntVector vector, RowsEncoder encoder)
            throws IOException {
        for (int from = 0; from < count; from += SLICE_ROWS) {
            int slice = Math.min(SLICE_ROWS, count - from);
            for (int i = 0; i < slice; i++) {
                vector.set(i, column.valueOfRow().applyAsLong(first + from + i));
            }
            vector.setValueCount(slice);
            encoder.bind(vector);
            encoder.writeRows(0, slice);
        }
    }

    /** Rows written so far. */
    long rows() {
        return rows;
    }

    /** About the size that the file has so far. */
    long bytes() {
        return output.position() + group.bytes();
    }

    /** Writes the footer and syncs; the statistics are in the result. */
    ParquetMetadata finish() throws IOException {
        group.flush();
        file.end(Map.of());
        output.sync();
        return file.getFooter();
    }

    /** Frees what is held outside the heap; an unfinished file is the caller's to delete. */
    @Override
    public void close() {
        zstd.release();
        memory.close();
    }

    private final class RowGroup {
        private final ColumnChunkPageWriteStore pages;

        /** Of the columns that {@link FlatColumn} does not encode; null when it does all. */
        private final @Nullable ColumnWriteStore nested;

        private final List<RowsEncoder> encoders = new ArrayList<>();
        private long count;

        RowGroup(TableSchema schema, MessageType message) {
            this.pages =
                    new ColumnChunkPageWriteStore(
                            zstd,
                            message,
                            memory,
                            properties.getColumnIndexTruncateLength(),
                            properties.getPageWriteChecksumEnabled());
            var flat = new ArrayList<@Nullable FlatColumn>();
            var others = new ArrayList<Type>();
            for (var column : schema.columns()) {
                var encoder = flat(column, message);
                flat.add(encoder);
                if (encoder == null) {
                    others.add(message.getType(column.name()));
                }
            }
            this.nested =
                    others.isEmpty()
                            ? null
                            : properties.newColumnWriteStore(
                                    new MessageType(message.getName(), others), pages, pages);
            for (int i = 0; i < flat.size(); i++) {
                var encoder = flat.get(i);
                encoders.add(encoder != null ? encoder : nested(schema.column(i), message));
            }
        }

        private @Nullable FlatColumn flat(Column column, MessageType message) {
            var path = new String[] {column.name()};
            if (!message.getType(path).isPrimitive()) {
                return null;
            }
            var parquet = message.getColumnDescription(path);
            return FlatColumn.of(column, parquet, pages.getPageWriter(parquet), memory);
        }

        private ColumnEncoder nested(Column column, MessageType message) {
            var store = Objects.requireNonNull(nested);
            return ColumnEncoder.of(
                    column, path -> store.getColumnWriter(message.getColumnDescription(path)));
        }

        void write(int from, int to) throws IOException {
            for (var encoder : encoders) {
                encoder.writeRows(from, to);
            }
            if (nested != null) {
                for (int row = from; row < to; row++) {
                    nested.endRecord();
                }
            }
            count += to - from;
        }

        long bytes() {
            return encoders.stream().mapToLong(RowsEncoder::bytes).sum()
                    + (nested == null ? 0 : nested.getBufferedSize());
        }

        void flush() throws IOException {
            if (count > 0) {
                file.startBlock(count);
                end();
                file.endBlock();
            }
            close();
        }

        /** Hands its columns to the file's block. */
        void end() throws IOException {
            for (var encoder : encoders) {
                encoder.flush();
            }
            if (nested != null) {
                nested.flush();
            }
            pages.flushToFileWriter(file);
        }

        void close() {
            if (nested != null) {
                nested.close();
            }
            pages.close();
        }
    }

    private static final class Zstd implements BytesInputCompressor {
        private final PageMemory memory;
        private final ZstdCompressCtx context = new ZstdCompressCtx();
        private ByteBuffer compressed = ByteBuffer.allocateDirect(0);

        Zstd(PageMemory memory) {
            this.memory = memory;
        }

        /** The result is good until the next one: Parquet copies it. */
        @Override
        public BytesInput compress(BytesInput bytes) {
            var copies = new ArrayList<ByteBuffer>(1);
            try {
                var plain = bytes.toByteBuffer(memory, copies::add);
                int room = Math.toIntExact(com.github.luben.zstd.Zstd.compressBound(bytes.size()));
                if (compressed.capacity() < room) {
                    memory.release(compressed);
                    compressed = memory.allocate(room);
                }
                int length =
                        context.compressDirectByteBuffer(
                                compressed, 0, room, plain, plain.position(), plain.remaining());
                return BytesInput.from(compressed.slice(0, length));
            } finally {
                copies.forEach(memory::release);
            }
        }

        @Override
        public CompressionCodecName getCodecName() {
            return CompressionCodecName.ZSTD;
        }

        @Override
        public void release() {
            context.close();
        }
    }

    private record Target(Disk.Output output) implements OutputFile {
        @Override
        public PositionOutputStream create(long blockSizeHint) {
            return new Positioned(output);
        }

        @Override
        public PositionOutputStream createOrOverwrite(long blockSizeHint) {
            return create(blockSizeHint);
        }

        @Override
        public boolean supportsBlockSize() {
            return false;
        }

        @Override
        public long defaultBlockSize() {
            return 0;
        }
    }

    /** Leaves closing to the owner of the output. */
    private static final class Positioned extends PositionOutputStream {
        private final Disk.Output output;

        Positioned(Disk.Output output) {
            this.output = output;
        }

        @Override
        public long getPos() {
            return output.position();
        }

        @Override
        public void write(int b) throws IOException {
            output.write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            output.write(bytes, offset, length);
        }
    }
}
