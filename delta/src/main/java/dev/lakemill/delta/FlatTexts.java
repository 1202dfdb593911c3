package dev.lakemill.delta;

import dev.lakemill.types.Column;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.page.PageWriter;
import org.apache.parquet.column.statistics.BinaryStatistics;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.PrimitiveType;

/** Texts and bytes. */
final class FlatTexts extends FlatColumn {
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private BytesDictionary dictionary = new BytesDictionary();
    private final Bound min = new Bound(-1);
    private final Bound max = new Bound(1);

    @SuppressWarnings("NullAway.Init") // bind comes before any write
    private BaseVariableWidthVector vector;

    /** What is taken from the vector. */
    private byte[] taken = new byte[1024];

    /** The page's values, each behind its length, once there is no dictionary. */
    private byte[] plain = new byte[0];

    private int plainBytes;

    FlatTexts(Column column, PrimitiveType type, PageWriter pages, PageMemory memory) {
        super(column, type, pages, memory);
    }

    @Override
    public void bind(ValueVector next) {
        super.bind(next);
        vector = (BaseVariableWidthVector) next;
    }

    @Override
    int take(int from, int to, int bytesMax) {
        int start = vector.getStartOffset(from);
        int row = from;
        do {
            row++;
        } while (row < to
                && plainBytes + (row - from) * Integer.BYTES + vector.getStartOffset(row) - start
                        < bytesMax);
        int bytes = vector.getEndOffset(row - 1) - start;
        if (taken.length < bytes) {
            taken = new byte[Math.max(bytes, Math.min(taken.length * 2, bytesMax))];
        }
        vector.getDataBuffer().getBytes(start, taken, 0, bytes);
        int end = 0;
        for (int i = from; i < row; i++) {
            int begin = end;
            end = vector.getEndOffset(i) - start;
            takeOne(i - from, begin, end);
        }
        return row - from;
    }

    private void takeOne(int index, int begin, int end) {
        min.offer(taken, begin, end);
        max.offer(taken, begin, end);
        if (usesDictionary()) {
            ids()[count() + index] = dictionary.id(taken, begin, end);
            plainBytes += Integer.BYTES + end - begin;
        } else {
            append(taken, begin, end);
        }
    }

    private void append(byte[] bytes, int from, int to) {
        int size = plainBytes + Integer.BYTES + to - from;
        if (plain.length < size) {
            plain = Arrays.copyOf(plain, Math.max(size, plain.length * 2));
        }
        INT.set(plain, plainBytes, to - from);
        System.arraycopy(bytes, from, plain, plainBytes + Integer.BYTES, to - from);
        plainBytes = size;
    }

    @Override
    int plainBytes() {
        return plainBytes;
    }

    @Override
    void dropIds() {
        plainBytes = 0;
        for (int i = 0; i < count(); i++) {
            int id = ids()[i];
            append(dictionary.content(), dictionary.start(id), dictionary.end(id));
        }
    }

    @Override
    void dropDictionary() {
        dictionary = new BytesDictionary();
    }

    @Override
    BytesInput plain() {
        return BytesInput.from(plain, 0, plainBytes);
    }

    @Override
    int dictionarySize() {
        return dictionary.size();
    }

    @Override
    int dictionaryBytes() {
        int size = dictionary.size();
        return size == 0 ? 0 : size * Integer.BYTES + dictionary.end(size - 1);
    }

    @Override
    BytesInput dictionary(int size) {
        plainBytes = 0;
        for (int id = 0; id < size; id++) {
            append(dictionary.content(), dictionary.start(id), dictionary.end(id));
        }
        return BytesInput.from(plain, 0, plainBytes);
    }

    @Override
    void bounds(Statistics<?> statistics) {
        ((BinaryStatistics) statistics).updateStats(min.value());
        ((BinaryStatistics) statistics).updateStats(max.value());
    }

    @Override
    void clearPage() {
        plainBytes = 0;
        min.clear();
        max.clear();
    }

    /** The smallest or largest value of a page, as unsigned bytes. */
    private static final class Bound {
        private static final VarHandle BIG_LONG =
                MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

        private final int sign;
        private byte[] bytes = new byte[64];
        private int length = -1;

        /** The first bytes of the value; mostly they decide. */
        private long prefix;

        /**
         * @param sign of the comparison of a new bound with the one before
         */
        Bound(int sign) {
            this.sign = sign;
        }

        void offer(byte[] value, int from, int to) {
            long begin = prefix(value, from, to);
            int compared = Long.compareUnsigned(begin, prefix);
            if (length >= 0 && compared == 0) {
                compared = Arrays.compareUnsigned(value, from, to, bytes, 0, length);
            }
            if (length < 0 || compared * sign > 0) {
                set(value, from, to, begin);
            }
        }

        private void set(byte[] value, int from, int to, long begin) {
            length = to - from;
            if (bytes.length < length) {
                bytes = new byte[length];
            }
            System.arraycopy(value, from, bytes, 0, length);
            prefix = begin;
        }

        private static long prefix(byte[] value, int from, int to) {
            if (to - from >= Long.BYTES) {
                return (long) BIG_LONG.get(value, from);
            }
            long prefix = 0;
            for (int i = 0; i < Long.BYTES; i++) {
                prefix = (prefix << 8) | (from + i < to ? value[from + i] & 0xFF : 0);
            }
            return prefix;
        }

        Binary value() {
            return Binary.fromReusedByteArray(bytes, 0, length);
        }

        void clear() {
            length = -1;
        }
    }
}
