package dev.lakemill.delta;

import io.delta.kernel.data.ArrayValue;
import io.delta.kernel.data.ColumnVector;
import io.delta.kernel.data.MapValue;
import io.delta.kernel.types.ArrayType;
import io.delta.kernel.types.DataType;
import io.delta.kernel.types.MapType;
import io.delta.kernel.types.StructType;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.jspecify.annotations.Nullable;

/**
 * A column for the kernel, copied from an Arrow vector to the heap: the kernel never closes the
 * batches that it reads, so they must not hold memory outside the heap.
 */
final class KernelVector implements ColumnVector {
    private final DataType type;
    private final @Nullable Object[] values;
    private final int offset;
    private final int size;
    private final List<KernelVector> children;

    private KernelVector(
            DataType type,
            @Nullable Object[] values,
            int offset,
            int size,
            List<KernelVector> children) {
        this.type = type;
        this.values = values;
        this.offset = offset;
        this.size = size;
        this.children = children;
    }

    static KernelVector copy(ValueVector vector, DataType type) {
        int size = vector.getValueCount();
        var values = new @Nullable Object[size];
        var children =
                switch (type) {
                    case StructType struct -> {
                        var fields = (StructVector) vector;
                        yield IntStream.range(0, struct.length())
                                .mapToObj(
                                        i ->
                                                copy(
                                                        fields.getChildByOrdinal(i),
                                                        struct.at(i).getDataType()))
                                .toList();
                    }
                    case ArrayType array ->
                            List.of(
                                    copy(
                                            ((ListVector) vector).getDataVector(),
                                            array.getElementType()));
                    case MapType map -> {
                        var entries = (StructVector) ((ListVector) vector).getDataVector();
                        yield List.of(
                                copy(entries.getChildByOrdinal(0), map.getKeyType()),
                                copy(entries.getChildByOrdinal(1), map.getValueType()));
                    }
                    default -> List.<KernelVector>of();
                };
        for (int i = 0; i < size; i++) {
            values[i] = vector.isNull(i) ? null : value(vector, i, children);
        }
        return new KernelVector(type, values, 0, size, children);
    }

    private static Object value(ValueVector vector, int index, List<KernelVector> children) {
        return switch (vector) {
            case StructVector _ -> children;
            case ListVector list -> {
                int start = list.getElementStartIndex(index);
                int length = list.getElementEndIndex(index) - start;
                yield children.stream().map(child -> child.view(start, length)).toList();
            }
            case BitVector bits -> bits.get(index) != 0;
            case VarCharVector text -> new String(text.get(index), StandardCharsets.UTF_8);
            case BaseVariableWidthVector bytes -> bytes.getObject(index);
            case DecimalVector decimal -> decimal.getObjectNotNull(index);
            default -> number(vector, index);
        };
    }

    private static Object number(ValueVector vector, int index) {
        return switch (vector) {
            case DateDayVector days -> days.get(index);
            case TimeStampVector micros -> micros.get(index);
            default -> vector.getObject(index);
        };
    }

    private KernelVector view(int start, int length) {
        return new KernelVector(type, values, offset + start, length, children);
    }

    private <T> T get(int row, Class<T> type) {
        return type.cast(values[offset + row]);
    }

    @Override
    public DataType getDataType() {
        return type;
    }

    @Override
    public int getSize() {
        return size;
    }

    @Override
    public boolean isNullAt(int row) {
        return values[offset + row] == null;
    }

    @Override
    public boolean getBoolean(int row) {
        return get(row, Boolean.class);
    }

    @Override
    public byte getByte(int row) {
        return get(row, Byte.class);
    }

    @Override
    public short getShort(int row) {
        return get(row, Short.class);
    }

    @Override
    public int getInt(int row) {
        return get(row, Integer.class);
    }

    @Override
    public long getLong(int row) {
        return get(row, Long.class);
    }

    @Override
    public float getFloat(int row) {
        return get(row, Float.class);
    }

    @Override
    public double getDouble(int row) {
        return get(row, Double.class);
    }

    @Override
    public String getString(int row) {
        return get(row, String.class);
    }

    @Override
    public byte[] getBinary(int row) {
        return get(row, byte[].class);
    }

    @Override
    public BigDecimal getDecimal(int row) {
        return get(row, BigDecimal.class);
    }

    @Override
    public ColumnVector getChild(int ordinal) {
        return offset == 0 && size == values.length
                ? children.get(ordinal)
                : children.get(ordinal).view(offset, size);
    }

    @Override
    public ArrayValue getArray(int row) {
        var elements = (KernelVector) get(row, List.class).get(0);
        return new ArrayValue() {
            @Override
            public int getSize() {
                return elements.getSize();
            }

            @Override
            public ColumnVector getElements() {
                return elements;
            }
        };
    }

    @Override
    public MapValue getMap(int row) {
        var entries = get(row, List.class);
        var keys = (KernelVector) entries.get(0);
        var mapped = (KernelVector) entries.get(1);
        return new MapValue() {
            @Override
            public int getSize() {
                return keys.getSize();
            }

            @Override
            public ColumnVector getKeys() {
                return keys;
            }

            @Override
            public ColumnVector getValues() {
                return mapped;
            }
        };
    }

    @Override
    public void close() {}
}
