package dev.lakemill.delta;

import dev.lakemill.types.Column;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.page.PageWriter;
import org.apache.parquet.column.statistics.DoubleStatistics;
import org.apache.parquet.column.statistics.FloatStatistics;
import org.apache.parquet.column.statistics.IntStatistics;
import org.apache.parquet.column.statistics.LongStatistics;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.schema.PrimitiveType;

/** Numbers of 4 or 8 bytes, which Arrow and Parquet's plain encoding hold alike. */
final class FlatNumbers extends FlatColumn {
    private final int width;
    private NumberDictionary dictionary = new NumberDictionary();

    @SuppressWarnings("NullAway.Init") // bind comes before any write
    private ArrowBuf data;

    /** The bits of the page's values; those of 4 bytes with their sign. */
    private long[] values = new long[64];

    /** The page or the dictionary, encoded plainly. */
    private byte[] plain = new byte[0];

    FlatNumbers(Column column, PrimitiveType type, PageWriter pages, PageMemory memory, int width) {
        super(column, type, pages, memory);
        this.width = width;
    }

    @Override
    public void bind(ValueVector next) {
        super.bind(next);
        data = ((BaseFixedWidthVector) next).getDataBuffer();
    }

    @Override
    int take(int from, int to, int bytesMax) {
        int first = count();
        int taken = to - from;
        if (values.length < first + taken) {
            values = Arrays.copyOf(values, Math.max(first + taken, values.length * 2));
        }
        var bytes =
                data.nioBuffer((long) from * width, taken * width).order(ByteOrder.LITTLE_ENDIAN);
        if (width == Long.BYTES) {
            bytes.asLongBuffer().get(values, first, taken);
        } else {
            for (int i = 0; i < taken; i++) {
                values[first + i] = bytes.getInt();
            }
        }
        if (usesDictionary()) {
            dictionary.ids(values, first, first + taken, ids());
        }
        return taken;
    }

    @Override
    int plainBytes() {
        return count() * width;
    }

    @Override
    void dropIds() {
        // The values are there all the same.
    }

    @Override
    void dropDictionary() {
        dictionary = new NumberDictionary();
    }

    @Override
    BytesInput plain() {
        return plain(values, count());
    }

    private BytesInput plain(long[] numbers, int size) {
        if (plain.length < size * width) {
            plain = new byte[size * width];
        }
        var bytes = ByteBuffer.wrap(plain).order(ByteOrder.LITTLE_ENDIAN);
        if (width == Long.BYTES) {
            bytes.asLongBuffer().put(numbers, 0, size);
        } else {
            for (int i = 0; i < size; i++) {
                bytes.putInt((int) numbers[i]);
            }
        }
        return BytesInput.from(plain, 0, size * width);
    }

    @Override
    int dictionarySize() {
        return dictionary.size();
    }

    @Override
    int dictionaryBytes() {
        return dictionary.size() * width;
    }

    @Override
    BytesInput dictionary(int size) {
        return plain(dictionary.values(), size);
    }

    @Override
    void bounds(Statistics<?> statistics) {
        switch (statistics) {
            case LongStatistics longs -> {
                longs.updateStats(min());
                longs.updateStats(max());
            }
            case IntStatistics ints -> {
                ints.updateStats((int) min());
                ints.updateStats((int) max());
            }
            case DoubleStatistics doubles -> {
                for (int i = 0; i < count(); i++) {
                    doubles.updateStats(Double.longBitsToDouble(values[i]));
                }
            }
            case FloatStatistics floats -> {
                for (int i = 0; i < count(); i++) {
                    floats.updateStats(Float.intBitsToFloat((int) values[i]));
                }
            }
            default -> throw new IllegalStateException("no statistics of numbers: " + statistics);
        }
    }

    private long min() {
        long min = values[0];
        for (int i = 1; i < count(); i++) {
            min = Math.min(min, values[i]);
        }
        return min;
    }

    private long max() {
        long max = values[0];
        for (int i = 1; i < count(); i++) {
            max = Math.max(max, values[i]);
        }
        return max;
    }

    @Override
    void clearPage() {
        // The next ones overwrite them.
    }
}
