package dev.lakemill.compiler;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DayTimeIntervalType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.YearMonthIntervalType;

/** Our types in Spark's terms, and Spark's in ours. */
final class SparkTypes {
    private static final Map<org.apache.spark.sql.types.DataType, Primitive> PRIMITIVES =
            Map.ofEntries(
                    Map.entry(DataTypes.BooleanType, Primitive.BOOLEAN),
                    Map.entry(DataTypes.ByteType, Primitive.BYTE),
                    Map.entry(DataTypes.ShortType, Primitive.SHORT),
                    Map.entry(DataTypes.IntegerType, Primitive.INTEGER),
                    Map.entry(DataTypes.LongType, Primitive.LONG),
                    Map.entry(DataTypes.FloatType, Primitive.FLOAT),
                    Map.entry(DataTypes.DoubleType, Primitive.DOUBLE),
                    Map.entry(DataTypes.StringType, Primitive.STRING),
                    Map.entry(DataTypes.BinaryType, Primitive.BINARY),
                    Map.entry(DataTypes.DateType, Primitive.DATE),
                    Map.entry(DataTypes.TimestampType, Primitive.TIMESTAMP),
                    Map.entry(DataTypes.TimestampNTZType, Primitive.TIMESTAMP_NTZ));

    private SparkTypes() {}

    /** The type of a column; empty if a table cannot hold it. */
    static Optional<DataType> column(org.apache.spark.sql.types.DataType type) {
        return switch (type) {
            case DecimalType d -> Optional.of(new DataType.Decimal(d.precision(), d.scale()));
            case ArrayType a ->
                    column(a.elementType()).map(e -> new DataType.Array(e, a.containsNull()));
            case MapType m ->
                    column(m.keyType())
                            .flatMap(
                                    key ->
                                            column(m.valueType())
                                                    .map(
                                                            value ->
                                                                    new DataType.Map(
                                                                            key,
                                                                            value,
                                                                            m
                                                                                    .valueContainsNull())));
            case StructType s -> s.isEmpty() ? Optional.empty() : struct(s);
            default -> Optional.ofNullable(PRIMITIVES.get(type));
        };
    }

    /**
     * As {@link #column}, and intervals as the plan says them: microseconds or months. NULL without
     * a type is that of the smallest.
     */
    static Optional<DataType> value(org.apache.spark.sql.types.DataType type) {
        return switch (type) {
            case DayTimeIntervalType _ -> Optional.of(Primitive.LONG);
            case YearMonthIntervalType _ -> Optional.of(Primitive.INTEGER);
            case NullType _ -> Optional.of(Primitive.BOOLEAN);
            default -> column(type);
        };
    }

    static boolean isInterval(org.apache.spark.sql.types.DataType type) {
        return type instanceof DayTimeIntervalType || type instanceof YearMonthIntervalType;
    }

    static org.apache.spark.sql.types.DataType spark(DataType type) {
        return switch (type) {
            case Primitive primitive -> spark(primitive);
            case DataType.Decimal d -> new DecimalType(d.precision(), d.scale());
            case DataType.Array a -> new ArrayType(spark(a.element()), a.containsNull());
            case DataType.Map m ->
                    new MapType(spark(m.key()), spark(m.value()), m.valueContainsNull());
            case DataType.Struct s ->
                    new StructType(
                            s.fields().stream().map(SparkTypes::field).toArray(StructField[]::new));
        };
    }

    private static org.apache.spark.sql.types.DataType spark(Primitive type) {
        return switch (type) {
            case BOOLEAN -> DataTypes.BooleanType;
            case BYTE -> DataTypes.ByteType;
            case SHORT -> DataTypes.ShortType;
            case INTEGER -> DataTypes.IntegerType;
            case LONG -> DataTypes.LongType;
            case FLOAT -> DataTypes.FloatType;
            case DOUBLE -> DataTypes.DoubleType;
            case STRING -> DataTypes.StringType;
            case BINARY -> DataTypes.BinaryType;
            case DATE -> DataTypes.DateType;
            case TIMESTAMP -> DataTypes.TimestampType;
            case TIMESTAMP_NTZ -> DataTypes.TimestampNTZType;
        };
    }

    private static StructField field(Column column) {
        return new StructField(
                column.name(), spark(column.type()), column.nullable(), Metadata.empty());
    }

    private static Optional<DataType> struct(StructType type) {
        List<Column> fields = new ArrayList<>();
        for (var field : type.fields()) {
            var found = column(field.dataType());
            if (found.isEmpty()) {
                return Optional.empty();
            }
            fields.add(new Column(field.name(), found.get(), field.nullable(), ""));
        }
        return Optional.of(new DataType.Struct(fields));
    }
}
