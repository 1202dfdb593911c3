package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.math.BigInteger;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;
import org.apache.parquet.schema.Types;

/**
 * Our types as Parquet's, in the form that Spark writes: three-level lists, {@code key_value} maps,
 * timestamps as INT64 microseconds, decimals in the smallest of INT32, INT64 and bytes.
 */
final class ParquetTypes {
    private ParquetTypes() {}

    static MessageType message(TableSchema schema) {
        var fields = schema.columns().stream().map(ParquetTypes::type).toArray(Type[]::new);
        return new MessageType("lakemill", fields);
    }

    private static Type type(Column column) {
        return type(column.name(), column.type(), column.nullable());
    }

    private static Type type(String name, DataType type, boolean nullable) {
        var repetition = nullable ? Repetition.OPTIONAL : Repetition.REQUIRED;
        return switch (type) {
            case DataType.Primitive primitive -> primitive(primitive, repetition).named(name);
            case DataType.Decimal decimal -> decimal(decimal, repetition).named(name);
            case DataType.Array array ->
                    Types.buildGroup(repetition)
                            .as(LogicalTypeAnnotation.listType())
                            .addField(
                                    Types.repeatedGroup()
                                            .addField(
                                                    type(
                                                            "element",
                                                            array.element(),
                                                            array.containsNull()))
                                            .named("list"))
                            .named(name);
            case DataType.Map map ->
                    Types.buildGroup(repetition)
                            .as(LogicalTypeAnnotation.mapType())
                            .addField(
                                    Types.repeatedGroup()
                                            .addField(type("key", map.key(), false))
                                            .addField(
                                                    type(
                                                            "value",
                                                            map.value(),
                                                            map.valueContainsNull()))
                                            .named("key_value"))
                            .named(name);
            case DataType.Struct struct ->
                    Types.buildGroup(repetition)
                            .addFields(
                                    struct.fields().stream()
                                            .map(ParquetTypes::type)
                                            .toArray(Type[]::new))
                            .named(name);
        };
    }

    private static Types.PrimitiveBuilder<PrimitiveType> decimal(
            DataType.Decimal type, Repetition repetition) {
        var annotation = LogicalTypeAnnotation.decimalType(type.scale(), type.precision());
        if (type.precision() <= 9) {
            return integer(repetition).as(annotation);
        }
        if (type.precision() <= 18) {
            return Types.primitive(PrimitiveTypeName.INT64, repetition).as(annotation);
        }
        return Types.primitive(PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY, repetition)
                .length(decimalBytes(type.precision()))
                .as(annotation);
    }

    private static Types.PrimitiveBuilder<PrimitiveType> primitive(
            DataType.Primitive type, Repetition repetition) {
        return switch (type) {
            case BOOLEAN -> Types.primitive(PrimitiveTypeName.BOOLEAN, repetition);
            case BYTE -> integer(repetition).as(LogicalTypeAnnotation.intType(8, true));
            case SHORT -> integer(repetition).as(LogicalTypeAnnotation.intType(16, true));
            case INTEGER -> integer(repetition);
            case LONG -> Types.primitive(PrimitiveTypeName.INT64, repetition);
            case FLOAT -> Types.primitive(PrimitiveTypeName.FLOAT, repetition);
            case DOUBLE -> Types.primitive(PrimitiveTypeName.DOUBLE, repetition);
            case STRING ->
                    Types.primitive(PrimitiveTypeName.BINARY, repetition)
                            .as(LogicalTypeAnnotation.stringType());
            case BINARY -> Types.primitive(PrimitiveTypeName.BINARY, repetition);
            case DATE -> integer(repetition).as(LogicalTypeAnnotation.dateType());
            case TIMESTAMP -> timestamp(repetition, true);
            case TIMESTAMP_NTZ -> timestamp(repetition, false);
        };
    }

    private static Types.PrimitiveBuilder<PrimitiveType> integer(Repetition repetition) {
        return Types.primitive(PrimitiveTypeName.INT32, repetition);
    }

    private static Types.PrimitiveBuilder<PrimitiveType> timestamp(
            Repetition repetition, boolean utc) {
        return Types.primitive(PrimitiveTypeName.INT64, repetition)
                .as(LogicalTypeAnnotation.timestampType(utc, TimeUnit.MICROS));
    }

    /** Bytes of the smallest two's complement number that holds so many decimal digits. */
    static int decimalBytes(int precision) {
        return BigInteger.TEN.pow(precision).bitLength() / 8 + 1;
    }
}
