package dev.lakemill.delta;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.data.ColumnVector;
import io.delta.kernel.data.FilteredColumnarBatch;
import java.nio.charset.StandardCharsets;
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

/** Copies what the kernel wants written (the actions of a checkpoint) into Arrow's vectors. */
final class KernelRows {
    private KernelRows() {}

    /** The selected rows of a batch; the caller closes the result. */
    static VectorSchemaRoot copy(
            FilteredColumnarBatch batch, TableSchema schema, BufferAllocator allocator) {
        var data = batch.getData();
        var selection = batch.getSelectionVector();
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        int count = 0;
        for (int row = 0; row < data.getSize(); row++) {
            if (selection.isPresent()
                    && (selection.get().isNullAt(row) || !selection.get().getBoolean(row))) {
                continue;
            }
            for (int column = 0; column < schema.size(); column++) {
                copy(data.getColumnVector(column), row, root.getVector(column), count);
            }
            count++;
        }
        root.setRowCount(count);
        return root;
    }

    private static void copy(ColumnVector source, int row, ValueVector target, int index) {
        if (source.isNullAt(row)) {
            setNull(target, index);
            return;
        }
        switch (target) {
            case BitVector v -> v.setSafe(index, source.getBoolean(row) ? 1 : 0);
            case TinyIntVector v -> v.setSafe(index, source.getByte(row));
            case SmallIntVector v -> v.setSafe(index, source.getShort(row));
            case IntVector v -> v.setSafe(index, source.getInt(row));
            case BigIntVector v -> v.setSafe(index, source.getLong(row));
            case Float4Vector v -> v.setSafe(index, source.getFloat(row));
            case Float8Vector v -> v.setSafe(index, source.getDouble(row));
            case DateDayVector v -> v.setSafe(index, source.getInt(row));
            case TimeStampVector v -> v.setSafe(index, source.getLong(row));
            case DecimalVector v -> v.setSafe(index, source.getDecimal(row));
            case VarCharVector v ->
                    v.setSafe(index, source.getString(row).getBytes(StandardCharsets.UTF_8));
            case VarBinaryVector v -> v.setSafe(index, source.getBinary(row));
            case StructVector v -> {
                v.setIndexDefined(index);
                copyFields(source, row, v, index);
            }
            case MapVector v -> copyMap(source, row, v, index);
            case ListVector v -> copyList(source, row, v, index);
            default -> throw new IllegalArgumentException("no copy into " + target.getField());
        }
    }

    private static void setNull(ValueVector target, int index) {
        switch (target) {
            case StructVector v -> {
                v.setNull(index);
                for (int i = 0; i < v.size(); i++) {
                    setNull(v.getChildByOrdinal(i), index);
                }
            }
            case ListVector v -> v.setNull(index);
            case BaseFixedWidthVector v -> v.setNull(index);
            case BaseVariableWidthVector v -> v.setNull(index);
            default -> throw new IllegalArgumentException("no null into " + target.getField());
        }
    }

    private static void copyFields(ColumnVector source, int row, StructVector target, int index) {
        for (int i = 0; i < target.size(); i++) {
            copy(source.getChild(i), row, target.getChildByOrdinal(i), index);
        }
    }

    private static void copyList(ColumnVector source, int row, ListVector target, int index) {
        var list = source.getArray(row);
        int start = target.startNewValue(index);
        for (int i = 0; i < list.getSize(); i++) {
            copy(list.getElements(), i, target.getDataVector(), start + i);
        }
        target.endValue(index, list.getSize());
    }

    private static void copyMap(ColumnVector source, int row, MapVector target, int index) {
        var map = source.getMap(row);
        int start = target.startNewValue(index);
        var entries = (StructVector) target.getDataVector();
        for (int i = 0; i < map.getSize(); i++) {
            entries.setIndexDefined(start + i);
            copy(map.getKeys(), i, entries.getChildByOrdinal(0), start + i);
            copy(map.getValues(), i, entries.getChildByOrdinal(1), start + i);
        }
        target.endValue(index, map.getSize());
    }
}
