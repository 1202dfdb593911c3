package dev.lakemill.ingest;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Says which columns a table would need for a descriptor that is newer than it: a nullable one for
 * each optional or repeated field that is no column, and BIGINT or DOUBLE where a field is wider
 * than its column. A field of another kind is left to {@link ProtoSchema}, which refuses it.
 */
final class ProtoGrowth {
    private ProtoGrowth() {}

    static List<Column> columns(TableSchema schema, byte[] descriptor, boolean widens) {
        var columns = new ArrayList<Column>();
        for (var field : parse(descriptor).getFieldList()) {
            var place = schema.indexOf(field.getName());
            var type = type(field);
            if (place.isEmpty()) {
                type.filter(_ -> JsonGrowth.mayBeColumn(field.getName()))
                        .map(t -> Column.nullable(field.getName(), t))
                        .ifPresent(columns::add);
            } else if (widens) {
                var column = schema.column(place.getAsInt());
                type.filter(t -> TypeWidening.isAllowed(column.type(), t))
                        .filter(t -> !isSentSo(column.type(), field))
                        .map(t -> new Column(column.name(), t, column.nullable(), ""))
                        .ifPresent(columns::add);
            }
        }
        return schema.size() + columns.size() > JsonGrowth.COLUMNS_MAX ? List.of() : columns;
    }

    private static DescriptorProto parse(byte[] descriptor) {
        try {
            return DescriptorProto.parseFrom(descriptor);
        } catch (InvalidProtocolBufferException e) {
            return DescriptorProto.getDefaultInstance(); // It is refused for that.
        }
    }

    /** TINYINT and SMALLINT are sent as int32, so that an int32 asks for nothing wider. */
    private static boolean isSentSo(DataType type, FieldDescriptorProto field) {
        return type instanceof Primitive p && ProtoSchema.protoType(p) == field.getType();
    }

    private static Optional<DataType> type(FieldDescriptorProto field) {
        var single =
                Optional.<DataType>ofNullable(
                        switch (field.getType()) {
                            case TYPE_BOOL -> Primitive.BOOLEAN;
                            case TYPE_INT32 -> Primitive.INTEGER;
                            case TYPE_INT64 -> Primitive.LONG;
                            case TYPE_FLOAT -> Primitive.FLOAT;
                            case TYPE_DOUBLE -> Primitive.DOUBLE;
                            case TYPE_STRING -> Primitive.STRING;
                            case TYPE_BYTES -> Primitive.BINARY;
                            default -> null;
                        });
        return switch (field.getLabel()) {
            case LABEL_OPTIONAL -> single;
            case LABEL_REPEATED -> single.map(element -> new DataType.Array(element, true));
            case LABEL_REQUIRED -> Optional.empty();
        };
    }
}
