package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Rows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.assertj.core.api.recursive.comparison.RecursiveComparisonConfiguration;
import org.jspecify.annotations.Nullable;

/** Reads vectors back as {@link RandomRows}' values. */
final class VectorValues {
    private VectorValues() {}

    /** Holds rows against one another, whose numbers may be of different types. */
    static void assertSame(List<@Nullable Object[]> expected, List<@Nullable Object[]> actual) {
        assertThat(actual)
                .usingRecursiveComparison(
                        RecursiveComparisonConfiguration.builder()
                                .withStrictTypeChecking(false)
                                .build())
                .isEqualTo(expected);
    }

    static List<@Nullable Object[]> rows(Rows rows) {
        var values = new ArrayList<@Nullable Object[]>();
        var columns = rows.schema().columns();
        for (int row = 0; row < rows.count(); row++) {
            values.add(struct(columns, rows.root().getFieldVectors(), row));
        }
        return values;
    }

    private static @Nullable Object[] struct(
            List<Column> columns, List<FieldVector> vectors, int slot) {
        var values = new @Nullable Object[columns.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(columns.get(i).type(), vectors.get(i), slot);
        }
        return values;
    }

    static @Nullable Object value(DataType type, FieldVector vector, int slot) {
        if (vector.isNull(slot)) {
            return null;
        }
        return switch (vector) {
            case BitVector v -> v.get(slot) != 0;
            case TinyIntVector v -> (long) v.get(slot);
            case SmallIntVector v -> (long) v.get(slot);
            case IntVector v -> (long) v.get(slot);
            case BigIntVector v -> v.get(slot);
            case DateDayVector v -> (long) v.get(slot);
            case TimeStampVector v -> v.get(slot);
            case Float4Vector v -> v.get(slot);
            case Float8Vector v -> v.get(slot);
            case VarCharVector v ->
                    new String(v.get(slot), java.nio.charset.StandardCharsets.UTF_8);
            case VarBinaryVector v -> v.get(slot);
            case DecimalVector v -> v.getObject(slot);
            case ListVector v -> nested(type, v, slot);
            case StructVector v ->
                    struct(((DataType.Struct) type).fields(), v.getChildrenFromFields(), slot);
            default -> throw new IllegalArgumentException(vector.getClass().getName());
        };
    }

    private static Object nested(DataType type, ListVector lists, int slot) {
        int from = lists.getElementStartIndex(slot);
        int to = lists.getElementEndIndex(slot);
        if (type instanceof DataType.Map map) {
            var entries = ((StructVector) lists.getDataVector()).getChildrenFromFields();
            var values = new LinkedHashMap<@Nullable Object, @Nullable Object>();
            for (int i = from; i < to; i++) {
                values.put(
                        value(map.key(), entries.get(0), i), value(map.value(), entries.get(1), i));
            }
            return values;
        }
        var values = new ArrayList<@Nullable Object>();
        for (int i = from; i < to; i++) {
            values.add(value(((DataType.Array) type).element(), lists.getDataVector(), i));
        }
        return values;
    }
}
