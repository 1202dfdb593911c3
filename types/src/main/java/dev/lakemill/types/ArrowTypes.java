package dev.lakemill.types;

import java.util.List;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The one mapping from our types to Arrow's.
 *
 * <p>BOOLEAN Bool; TINYINT, SMALLINT, INT, BIGINT Int(8, 16, 32, 64, signed); FLOAT and DOUBLE
 * FloatingPoint; STRING Utf8; BINARY Binary; DATE Date(DAY); TIMESTAMP Timestamp(us, "UTC");
 * TIMESTAMP_NTZ Timestamp(us); DECIMAL Decimal(p, s, 128); ARRAY List; MAP Map; STRUCT Struct.
 */
public final class ArrowTypes {
    private ArrowTypes() {}

    public static Schema schema(TableSchema schema) {
        return new Schema(schema.columns().stream().map(ArrowTypes::field).toList());
    }

    public static Field field(Column column) {
        return field(column.name(), column.type(), column.nullable());
    }

    private static Field field(String name, DataType type, boolean nullable) {
        return new Field(name, new FieldType(nullable, arrow(type), null), children(type));
    }

    private static ArrowType arrow(DataType type) {
        return switch (type) {
            case DataType.Primitive primitive -> arrow(primitive);
            case DataType.Decimal d -> new ArrowType.Decimal(d.precision(), d.scale(), 128);
            case DataType.Array _ -> ArrowType.List.INSTANCE;
            case DataType.Map _ -> new ArrowType.Map(false);
            case DataType.Struct _ -> ArrowType.Struct.INSTANCE;
        };
    }

    private static ArrowType arrow(DataType.Primitive type) {
        return switch (type) {
            case BOOLEAN -> ArrowType.Bool.INSTANCE;
            case BYTE -> new ArrowType.Int(8, true);
            case SHORT -> new ArrowType.Int(16, true);
            case INTEGER -> new ArrowType.Int(32, true);
            case LONG -> new ArrowType.Int(64, true);
            case FLOAT -> new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);
            case DOUBLE -> new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);
            case STRING -> ArrowType.Utf8.INSTANCE;
            case BINARY -> ArrowType.Binary.INSTANCE;
            case DATE -> new ArrowType.Date(DateUnit.DAY);
            case TIMESTAMP -> new ArrowType.Timestamp(TimeUnit.MICROSECOND, "UTC");
            case TIMESTAMP_NTZ -> new ArrowType.Timestamp(TimeUnit.MICROSECOND, null);
        };
    }

    private static List<Field> children(DataType type) {
        return switch (type) {
            case DataType.Primitive _, DataType.Decimal _ -> List.of();
            case DataType.Array a -> List.of(field("element", a.element(), a.containsNull()));
            case DataType.Map m ->
                    List.of(
                            new Field(
                                    "entries",
                                    FieldType.notNullable(ArrowType.Struct.INSTANCE),
                                    List.of(
                                            field("key", m.key(), false),
                                            field("value", m.value(), m.valueContainsNull()))));
            case DataType.Struct s -> s.fields().stream().map(ArrowTypes::field).toList();
        };
    }
}
