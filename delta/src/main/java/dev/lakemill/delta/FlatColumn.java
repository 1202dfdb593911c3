package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageWriter;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.column.values.rle.RunLengthBitPackingHybridEncoder;
import org.apache.parquet.schema.PrimitiveType;
import org.jspecify.annotations.Nullable;

/**
 * Encodes the pages of a top-level column without parts, many rows at a time. Parquet's own column
 * writers take a value at a time and ask for each whether its dictionary still pays, which took
 * more of a commit than all else together; they are left for what has parts.
 *
 * <p>Pages are of version 1, by the same limits and choices as there: a page ends at {@value
 * #PAGE_ROWS_MAX} rows or {@value #PAGE_BYTES_MAX} bytes, and values are numbers of a dictionary
 * until it is larger than {@value #DICTIONARY_BYTES_MAX} bytes, or the first page would be no
 * smaller by it. Format: <a
 * href="https://github.com/apache/parquet-format/blob/master/Encodings.md">Parquet encodings</a>.
 */
abstract sealed class FlatColumn implements RowsEncoder permits FlatNumbers, FlatTexts {
    private static final int PAGE_ROWS_MAX = 20_000;
    private static final int PAGE_BYTES_MAX = 1 << 20;
    private static final int DICTIONARY_BYTES_MAX = 1 << 20;
    private static final int SLAB_BYTES = 1 << 10;

    private final Column column;
    private final PrimitiveType type;
    private final PageWriter pages;
    private final PageMemory memory;

    @SuppressWarnings("NullAway.Init") // bind comes before any write
    private ValueVector vector;

    /** Of the page. */
    private int rows;

    private int nulls;

    /** Whether each row has a value; null while each has. */
    private @Nullable RunLengthBitPackingHybridEncoder levels;

    /** The values' numbers in the dictionary, as long as it is used. */
    private int[] ids = new int[64];

    private int count;
    private boolean usesDictionary = true;

    /** What is in the dictionary of pages that were written. */
    private int dictionaryUsed;

    private boolean isFirstPage = true;

    FlatColumn(Column column, PrimitiveType type, PageWriter pages, PageMemory memory) {
        this.column = column;
        this.type = type;
        this.pages = pages;
        this.memory = memory;
    }

    /** Null for a column of a type that is left to Parquet's own writers. */
    static @Nullable FlatColumn of(
            Column column, ColumnDescriptor parquet, PageWriter pages, PageMemory memory) {
        if (!(column.type() instanceof DataType.Primitive type)) {
            return null;
        }
        var parquetType = parquet.getPrimitiveType();
        return switch (type) {
            case LONG, TIMESTAMP, TIMESTAMP_NTZ, DOUBLE ->
                    new FlatNumbers(column, parquetType, pages, memory, Long.BYTES);
            case INTEGER, DATE, FLOAT ->
                    new FlatNumbers(column, parquetType, pages, memory, Integer.BYTES);
            case STRING, BINARY -> new FlatTexts(column, parquetType, pages, memory);
            case BOOLEAN, BYTE, SHORT -> null;
        };
    }

    /** How many values the page has. */
    final int count() {
        return count;
    }

    /** By value of the page, as long as the dictionary is used. */
    final int[] ids() {
        return ids;
    }

    final boolean usesDictionary() {
        return usesDictionary;
    }

    @Override
    public void bind(ValueVector next) {
        vector = next;
    }

    @Override
    public final void writeRows(int from, int to) throws IOException {
        var hasNulls = vector.getNullCount() > 0;
        for (int row = from; row < to; ) {
            int limit = Math.min(to, row + PAGE_ROWS_MAX - rows);
            var present = !hasNulls || !vector.isNull(row);
            int end = hasNulls ? row + 1 : limit;
            while (end < limit && vector.isNull(end) != present) {
                end++;
            }
            if (present) {
                end = row + takeAll(row, end);
            } else if (!column.nullable()) {
                throw ColumnEncoder.nullIn(column.name());
            }
            level(present, end - row);
            row = end;
            if (rows == PAGE_ROWS_MAX || plainBytes() >= PAGE_BYTES_MAX) {
                endPage();
            }
        }
    }

    private int takeAll(int from, int to) {
        if (ids.length < count + to - from) {
            ids = Arrays.copyOf(ids, Math.max(count + to - from, ids.length * 2));
        }
        int taken = take(from, to, PAGE_BYTES_MAX);
        count += taken;
        if (usesDictionary && dictionaryBytes() > DICTIONARY_BYTES_MAX) {
            giveUpDictionary();
        }
        return taken;
    }

