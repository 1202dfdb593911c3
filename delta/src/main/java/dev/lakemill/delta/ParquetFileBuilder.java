package dev.lakemill.delta;

import com.github.luben.zstd.ZstdCompressCtx;
import dev.lakemill.types.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnWriteStore;
import org.apache.parquet.column.ParquetProperties;
import org.apache.parquet.compression.CompressionCodecFactory.BytesInputCompressor;
import org.apache.parquet.hadoop.ColumnChunkPageWriteStore;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.schema.MessageType;

/**
 * Writes one Parquet file from Arrow's vectors, compressed with zstd. One thread uses it.
 *
 * <p>Memory is one row group (at most {@value #ROW_GROUP_BYTES} bytes, encoded). The columns of a
 * slice of rows are written one after the other, then the slice's rows are ended; Parquet counts
 * the rows of a page by their repetition levels, so that pages end on rows all the same.
 */
final class ParquetFileBuilder implements AutoCloseable {
    private static final long ROW_GROUP_BYTES = 32L << 20;
    private static final int SLICE_ROWS = 1024;

    private final Disk.Output output;
    private final MessageType message;
    private final TableSchema schema;
    private final ParquetFileWriter file;
    private final Zstd zstd;
    private final ParquetProperties properties = ParquetProperties.builder().build();
    private RowGroup group;
    private long rows;

    ParquetFileBuilder(Disk.Output output, TableSchema schema) throws IOException {
        this.output = output;
        this.schema = schema;
        this.message = ParquetTypes.message(schema);
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
        this.zstd = new Zstd();
        this.group = new RowGroup();
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
        group = new RowGroup();
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
    }

    private final class RowGroup {
        private final ColumnChunkPageWriteStore pages =
                new ColumnChunkPageWriteStore(
                        zstd,
                        message,
                        properties.getAllocator(),
                        properties.getColumnIndexTruncateLength(),
                        properties.getPageWriteChecksumEnabled());
        private final ColumnWriteStore columns =
                properties.newColumnWriteStore(message, pages, pages);
        private final List<ColumnEncoder> encoders = new ArrayList<>();
        private long count;

        RowGroup() {
            for (var column : schema.columns()) {
                encoders.add(
                        ColumnEncoder.of(
                                column,
                                path ->
                                        columns.getColumnWriter(
                                                message.getColumnDescription(path))));
            }
        }

        void write(int from, int to) {
            for (var encoder : encoders) {
                encoder.writeRows(from, to);
            }
            for (int row = from; row < to; row++) {
                columns.endRecord();
            }
            count += to - from;
        }

        long bytes() {
            return columns.getBufferedSize();
        }

        void flush() throws IOException {
            if (count > 0) {
                file.startBlock(count);
                columns.flush();
                pages.flushToFileWriter(file);
                file.endBlock();
            }
            columns.close();
            pages.close();
        }
    }

    private static final class Zstd implements BytesInputCompressor {
        private final ZstdCompressCtx context = new ZstdCompressCtx();

        @Override
        public BytesInput compress(BytesInput bytes) throws IOException {
            var source = new ByteArrayOutputStream(Math.toIntExact(bytes.size()));
            bytes.writeAllTo(source);
            return BytesInput.from(context.compress(source.toByteArray()));
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
