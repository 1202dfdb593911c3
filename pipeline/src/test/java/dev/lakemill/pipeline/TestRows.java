package dev.lakemill.pipeline;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.TimeStampMicroVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;

/** Rows of plain values, and back. */
final class TestRows {
    private TestRows() {}

    record Row(@Nullable Object[] values) {
        @Override
        public String toString() {
            return Arrays.toString(values);
        }
    }

    /** Reads {@code id BIGINT NOT NULL, name STRING}. */
    static TableSchema schema(String ddl) {
        var columns = new ArrayList<Column>();
        for (var text : ddl.split(", ")) {
            var required = text.endsWith(" NOT NULL");
            var parts = text.replace(" NOT NULL", "").split(" ", 2);
            columns.add(new Column(parts[0], DataType.parse(parts[1]), !required, ""));
        }
        return new TableSchema(columns);
    }

    static Rows rows(BufferAllocator allocator, TableSchema schema, List<Row> values) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        root.allocateNew();
        for (int row = 0; row < values.size(); row++) {
            for (int column = 0; column < schema.size(); column++) {
                set(root.getVector(column), row, values.get(row).values()[column]);
            }
        }
        root.setRowCount(values.size());
        return new Rows(schema, root);
    }

    /** A row; null stands for NULL. */
    static Row row(@Nullable Object... values) {
        return new Row(values);
    }

    /** The values of all rows as text, in order. */
    static List<String> texts(Rows rows) {
        var texts = new ArrayList<String>();
        for (int row = 0; row < rows.count(); row++) {
            var values = new ArrayList<String>();
            for (int column = 0; column < rows.schema().size(); column++) {
                values.add(text(rows.vector(column), row));
            }
            texts.add(String.join("|", values));
        }
        return texts;
    }

    private static String text(FieldVector vector, int row) {
        if (vector instanceof TimeStampMicroTZVector micros) {
            return micros.isNull(row) ? "null" : Long.toString(micros.get(row));
        }
        return String.valueOf(vector.getObject(row));
    }

    private static void set(FieldVector vector, int row, @Nullable Object value) {
        if (value == null) {
            vector.setNull(row);
            return;
        }
        switch (vector) {
            case BigIntVector v -> v.setSafe(row, ((Number) value).longValue());
            case IntVector v -> v.setSafe(row, ((Number) value).intValue());
            case Float8Vector v -> v.setSafe(row, ((Number) value).doubleValue());
            case BitVector v -> v.setSafe(row, (Boolean) value ? 1 : 0);
            case TimeStampMicroTZVector v -> v.setSafe(row, ((Number) value).longValue());
            case TimeStampMicroVector v -> v.setSafe(row, ((Number) value).longValue());
            case DecimalVector v ->
                    v.setSafe(row, new BigDecimal(value.toString()).setScale(v.getScale()));
            case VarCharVector v ->
                    v.setSafe(row, value.toString().getBytes(StandardCharsets.UTF_8));
            default ->
                    throw new IllegalArgumentException(
                            "no such vector here: " + vector.getClass() + Primitive.STRING);
        }
    }
}
