package dev.lakemill.delta;

import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarCharVector;
import org.jspecify.annotations.Nullable;

/**
 * The values of partition columns as Delta's log says them: text, null for NULL. Delta has the
 * empty string stand for NULL as well.
 */
final class PartitionValues {
    private PartitionValues() {}

    /** Whether a table can be partitioned by a column of the type. */
    static boolean has(DataType type) {
        return switch (type) {
            case Primitive.BOOLEAN,
                    Primitive.BYTE,
                    Primitive.SHORT,
                    Primitive.INTEGER,
                    Primitive.LONG,
                    Primitive.STRING,
                    Primitive.DATE ->
                    true;
            case DataType.Decimal _ -> true;
            case Primitive _, DataType.Array _, DataType.Map _, DataType.Struct _ -> false;
        };
    }

    static @Nullable String text(ValueVector vector, int row) {
        if (vector.isNull(row)) {
            return null;
        }
        return switch (vector) {
            case BitVector v -> Boolean.toString(v.get(row) != 0);
            case TinyIntVector v -> Byte.toString(v.get(row));
            case SmallIntVector v -> Short.toString(v.get(row));
            case IntVector v -> Integer.toString(v.get(row));
            case BigIntVector v -> Long.toString(v.get(row));
            case DecimalVector v -> v.getObject(row).toPlainString();
            case DateDayVector v -> LocalDate.ofEpochDay(v.get(row)).toString();
            case VarCharVector v -> new String(v.get(row), StandardCharsets.UTF_8);
            default -> throw new IllegalArgumentException(vector.getField().toString());
        };
    }

    /** Puts the value into an allocated vector. */
    static void set(ValueVector vector, int row, @Nullable String text) {
        if (text == null || text.isEmpty()) {
            if (vector instanceof BaseFixedWidthVector fixed) {
                fixed.setNull(row);
            }
            return;
        }
        switch (vector) {
            case BitVector v -> v.setSafe(row, Boolean.parseBoolean(text) ? 1 : 0);
            case TinyIntVector v -> v.setSafe(row, Byte.parseByte(text));
            case SmallIntVector v -> v.setSafe(row, Short.parseShort(text));
            case IntVector v -> v.setSafe(row, Integer.parseInt(text));
            case BigIntVector v -> v.setSafe(row, Long.parseLong(text));
            case DecimalVector v -> v.setSafe(row, new BigDecimal(text).setScale(v.getScale()));
            case DateDayVector v -> v.setSafe(row, (int) LocalDate.parse(text).toEpochDay());
            case VarCharVector v -> v.setSafe(row, text.getBytes(StandardCharsets.UTF_8));
            default -> throw new IllegalArgumentException(vector.getField().toString());
        }
    }
}
