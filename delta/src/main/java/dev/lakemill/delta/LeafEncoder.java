package dev.lakemill.delta;

import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.math.BigDecimal;
import java.util.Arrays;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.column.ColumnWriter;
import org.apache.parquet.io.api.Binary;

/** Writes the values of a type without parts. */
final class LeafEncoder<V extends ValueVector> extends ColumnEncoder {
    /** Hands the value at {@code index} to the writer. */
    @FunctionalInterface
    private interface Value<V> {
        void write(V vector, int index, int repetition, int definition);
    }

    private static final long[] POWERS_OF_TEN = powersOfTen();

    private final ColumnWriter writer;
    private final Class<V> vectorType;
    private final Value<V> value;
    private final int present;

    @SuppressWarnings("NullAway.Init") // bind comes before any write
    private V vector;

    private boolean hasNulls;

    private LeafEncoder(Node node, ColumnWriter writer, Class<V> vectorType, Value<V> value) {
        super(node.path(), node.nullable());
        this.writer = writer;
        this.vectorType = vectorType;
        this.value = value;
        this.present = node.inside();
    }

    static LeafEncoder<?> of(Node node, DataType type, ColumnWriter writer) {
        return switch (type) {
            case DataType.Primitive primitive -> of(node, primitive, writer);
            case DataType.Decimal decimal -> decimal(node, decimal, writer);
            case DataType.Array _, DataType.Map _, DataType.Struct _ ->
                    throw new IllegalArgumentException("has parts: " + type);
        };
    }

    private static LeafEncoder<?> of(Node node, DataType.Primitive type, ColumnWriter w) {
        return switch (type) {
            case BOOLEAN ->
                    leaf(node, w, BitVector.class, (v, i, r, d) -> w.write(v.get(i) != 0, r, d));
            case BYTE ->
                    leaf(
                            node,
                            w,
                            TinyIntVector.class,
                            (v, i, r, d) -> w.write((int) v.get(i), r, d));
            case SHORT ->
                    leaf(
                            node,
                            w,
                            SmallIntVector.class,
                            (v, i, r, d) -> w.write((int) v.get(i), r, d));
            case INTEGER -> leaf(node, w, IntVector.class, (v, i, r, d) -> w.write(v.get(i), r, d));
            case LONG -> leaf(node, w, BigIntVector.class, (v, i, r, d) -> w.write(v.get(i), r, d));
            case FLOAT ->
                    leaf(node, w, Float4Vector.class, (v, i, r, d) -> w.write(v.get(i), r, d));
            case DOUBLE ->
                    leaf(node, w, Float8Vector.class, (v, i, r, d) -> w.write(v.get(i), r, d));
            case DATE ->
                    leaf(node, w, DateDayVector.class, (v, i, r, d) -> w.write(v.get(i), r, d));
            case TIMESTAMP, TIMESTAMP_NTZ ->
                    leaf(node, w, TimeStampVector.class, (v, i, r, d) -> w.write(v.get(i), r, d));
            case STRING, BINARY -> {
                var bytes = new Bytes();
                yield leaf(
                        node,
                        w,
                        BaseVariableWidthVector.class,
                        (v, i, r, d) -> w.write(bytes.get(v, i), r, d));
            }
        };
    }

    private static LeafEncoder<?> decimal(Node node, DataType.Decimal type, ColumnWriter w) {
        var digits = new Digits(node.path(), type);
        if (type.precision() <= 9) {
            return leaf(
                    node,
                    w,
                    DecimalVector.class,
                    (v, i, r, d) -> w.write((int) digits.narrow(v, i), r, d));
        }
        if (type.precision() <= 18) {
            return leaf(
                    node,
                    w,
                    DecimalVector.class,
                    (v, i, r, d) -> w.write(digits.narrow(v, i), r, d));
        }
        var bytes = new byte[ParquetTypes.decimalBytes(type.precision())];
        return leaf(
                node,
                w,
                DecimalVector.class,
                (v, i, r, d) -> w.write(digits.wide(v, i, bytes), r, d));
    }

    private static <V extends ValueVector> LeafEncoder<V> leaf(
            Node node, ColumnWriter writer, Class<V> vectorType, Value<V> value) {
        return new LeafEncoder<>(node, writer, vectorType, value);
    }

    private static long[] powersOfTen() {
        var powers = new long[19];
        powers[0] = 1;
        for (int i = 1; i < powers.length; i++) {
            powers[i] = powers[i - 1] * 10;
        }
        return powers;
    }

    @Override
    public void bind(ValueVector next) {
        vector = vectorType.cast(next);
        hasNulls = next.getNullCount() > 0;
    }

    @Override
    void write(int index, int repetition, int definition) {
        if (hasNulls && vector.isNull(index)) {
            writeNull(repetition, definition);
        } else {
            value.write(vector, index, repetition, present);
        }
    }

    @Override
    void writeAbsent(int repetition, int definition) {
        writer.writeNull(repetition, definition);
    }

    /** Unscaled values of decimals, which have no more digits than their type. */
    private record Digits(String path, DataType.Decimal type) {
        /** Of a type that fits 64 bits. Arrow keeps 128, little-endian. */
        long narrow(DecimalVector vector, int index) {
            long at = (long) index * DecimalVector.TYPE_WIDTH;
            long low = vector.getDataBuffer().getLong(at);
            long high = vector.getDataBuffer().getLong(at + Long.BYTES);
            long bound = POWERS_OF_TEN[type.precision()];
            if (high != low >> 63 || low >= bound || low <= -bound) {
                throw tooLong(vector.getObjectNotNull(index));
            }
            return low;
        }

        /** As big-endian bytes of a fixed length. */
        Binary wide(DecimalVector vector, int index, byte[] bytes) {
            var value = vector.getObjectNotNull(index);
            if (value.precision() > type.precision()) {
                throw tooLong(value);
            }
            var unscaled = value.unscaledValue();
            byte[] big = unscaled.toByteArray();
            int lead = bytes.length - big.length;
            Arrays.fill(bytes, 0, lead, (byte) (unscaled.signum() < 0 ? -1 : 0));
            System.arraycopy(big, 0, bytes, lead, big.length);
            return Binary.fromReusedByteArray(bytes);
        }

        private LakemillException tooLong(BigDecimal value) {
            return new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "value %s of column '%s' does not fit %s".formatted(value, path, type.sql()),
                    "round the value, or widen the column");
        }
    }

    /**
     * Values as one reused array, which Parquet copies where it keeps one (a new word of the
     * dictionary, a new minimum or maximum).
     */
    private static final class Bytes {
        private byte[] bytes = new byte[256];

        Binary get(BaseVariableWidthVector vector, int index) {
            int start = vector.getStartOffset(index);
            int length = vector.getEndOffset(index) - start;
            if (length > bytes.length) {
                bytes = new byte[Math.max(length, bytes.length * 2)];
            }
            vector.getDataBuffer().getBytes(start, bytes, 0, length);
            return Binary.fromReusedByteArray(bytes, 0, length);
        }
    }
}
