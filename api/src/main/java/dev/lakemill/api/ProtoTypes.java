package dev.lakemill.api;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MessageOptions;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.util.List;

/**
 * Tables as protobuf types, by Zerobus' mapping: a field per column, numbered from 1, {@code
 * required} where the column is NOT NULL. A producer without generated classes fills {@code
 * DynamicMessage}s of such a type.
 */
public final class ProtoTypes {
    private static final int RESERVED_FIRST = 19_000;
    private static final int RESERVED_COUNT = 1_000;

    private ProtoTypes() {}

    /**
     * The type of a table's records.
     *
     * @throws LakemillException UNIMPLEMENTED for arrays of arrays and the like, which PROTO
     *     records cannot carry
     */
    public static Descriptor descriptor(TableSchema schema) {
        var message = message("Record", schema.columns());
        var file =
                FileDescriptorProto.newBuilder()
                        .setName("record.proto")
                        .setSyntax("proto2")
                        .addMessageType(message)
                        .build();
        try {
            return FileDescriptor.buildFrom(file, new FileDescriptor[0])
                    .findMessageTypeByName("Record");
        } catch (DescriptorValidationException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the table has no protobuf type: " + e.getMessage(),
                    "send JSON records",
                    e);
        }
    }

    private static DescriptorProto message(String name, List<Column> columns) {
        var message = DescriptorProto.newBuilder().setName(name);
        for (int i = 0; i < columns.size(); i++) {
            var column = columns.get(i);
            int number = i + 1 < RESERVED_FIRST ? i + 1 : i + 1 + RESERVED_COUNT;
            var field = FieldDescriptorProto.newBuilder().setName(column.name()).setNumber(number);
            switch (column.type()) {
                case DataType.Array array -> {
                    value(message, field, column.name(), array.element());
                    field.setLabel(FieldDescriptorProto.Label.LABEL_REPEATED);
                }
                case DataType.Map map -> {
                    var entry = typeName(column.name()) + "Entry";
                    message.addNestedType(entry(entry, map));
                    field.setType(FieldDescriptorProto.Type.TYPE_MESSAGE).setTypeName(entry);
                    field.setLabel(FieldDescriptorProto.Label.LABEL_REPEATED);
                }
                case DataType.Primitive _, DataType.Decimal _, DataType.Struct _ -> {
                    value(message, field, column.name(), column.type());
                    field.setLabel(
                            column.nullable()
                                    ? FieldDescriptorProto.Label.LABEL_OPTIONAL
                                    : FieldDescriptorProto.Label.LABEL_REQUIRED);
                }
            }
            message.addField(field);
        }
        return message.build();
    }

    private static DescriptorProto entry(String name, DataType.Map map) {
        var entry =
                DescriptorProto.newBuilder()
                        .setName(name)
                        .setOptions(MessageOptions.newBuilder().setMapEntry(true));
        var key = FieldDescriptorProto.newBuilder().setName("key").setNumber(1);
        var value = FieldDescriptorProto.newBuilder().setName("value").setNumber(2);
        value(entry, key, "key", map.key());
        value(entry, value, "value", map.value());
        return entry.addField(key.setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL))
                .addField(value.setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL))
                .build();
    }

    private static void value(
            DescriptorProto.Builder around,
            FieldDescriptorProto.Builder field,
            String name,
            DataType type) {
        switch (type) {
            case DataType.Primitive primitive -> field.setType(type(primitive));
            case DataType.Decimal _ -> field.setType(FieldDescriptorProto.Type.TYPE_STRING);
            case DataType.Struct struct -> {
                var nested = typeName(name) + "Value";
                around.addNestedType(message(nested, struct.fields()));
                field.setType(FieldDescriptorProto.Type.TYPE_MESSAGE).setTypeName(nested);
            }
            case DataType.Array _, DataType.Map _ ->
                    throw new LakemillException(
                            ErrorCode.UNIMPLEMENTED,
                            "column '%s' holds %s, which PROTO records cannot carry"
                                    .formatted(name, type.sql()),
                            "send JSON records");
        }
    }

    private static String typeName(String column) {
        return Character.toUpperCase(column.charAt(0)) + column.substring(1);
    }

    private static FieldDescriptorProto.Type type(DataType.Primitive type) {
        return switch (type) {
            case BOOLEAN -> FieldDescriptorProto.Type.TYPE_BOOL;
            case BYTE, SHORT, INTEGER, DATE -> FieldDescriptorProto.Type.TYPE_INT32;
            case LONG, TIMESTAMP, TIMESTAMP_NTZ -> FieldDescriptorProto.Type.TYPE_INT64;
            case FLOAT -> FieldDescriptorProto.Type.TYPE_FLOAT;
            case DOUBLE -> FieldDescriptorProto.Type.TYPE_DOUBLE;
            case STRING -> FieldDescriptorProto.Type.TYPE_STRING;
            case BINARY -> FieldDescriptorProto.Type.TYPE_BYTES;
        };
    }
}
