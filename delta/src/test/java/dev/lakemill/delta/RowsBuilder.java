package dev.lakemill.delta;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BaseFixedWidthVector;
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
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.jspecify.annotations.Nullable;

/**
 * Rows from Java values and back: Boolean, Byte, Short, Integer (also days), Long (also
 * microseconds), Float, Double, BigDecimal, String, byte[] (back as a List of Byte, to be
 * comparable), List for arrays and structs, Map for maps.
 */
public final class RowsBuilder {
    private RowsBuilder() {}

    /** A batch of these rows, each a list of column values. */
    public static Rows rows(
            TableSchema schema, BufferAllocator allocator, List<? extends List<?>> rows) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < schema.size(); column++) {
                set(root.getVector(column), row, rows.get(row).get(column));
            }
        }
        root.setRowCount(rows.size());
        return new Rows(schema, root);
    }

    private static void set(ValueVector vector, int index, @Nullable Object value) {
        if (value == null) {
            setNull(vector, index);
            return;
        }
        switch (vector) {
            case BitVector v -> v.setSafe(index, (Boolean) value ? 1 : 0);
            case TinyIntVector v -> v.setSafe(index, (Byte) value);
            case SmallIntVector v -> v.setSafe(index, (Short) value);
            case IntVector v -> v.setSafe(index, (Integer) value);
            case BigIntVector v -> v.setSafe(index, (Long) value);
            case Float4Vector v -> v.setSafe(index, (Float) value);
            case Float8Vector v -> v.setSafe(index, (Double) value);
            case DateDayVector v -> v.setSafe(index, (Integer) value);
            case TimeStampVector v -> v.setSafe(index, (Long) value);
            case DecimalVector v -> v.setSafe(index, (BigDecimal) value);
            case VarCharVector v ->
                    v.setSafe(index, ((String) value).getBytes(StandardCharsets.UTF_8));
            case VarBinaryVector v -> v.setSafe(index, (byte[]) value);
            case StructVector v -> {
                v.setIndexDefined(index);
                for (int i = 0; i < v.size(); i++) {
                    set(v.getChildByOrdinal(i), index, ((List<?>) value).get(i));
                }
            }
            case MapVector v -> {
                int at = v.startNewValue(index);
                var entries = (StructVector) v.getDataVector();
                for (var entry : ((Map<?, ?>) value).entrySet()) {
                    entries.setIndexDefined(at);
                    set(entries.getChildByOrdinal(0), at, entry.getKey());
                    set(entries.getChildByOrdinal(1), at, entry.getValue());
                    at++;
                }
                v.endValue(index, ((Map<?, ?>) value).size());
            }
            case ListVector v -> {
                int at = v.startNewValue(index);
                for (var element : (List<?>) value) {
                    set(v.getDataVector(), at++, element);
                }
                v.endValue(index, ((List<?>) value).size());
            }
            default -> throw new IllegalArgumentException(vector.getField().toString());
        }
    }

    private static void setNull(ValueVector vector, int index) {
        switch (vector) {
            case StructVector v -> {
                v.setNull(index);
                for (int i = 0; i < v.size(); i++) {
                    setNull(v.getChildByOrdinal(i), index);
                }
            }
            case ListVector v -> v.setNull(index);
            case BaseFixedWidthVector v -> v.setNull(index);
            case BaseVariableWidthVector v -> v.setNull(index);
            default -> throw new IllegalArgumentException(vector.getField().toString());
        }
    }

    /** The values of all rows; closes the batch. */
    public static List<List<@Nullable Object>> values(Rows rows) {
        try (rows) {
            var values = new ArrayList<List<@Nullable Object>>();
            for (int row = 0; row < rows.count(); row++) {
                var line = new ArrayList<@Nullable Object>();
                for (int column = 0; column < rows.schema().size(); column++) {
                    line.add(get(rows.vector(column), row));
                }
                values.add(line);
            }
            return values;
        }
    }

    static @Nullable Object get(ValueVector vector, int index) {
        if (vector.isNull(index)) {
            return null;
        }
        return switch (vector) {
            case BitVector v -> v.get(index) != 0;
            case DateDayVector v -> v.get(index);
            case TimeStampVector v -> v.get(index);
            case VarCharVector v -> new String(v.get(index), StandardCharsets.UTF_8);
            case VarBinaryVector v -> {
                var bytes = new ArrayList<@Nullable Object>();
                for (byte b : v.get(index)) {
                    bytes.add(b);
                }
                yield bytes;
            }
            case StructVector v -> {
                var fields = new ArrayList<@Nullable Object>();
                for (int i = 0; i < v.size(); i++) {
                    fields.add(get(v.getChildByOrdinal(i), index));
                }
                yield fields;
            }
            case MapVector v -> {
                var map = new java.util.HashMap<@Nullable Object, @Nullable Object>();
                var entries = (StructVector) v.getDataVector();
                for (int i = v.getElementStartIndex(index); i < v.getElementEndIndex(index); i++) {
                    map.put(
                            get(entries.getChildByOrdinal(0), i),
                            get(entries.getChildByOrdinal(1), i));
                }
                yield map;
            }
            case ListVector v -> {
                var list = new ArrayList<@Nullable Object>();
                for (int i = v.getElementStartIndex(index); i < v.getElementEndIndex(index); i++) {
                    list.add(get(v.getDataVector(), i));
                }
                yield list;
            }
            default -> vector.getObject(index);
        };
    }
}
