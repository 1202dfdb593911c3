package dev.lakemill.sync;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
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
 * Rows from Java values: numbers of the column's width (dates are Integer days, times Long
 * microseconds), String or byte[] for text, List for arrays and structs, Map for maps.
 */
final class TestRows {
    private TestRows() {}

    static Rows of(
            TableSchema schema,
            List<? extends List<? extends @Nullable Object>> rows,
            BufferAllocator allocator) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        for (var vector : root.getFieldVectors()) {
            vector.setInitialCapacity(rows.size());
            vector.allocateNew();
        }
        for (var row = 0; row < rows.size(); row++) {
            for (var column = 0; column < schema.size(); column++) {
                set(root.getVector(column), row, rows.get(row).get(column));
            }
        }
        root.setRowCount(rows.size());
        return new Rows(schema, root);
    }

    private static void set(ValueVector vector, int at, @Nullable Object value) {
        if (value == null) {
            return; // Fresh vectors are NULL everywhere.
        }
        switch (vector) {
            case BitVector v -> v.setSafe(at, (Boolean) value ? 1 : 0);
            case TinyIntVector v -> v.setSafe(at, (Byte) value);
            case SmallIntVector v -> v.setSafe(at, (Short) value);
            case IntVector v -> v.setSafe(at, (Integer) value);
            case BigIntVector v -> v.setSafe(at, (Long) value);
            case Float4Vector v -> v.setSafe(at, (Float) value);
            case Float8Vector v -> v.setSafe(at, (Double) value);
            case DateDayVector v -> v.setSafe(at, (Integer) value);
            case TimeStampVector v -> v.setSafe(at, (Long) value);
            case DecimalVector v -> v.setSafe(at, (BigDecimal) value);
            case VarCharVector v -> v.setSafe(at, bytes(value));
            case VarBinaryVector v -> v.setSafe(at, bytes(value));
            case MapVector v -> setMap(v, at, (Map<?, ?>) value);
            case ListVector v -> setList(v, at, (List<?>) value);
            case StructVector v -> setStruct(v, at, (List<?>) value);
            default -> throw new IllegalArgumentException(vector.getField().toString());
        }
    }

    private static byte[] bytes(Object value) {
        return value instanceof String text
                ? text.getBytes(StandardCharsets.UTF_8)
                : (byte[]) value;
    }

    private static void setStruct(StructVector vector, int at, List<?> fields) {
        vector.setIndexDefined(at);
        for (var i = 0; i < fields.size(); i++) {
            set(vector.getChildByOrdinal(i), at, fields.get(i));
        }
    }

    private static void setList(ListVector vector, int at, List<?> elements) {
        var element = vector.startNewValue(at);
        for (var value : elements) {
            set(vector.getDataVector(), element++, value);
        }
        vector.endValue(at, elements.size());
    }

    private static void setMap(MapVector vector, int at, Map<?, ?> map) {
        var entry = vector.startNewValue(at);
        for (var pair : map.entrySet()) {
            var entries = (StructVector) vector.getDataVector();
            entries.setIndexDefined(entry);
            set(entries.getChildByOrdinal(0), entry, pair.getKey());
            set(entries.getChildByOrdinal(1), entry, pair.getValue());
            entry++;
        }
        vector.endValue(at, map.size());
    }
}