    private void giveUpDictionary() {
        usesDictionary = false;
        dropIds();
        if (dictionaryUsed == 0) {
            dropDictionary();
        }
    }

    private void level(boolean present, int times) throws IOException {
        if (!present && levels == null) {
            levels = new RunLengthBitPackingHybridEncoder(1, SLAB_BYTES, PAGE_BYTES_MAX, memory);
            write(levels, true, rows);
        }
        if (levels != null) {
            write(levels, present, times);
        }
        rows += times;
        nulls += present ? 0 : times;
    }

    private static void write(RunLengthBitPackingHybridEncoder levels, boolean present, int times)
            throws IOException {
        for (int i = 0; i < times; i++) {
            levels.writeInt(present ? 1 : 0);
        }
    }

    /**
     * Takes values into the page: their ids behind those of the page, and what is needed to encode
     * them plainly. None of them is null.
     *
     * @param bytesMax it may stop behind a value with which the page has as many, plainly
     * @return how many were taken, at least one
     */
    abstract int take(int from, int to, int bytesMax);

    /** Bytes of the page's values when encoded plainly. */
    abstract int plainBytes();

    /** Puts what {@link #ids} stands for in its place; the dictionary stays for earlier pages. */
    abstract void dropIds();

    abstract void dropDictionary();

    /** The page's values, encoded plainly. */
    abstract BytesInput plain();

    abstract int dictionarySize();

    abstract int dictionaryBytes();

    /** The first values of the dictionary, encoded plainly. */
    abstract BytesInput dictionary(int size);

    /** Notes the smallest and largest value of the page, which has some. */
    abstract void bounds(Statistics<?> statistics);

    /** Forgets the page's values. */
    abstract void clearPage();

    /** About what it holds. */
    @Override
    public final long bytes() {
        return pages.getMemSize() + plainBytes();
    }

    @Override
    public final void flush() throws IOException {
        if (rows > 0) {
            endPage();
        }
        if (dictionaryUsed > 0) {
            pages.writeDictionaryPage(
                    new DictionaryPage(dictionary(dictionaryUsed), dictionaryUsed, Encoding.PLAIN));
        }
    }

    private void endPage() throws IOException {
        var statistics = Statistics.createStats(type);
        statistics.incrementNumNulls(nulls);
        if (count > 0) {
            bounds(statistics);
        }
        var encoders = new ArrayList<RunLengthBitPackingHybridEncoder>();
        try {
            var numbered = usesDictionary && count > 0 ? numbered(encoders) : null;
            pages.writePage(
                    BytesInput.concat(levels(), numbered == null ? plain() : numbered),
                    rows,
                    rows,
                    statistics,
                    null,
                    null,
                    Encoding.RLE,
                    Encoding.RLE,
                    numbered == null ? Encoding.PLAIN : Encoding.RLE_DICTIONARY);
        } finally {
            encoders.forEach(RunLengthBitPackingHybridEncoder::close);
            if (levels != null) {
                levels.close();
            }
        }
        levels = null;
        rows = 0;
        nulls = 0;
        count = 0;
        clearPage();
    }

    /** The values as numbers of the dictionary; null when that does not pay. */
    private @Nullable BytesInput numbered(List<RunLengthBitPackingHybridEncoder> encoders)
            throws IOException {
        int width = BytesUtils.getWidthFromMaxInt(dictionarySize() - 1);
        var encoder =
                new RunLengthBitPackingHybridEncoder(width, SLAB_BYTES, PAGE_BYTES_MAX, memory);
        encoders.add(encoder);
        for (int i = 0; i < count; i++) {
            encoder.writeInt(ids[i]);
        }
        var bytes =
                BytesInput.concat(BytesInput.from(new byte[] {(byte) width}), encoder.toBytes());
        if (isFirstPage && bytes.size() + dictionaryBytes() >= plainBytes()) {
            giveUpDictionary();
            return null;
        }
        isFirstPage = false;
        dictionaryUsed = dictionarySize();
        return bytes;
    }

    /** Of a column without nulls none, of a page without one run. */
    private BytesInput levels() throws IOException {
        if (!column.nullable()) {
            return BytesInput.empty();
        }
        var bytes =
                levels != null
                        ? levels.toBytes()
                        : BytesInput.concat(
                                BytesInput.fromUnsignedVarInt(rows << 1),
                                BytesInput.from(new byte[] {1}));
        return BytesInput.concat(BytesInput.fromInt(Math.toIntExact(bytes.size())), bytes);
    }
}
