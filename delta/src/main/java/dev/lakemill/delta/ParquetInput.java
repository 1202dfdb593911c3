package dev.lakemill.delta;

import dev.lakemill.delta.DataFile.Positions;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.VersionParser;
import org.apache.parquet.VersionParser.ParsedVersion;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReaderImpl;
import org.apache.parquet.column.statistics.LongStatistics;
import org.apache.parquet.format.Util;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ColumnPath;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.internal.column.columnindex.ColumnIndex;
import org.apache.parquet.internal.column.columnindex.OffsetIndex;
import org.apache.parquet.internal.hadoop.metadata.IndexReference;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.SeekableInputStream;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.MessageType;
import org.jspecify.annotations.Nullable;

/** An open Parquet file: its footer, and the columns of its row groups. One thread uses it. */
final class ParquetInput implements AutoCloseable {
    private static final int TAIL_BYTES = 8;
    private static final ColumnPath POSITION = ColumnPath.get(TableContext.POSITION);
    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);

    private final Path path;
    private final FileChannel channel;
    private final ParquetMetadata footer;
    private final @Nullable ParsedVersion writer;

    private ParquetInput(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        this.footer = readFooter();
        this.writer = version(footer.getFileMetaData().getCreatedBy());
    }

    /** Opens a file and reads its footer; DATA_LOSS when it is gone or damaged. */
    static ParquetInput open(Path path) {
        try {
            return openOrThrow(path);
        } catch (NoSuchFileException e) {
            throw new LakemillException(
                    ErrorCode.DATA_LOSS,
                    "data file %s is gone".formatted(path),
                    "a vacuum with a shorter retention, or somebody by hand, deleted it;"
                            + " read a newer version or restore the file",
                    e);
        } catch (IOException e) {
            throw Failures.reading(path, e);
        }
    }

    private static ParquetInput openOrThrow(Path path) throws IOException {
        var channel = FileChannel.open(path);
        try {
            return new ParquetInput(path, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private ParquetMetadata readFooter() throws IOException {
        long size = channel.size();
        if (size < MAGIC.length + TAIL_BYTES) {
            throw damaged("it has only %d bytes".formatted(size));
        }
        var tail = read(size - TAIL_BYTES, TAIL_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int length = tail.getInt();
        if (!tail.equals(ByteBuffer.wrap(MAGIC))) {
            throw damaged("it does not end with PAR1");
        }
        if (length <= 0 || length > size - TAIL_BYTES - MAGIC.length) {
            throw damaged("its footer claims %d bytes".formatted(length));
        }
        var bytes = read(size - TAIL_BYTES - length, length).array();
        return new ParquetMetadataConverter()
                .readParquetMetadata(
                        new ByteArrayInputStream(bytes), ParquetMetadataConverter.NO_FILTER);
    }

    private static @Nullable ParsedVersion version(@Nullable String createdBy) {
        try {
            return createdBy == null ? null : VersionParser.parse(createdBy);
        } catch (VersionParser.VersionParseException e) {
            return null;
        }
    }

    MessageType schema() {
        return footer.getFileMetaData().getSchema();
    }

    List<BlockMetaData> rowGroups() {
        return footer.getBlocks();
    }

    /** The positions of the first and last row, from the statistics; empty without the column. */
    Optional<Positions> positions() {
        return positions(rowGroups());
    }

    static Optional<Positions> positions(List<BlockMetaData> groups) {
        var statistics = FileStatistics.merge(groups).get(POSITION);
        return statistics instanceof LongStatistics longs && longs.hasNonNullValue()
                ? Optional.of(new Positions(longs.getMin(), longs.getMax()))
                : Optional.empty();
    }

    /**
     * Decoders of the columns, at the start of a row group.
     *
     * @param partition see {@link DataFile}
     */
    List<ColumnDecoder> decoders(
            BlockMetaData rowGroup, TableSchema columns, Map<String, @Nullable String> partition) {
        var decoders = new ColumnDecoders(schema(), column -> reader(rowGroup, column));
        return columns.columns().stream()
                .map(
                        (Column c) ->
                                partition.containsKey(c.name()) && !schema().containsField(c.name())
                                        ? new ColumnDecoder.Constant(partition.get(c.name()))
                                        : decoders.of(c))
                .toList();
    }

    private ColumnReader reader(BlockMetaData rowGroup, ColumnDescriptor column) {
        var pages = new ColumnPages(this, chunk(rowGroup, column));
        return new ColumnReaderImpl(column, pages, NO_CONVERTER, writer);
    }

    private ColumnChunkMetaData chunk(BlockMetaData rowGroup, ColumnDescriptor column) {
        var path = ColumnPath.get(column.getPath());
        return rowGroup.getColumns().stream()
                .filter(chunk -> chunk.getPath().equals(path))
                .findFirst()
                .orElseThrow(() -> damaged("a row group lacks column " + path));
    }

    /** The bounds of the pages of a column in a row group; null where the file has none. */
    @Nullable ColumnIndex columnIndex(ColumnChunkMetaData chunk) throws IOException {
        var place = chunk.getColumnIndexReference();
        return place == null
                ? null
                : ParquetMetadataConverter.fromParquetColumnIndex(
                        chunk.getPrimitiveType(), Util.readColumnIndex(stream(place)));
    }

    /** Where those pages stand; null where the file does not say. */
    @Nullable OffsetIndex offsetIndex(ColumnChunkMetaData chunk) throws IOException {
        var place = chunk.getOffsetIndexReference();
        return place == null
                ? null
                : ParquetMetadataConverter.fromParquetOffsetIndex(
                        Util.readOffsetIndex(stream(place)));
    }

    private InputStream stream(IndexReference place) throws IOException {
        return new ByteArrayInputStream(read(place.getOffset(), place.getLength()).array());
    }

    /** The whole file, for Parquet to copy from; open as long as this is. */
    SeekableInputStream stream() {
        return new DelegatingSeekableInputStream(Channels.newInputStream(channel)) {
            @Override
            public long getPos() throws IOException {
                return channel.position();
            }

            @Override
            public void seek(long position) throws IOException {
                channel.position(position);
            }
        };
    }

    Path path() {
        return path;
    }

    /** Reads exactly so many bytes. */
    ByteBuffer read(long position, int length) throws IOException {
        var bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, position + bytes.position()) < 0) {
                throw new EOFException("%s ends at %d".formatted(path, channel.size()));
            }
        }
        return bytes.flip();
    }

    LakemillException damaged(String why) {
        return new LakemillException(
                ErrorCode.DATA_LOSS,
                "Parquet file %s is damaged: %s".formatted(path, why),
                "restore the file from a backup, or go back to a version without it");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw Failures.reading(path, e);
        }
    }

    /** We read values from the column readers ourselves. */
    private static final PrimitiveConverter NO_CONVERTER = new PrimitiveConverter() {};
}
