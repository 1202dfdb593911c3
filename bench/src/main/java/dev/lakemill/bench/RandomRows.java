package dev.lakemill.bench;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;

/**
 * Rows of few different values, so that they meet: NULL often, both zeros, NaN, infinity, times
 * before and after now.
 */
final class RandomRows {
    private static final double ZERO_MAX = 1e-12;
    static final long EPOCH_MICROS = 1_795_000_000_000_000L;

    private static final List<String> DOUBLES =
            List.of("0.0", "-0.0", "NaN", "1.5", "-2.25", "1.0E10", "Infinity");
    private static final List<String> TEXTS = List.of("a", "b", "", "ä", "c");

    private RandomRows() {}

    /** As a plan's constants are written; for times about {@link #EPOCH_MICROS}. */
    static String text(Random random, DataType type) {
        return switch (type) {
            case Primitive primitive ->
                    switch (primitive) {
                        case BOOLEAN -> Boolean.toString(random.nextBoolean());
                        case INTEGER -> Integer.toString(random.nextInt(4));
                        case LONG -> Long.toString(random.nextLong(-3, 12));
                        case DOUBLE -> DOUBLES.get(random.nextInt(DOUBLES.size()));
                        case STRING -> TEXTS.get(random.nextInt(TEXTS.size()));
                        case TIMESTAMP ->
                                Long.toString(
                                        EPOCH_MICROS + random.nextLong(-8_000_000, 20_000_000));
                        default -> throw new IllegalArgumentException(type.sql());
                    };
            case Decimal d ->
                    BigDecimal.valueOf(random.nextInt(-200, 500), d.scale()).toPlainString();
            default -> throw new IllegalArgumentException(type.sql());
        };
    }

    /** A row as its constants; null for NULL. */
    static List<@Nullable String> row(Random random, TableSchema schema) {
        var row = new ArrayList<@Nullable String>();
        for (var column : schema.columns()) {
            row.add(random.nextInt(7) == 0 ? null : text(random, column.type()));
        }
        return row;
    }

    static Rows rows(
            BufferAllocator allocator, TableSchema schema, List<List<@Nullable String>> values) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        root.allocateNew();
        for (int row = 0; row < values.size(); row++) {
            for (int column = 0; column < schema.size(); column++) {
                set(root.getVector(column), row, values.get(row).get(column));
            }
        }
        root.setRowCount(values.size());
        return new Rows(schema, root);
    }

    private static void set(FieldVector vector, int row, @Nullable String text) {
        if (text == null) {
            vector.setNull(row);
            return;
        }
        switch (vector) {
            case BigIntVector v -> v.setSafe(row, Long.parseLong(text));
            case IntVector v -> v.setSafe(row, Integer.parseInt(text));
            case Float8Vector v -> v.setSafe(row, Double.parseDouble(text));
            case BitVector v -> v.setSafe(row, text.equals("true") ? 1 : 0);
            case TimeStampMicroTZVector v -> v.setSafe(row, Long.parseLong(text));
            case DecimalVector v -> v.setSafe(row, new BigDecimal(text).setScale(v.getScale()));
            case VarCharVector v -> v.setSafe(row, text.getBytes(StandardCharsets.UTF_8));
            default -> throw new IllegalArgumentException(vector.getClass().getName());
        }
    }

    /** The rows as texts; a zero's sign is no difference. */
    static List<String> texts(Rows rows) {
        var texts = new ArrayList<String>();
        for (int row = 0; row < rows.count(); row++) {
            var text = new StringBuilder();
            for (int column = 0; column < rows.schema().size(); column++) {
                var value = rows.vector(column).getObject(row);
                text.append(value instanceof Double d ? rounded(d) : String.valueOf(value));
                text.append('|');
            }
            texts.add(text.toString());
        }
        return texts;
    }

    /**
     * Sums of doubles may differ in their last digits, also where what they come to is zero; an
     * audit of a view forgives as much.
     */
    private static String rounded(double value) {
        return Math.abs(value) < ZERO_MAX ? "0" : "%.9e".formatted(value);
    }
}
