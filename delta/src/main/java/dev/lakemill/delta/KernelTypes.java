package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.transaction.DataLayoutSpec;
import io.delta.kernel.types.ArrayType;
import io.delta.kernel.types.BinaryType;
import io.delta.kernel.types.BooleanType;
import io.delta.kernel.types.ByteType;
import io.delta.kernel.types.DateType;
import io.delta.kernel.types.DecimalType;
import io.delta.kernel.types.DoubleType;
import io.delta.kernel.types.FieldMetadata;
import io.delta.kernel.types.FloatType;
import io.delta.kernel.types.IntegerType;
import io.delta.kernel.types.LongType;
import io.delta.kernel.types.MapType;
import io.delta.kernel.types.ShortType;
import io.delta.kernel.types.StringType;
import io.delta.kernel.types.StructField;
import io.delta.kernel.types.StructType;
import io.delta.kernel.types.TimestampNTZType;
import io.delta.kernel.types.TimestampType;
import java.util.List;

/** Our types as the kernel's, and back. */
final class KernelTypes {
    private static final String COMMENT = "comment";

    private KernelTypes() {}

    static StructType kernel(TableSchema schema) {
        return struct(schema.columns());
    }

    static DataLayoutSpec layout(TableLayout layout) {
        if (!layout.partitionedBy().isEmpty()) {
            return DataLayoutSpec.partitioned(columns(layout.partitionedBy()));
        }
        return layout.clusteredBy().isEmpty()
                ? DataLayoutSpec.noDataLayout()
                : DataLayoutSpec.clustered(columns(layout.clusteredBy()));
    }

    static List<io.delta.kernel.expressions.Column> columns(List<String> names) {
        return names.stream().map(io.delta.kernel.expressions.Column::new).toList();
    }

    static TableSchema schema(StructType type) {
        return new TableSchema(columns(type));
    }

    private static StructType struct(List<Column> columns) {
        return new StructType(columns.stream().map(KernelTypes::field).toList());
    }

    private static StructField field(Column column) {
        var metadata =
                column.comment().isEmpty()
                        ? FieldMetadata.empty()
                        : FieldMetadata.builder().putString(COMMENT, column.comment()).build();
        return new StructField(column.name(), kernel(column.type()), column.nullable(), metadata);
    }

    static io.delta.kernel.types.DataType kernel(DataType type) {
        return switch (type) {
            case Primitive primitive -> kernel(primitive);
            case DataType.Decimal decimal -> new DecimalType(decimal.precision(), decimal.scale());
            case DataType.Array array ->
                    new ArrayType(kernel(array.element()), array.containsNull());
            case DataType.Map map ->
                    new MapType(kernel(map.key()), kernel(map.value()), map.valueContainsNull());
            case DataType.Struct struct -> struct(struct.fields());
        };
    }

    private static io.delta.kernel.types.DataType kernel(Primitive type) {
        return switch (type) {
            case BOOLEAN -> BooleanType.BOOLEAN;
            case BYTE -> ByteType.BYTE;
            case SHORT -> ShortType.SHORT;
            case INTEGER -> IntegerType.INTEGER;
            case LONG -> LongType.LONG;
            case FLOAT -> FloatType.FLOAT;
            case DOUBLE -> DoubleType.DOUBLE;
            case STRING -> StringType.STRING;
            case BINARY -> BinaryType.BINARY;
            case DATE -> DateType.DATE;
            case TIMESTAMP -> TimestampType.TIMESTAMP;
            case TIMESTAMP_NTZ -> TimestampNTZType.TIMESTAMP_NTZ;
        };
    }

    private static List<Column> columns(StructType type) {
        return type.fields().stream().map(KernelTypes::column).toList();
    }

    private static Column column(StructField field) {
        var comment = field.getMetadata().getString(COMMENT);
        return new Column(
                field.getName(),
                type(field.getDataType()),
                field.isNullable(),
                comment == null ? "" : comment);
    }

    private static DataType type(io.delta.kernel.types.DataType type) {
        return switch (type) {
            case BooleanType _ -> Primitive.BOOLEAN;
            case ByteType _ -> Primitive.BYTE;
            case ShortType _ -> Primitive.SHORT;
            case IntegerType _ -> Primitive.INTEGER;
            case LongType _ -> Primitive.LONG;
            case FloatType _ -> Primitive.FLOAT;
            case DoubleType _ -> Primitive.DOUBLE;
            case StringType _ -> Primitive.STRING;
            case BinaryType _ -> Primitive.BINARY;
            case DateType _ -> Primitive.DATE;
            case TimestampType _ -> Primitive.TIMESTAMP;
            case TimestampNTZType _ -> Primitive.TIMESTAMP_NTZ;
            case DecimalType d -> new DataType.Decimal(d.getPrecision(), d.getScale());
            case ArrayType a -> new DataType.Array(type(a.getElementType()), a.containsNull());
            case MapType m ->
                    new DataType.Map(
                            type(m.getKeyType()), type(m.getValueType()), m.isValueContainsNull());
            case StructType s -> new DataType.Struct(columns(s));
            default ->
                    throw new LakemillException(
                            ErrorCode.UNIMPLEMENTED,
                            "Delta type %s is not supported".formatted(type),
                            "leave the column out of the table");
        };
    }
}
