package dev.lakemill.delta;

import com.github.luben.zstd.Zstd;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.jspecify.annotations.Nullable;
import org.xerial.snappy.Snappy;

/**
 * The pages of one column chunk, read from the file one at a time, checked against their CRC where
 * they have one, and decompressed. Memory is one page.
 */
final class ColumnPages implements PageReader {
    private static final int READ_BYTES = 64 << 10;

    private final ParquetInput file;
    private final ColumnChunkMetaData chunk;
    private final CompressionCodecName codec;
    private final ChunkStream stream;
    private @Nullable PageHeader pending;
    private long valuesLeft;

    ColumnPages(ParquetInput file, ColumnChunkMetaData chunk) {
        this.file = file;
        this.chunk = chunk;
        this.codec = chunk.getCodec();
        this.stream = new ChunkStream(chunk.getStartingPos(), chunk.getTotalSize());
        this.valuesLeft = chunk.getValueCount();
    }

    @Override
    public long getTotalValueCount() {
        return chunk.getValueCount();
    }

    @Override
    public @Nullable DictionaryPage readDictionaryPage() {
        try {
            var header = nextHeader();
            if (header.getType() != PageType.DICTIONARY_PAGE) {
                pending = header;
                return null;
            }
            var dictionary = header.getDictionary_page_header();
            var bytes = decompress(body(header), header.getUncompressed_page_size());
            return new DictionaryPage(
                    BytesInput.from(bytes),
                    dictionary.getNum_values(),
                    encoding(dictionary.getEncoding()));
        } catch (IOException e) {
            throw Failures.reading(file.path(), e);
        }
    }

    @Override
    public @Nullable DataPage readPage() {
        if (valuesLeft <= 0) {
            return null;
        }
        try {
            var header = nextHeader();
            while (header.getType() == PageType.INDEX_PAGE) {
                body(header);
                header = nextHeader();
            }
            var page = page(header);
            valuesLeft -= page.getValueCount();
            return page;
        } catch (IOException e) {
            throw Failures.reading(file.path(), e);
        }
    }

    private PageHeader nextHeader() throws IOException {
        var header = pending;
        pending = null;
        return header != null ? header : Util.readPageHeader(stream);
    }

    private DataPage page(PageHeader header) throws IOException {
        return switch (header.getType()) {
            case DATA_PAGE -> version1(header);
            case DATA_PAGE_V2 -> version2(header);
            case DICTIONARY_PAGE, INDEX_PAGE ->
                    throw file.damaged("a %s follows data pages".formatted(header.getType()));
        };
    }

    private DataPage version1(PageHeader header) throws IOException {
        var data = header.getData_page_header();
        var bytes = decompress(body(header), header.getUncompressed_page_size());
        return new DataPageV1(
                BytesInput.from(bytes),
                data.getNum_values(),
                header.getUncompressed_page_size(),
                null,
                encoding(data.getRepetition_level_encoding()),
                encoding(data.getDefinition_level_encoding()),
                encoding(data.getEncoding()));
    }

    /** In version 2 the levels stand first, uncompressed. */
    private DataPage version2(PageHeader header) throws IOException {
        var data = header.getData_page_header_v2();
        int repetition = data.getRepetition_levels_byte_length();
        int definition = data.getDefinition_levels_byte_length();
        int levels = repetition + definition;
        var body = body(header);
        var values = new byte[body.length - levels];
        System.arraycopy(body, levels, values, 0, values.length);
        var compressed = !data.isSetIs_compressed() || data.isIs_compressed();
        int size = header.getUncompressed_page_size() - levels;
        return DataPageV2.uncompressed(
                data.getNum_rows(),
                data.getNum_nulls(),
                data.getNum_values(),
                BytesInput.from(body, 0, repetition),
                BytesInput.from(body, repetition, definition),
                encoding(data.getEncoding()),
                BytesInput.from(compressed && size > 0 ? decompress(values, size) : values),
                null);
    }

    private static Encoding encoding(org.apache.parquet.format.Encoding encoding) {
        return Encoding.valueOf(encoding.name());
    }

    private byte[] body(PageHeader header) throws IOException {
        var bytes = stream.readNBytes(header.getCompressed_page_size());
        if (bytes.length < header.getCompressed_page_size()) {
            throw file.damaged("a page of %s is cut off".formatted(chunk.getPath()));
        }
        if (header.isSetCrc()) {
            var crc = new CRC32();
            crc.update(bytes);
            if ((int) crc.getValue() != header.getCrc()) {
                throw file.damaged("a page of %s fails its CRC".formatted(chunk.getPath()));
            }
        }
        return bytes;
    }

    private byte[] decompress(byte[] bytes, int size) throws IOException {
        return switch (codec) {
            case UNCOMPRESSED -> bytes;
            case ZSTD -> Zstd.decompress(bytes, size);
            case SNAPPY -> Snappy.uncompress(bytes);
            case GZIP -> {
                try (var gzip = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
                    yield gzip.readNBytes(size);
                }
            }
            case LZO, BROTLI, LZ4, LZ4_RAW ->
                    throw new LakemillException(
                            ErrorCode.UNIMPLEMENTED,
                            "Parquet file %s is compressed with %s".formatted(file.path(), codec),
                            "rewrite the file with zstd or snappy");
        };
    }

    /** The bytes of the chunk, read ahead a little. */
    private final class ChunkStream extends InputStream {
        private final long end;
        private long position;
        private byte[] buffer = new byte[0];
        private int used;

        ChunkStream(long start, long length) {
            this.position = start;
            this.end = start + length;
        }

        @Override
        public int read() throws IOException {
            return fill() ? buffer[used++] & 0xff : -1;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, buffer.length - used);
            System.arraycopy(buffer, used, bytes, offset, count);
            used += count;
            return count;
        }

        private boolean fill() throws IOException {
            if (used == buffer.length) {
                int length = (int) Math.min(READ_BYTES, end - position);
                buffer = length == 0 ? buffer : file.read(position, length).array();
                used = length == 0 ? buffer.length : 0;
                position += length;
            }
            return used < buffer.length;
        }
    }
}
