package dev.lakemill.ingest;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Holds a stream's descriptor against its table and makes the reader of its messages.
 *
 * <p>Fields and columns match by name, one to one, in type and optionality; only nullable columns
 * may be missing in the descriptor. A message type that the descriptor uses must be nested in it.
 */
final class ProtoSchema {
    private static final int FIELDS_MAX = 2_000;

    private final String table;
    private final boolean narrower;
    private final Map<String, DescriptorProto> nested = new HashMap<>();

    private ProtoSchema(String table, boolean narrower) {
        this.table = table;
        this.narrower = narrower;
    }

    /**
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the descriptor does not fit the columns
     */
    static ProtoMessage reader(String table, List<Column> columns, byte[] descriptor) {
        return reader(table, columns, descriptor, false);
    }

    /**
     * @param narrower whether int32 is taken for BIGINT and float for DOUBLE, as those send who
     *     knew the table before its types were widened
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the descriptor does not fit the columns
     */
    static ProtoMessage reader(
            String table, List<Column> columns, byte[] descriptor, boolean narrower) {
        try {
            var type = DescriptorProto.parseFrom(descriptor);
            var schema = new ProtoSchema(table, narrower);
            schema.collect(type, type.getName());
            return schema.message(columns, type, "");
        } catch (InvalidProtocolBufferException e) {
            throw Refusal.badSchema(
                    "TYPE_INCOMPATIBLE",
                    "descriptor_proto is not a serialized DescriptorProto",
                    "send the descriptor of one message, not a FileDescriptorSet");
        }
    }

    private void collect(DescriptorProto type, String path) {
        for (var inner : type.getNestedTypeList()) {
            var innerPath = path + "." + inner.getName();
            nested.put(innerPath, inner);
            collect(inner, innerPath);
        }
    }

    private ProtoMessage message(List<Column> columns, DescriptorProto type, String path) {
        checkFields(type, path);
        var fields = new ArrayList<ProtoField>();
        var present = new HashSet<Integer>();
        for (var field : type.getFieldList()) {
            int column = column(columns, field, path);
            if (!present.add(column)) {
                throw incompatible(path + field.getName(), "stands twice in the descriptor");
            }
            fields.add(field(columns.get(column), column, field, path));
        }
        for (int i = 0; i < columns.size(); i++) {
            var column = columns.get(i);
            if (!present.contains(i) && !column.nullable()) {
                throw Refusal.badSchema(
                        "MISSING_REQUIRED_COLUMN",
                        "column '%s%s' of %s is NOT NULL, but the descriptor does not have it"
                                .formatted(path, column.name(), table),
                        "add it as a required field");
            }
        }
        return new ProtoMessage(fields);
    }

    private static void checkFields(DescriptorProto type, String path) {
        if (type.getFieldCount() > FIELDS_MAX) {
            throw Refusal.badSchema(
                    "FIELD_COUNT_MISMATCH",
                    "the descriptor has %d fields".formatted(type.getFieldCount()),
                    "at most %d are taken".formatted(FIELDS_MAX));
        }
        var numbers = new HashSet<Integer>();
        for (var field : type.getFieldList()) {
            if (field.getNumber() < 1 || !numbers.add(field.getNumber())) {
                throw Refusal.badSchema(
                        "TYPE_INCOMPATIBLE",
                        "field '%s%s' has the number %d, which is not its own"
                                .formatted(path, field.getName(), field.getNumber()),
                        "give each field another number above 0");
            }
        }
    }

    private int column(List<Column> columns, FieldDescriptorProto field, String path) {
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).name().equalsIgnoreCase(field.getName())) {
                return i;
            }
        }
        throw Refusal.badSchema(
                "FIELD_NOT_IN_TABLE",
                "the descriptor's field '%s%s' is not a column of %s"
                        .formatted(path, field.getName(), table),
                "add the column to the table, or leave the field out");
    }

    private ProtoField field(Column column, int index, FieldDescriptorProto field, String path) {
        var name = path + column.name();
        int number = field.getNumber();
        return switch (column.type()) {
            case DataType.Array array -> {
                checkLabel(name, column, field, FieldDescriptorProto.Label.LABEL_REPEATED);
                yield new ProtoField.Repeated(
                        column.name(), number, index, value(name, array.element(), field));
            }
            case DataType.Map map -> {
                checkLabel(name, column, field, FieldDescriptorProto.Label.LABEL_REPEATED);
                yield mapField(column, index, field, map, path);
            }
            default -> {
                var label =
                        column.nullable()
                                ? FieldDescriptorProto.Label.LABEL_OPTIONAL
                                : FieldDescriptorProto.Label.LABEL_REQUIRED;
                checkLabel(name, column, field, label);
                yield new ProtoField.Single(
                        column.name(),
                        number,
                        index,
                        !column.nullable(),
                        value(name, column.type(), field));
            }
        };
    }

    private ProtoField mapField(
            Column column, int index, FieldDescriptorProto field, DataType.Map map, String path) {
        var name = path + column.name();
        var entry = nested(name, map, field);
        if (!entry.getOptions().getMapEntry() || entry.getFieldCount() != 2) {
            throw wrongType(name, map, "map<key, value>");
        }
        var key = value(name + "'s key", map.key(), entry.getField(0));
        var value = value(name + "'s value", map.value(), entry.getField(1));
        var reader =
                new ProtoMessage(
                        List.of(
                                new ProtoField.Single("key", 1, 0, false, key),
                                new ProtoField.Single("value", 2, 1, false, value)));
        return new ProtoField.OfMap(
                column.name(), field.getNumber(), index, reader, new ProtoType[] {key, value});
    }

    private ProtoType value(String name, DataType type, FieldDescriptorProto field) {
        return switch (type) {
            case DataType.Primitive primitive -> {
                var sent = narrower ? narrowed(primitive, field.getType()) : primitive;
                checkType(name, type, field, protoType(sent));
                yield ProtoType.of(sent);
            }
            case DataType.Decimal decimal -> {
                checkType(name, type, field, FieldDescriptorProto.Type.TYPE_STRING);
                yield new ProtoType.OfDecimal(decimal);
            }
            case DataType.Struct struct -> {
                checkType(name, type, field, FieldDescriptorProto.Type.TYPE_MESSAGE);
                var message = message(struct.fields(), nested(name, type, field), name + ".");
                yield new ProtoType.OfStruct(struct, message);
            }
            case DataType.Array _, DataType.Map _ ->
                    throw incompatible(
                            name, "is %s, which PROTO records cannot carry".formatted(type.sql()));
        };
    }

    private static DataType.Primitive narrowed(
            DataType.Primitive type, FieldDescriptorProto.Type sent) {
        return switch (type) {
            case LONG ->
                    sent == FieldDescriptorProto.Type.TYPE_INT32
                            ? DataType.Primitive.INTEGER
                            : type;
            case DOUBLE ->
                    sent == FieldDescriptorProto.Type.TYPE_FLOAT ? DataType.Primitive.FLOAT : type;
            default -> type;
        };
    }

    static FieldDescriptorProto.Type protoType(DataType.Primitive type) {
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

    /** The nested message type of a field: the longest nested path that its type name ends with. */
    private DescriptorProto nested(String name, DataType type, FieldDescriptorProto field) {
        checkType(name, type, field, FieldDescriptorProto.Type.TYPE_MESSAGE);
        var wanted = "." + field.getTypeName();
        var found = "";
        for (var path : nested.keySet()) {
            var simple = path.substring(path.lastIndexOf('.'));
            if ((wanted.endsWith("." + path) || wanted.equals(simple))
                    && path.length() > found.length()) {
                found = path;
            }
        }
        var message = nested.get(found);
        if (message == null) {
            throw incompatible(
                    name,
                    "uses the message %s, which is not nested in the descriptor"
                            .formatted(RefusedRow.shown(field.getTypeName())));
        }
        return message;
    }

    private static void checkType(
            String name,
            DataType type,
            FieldDescriptorProto field,
            FieldDescriptorProto.Type wanted) {
        if (field.getType() != wanted) {
            throw Refusal.badSchema(
                    "TYPE_INCOMPATIBLE",
                    "column '%s' is %s and is sent as %s, but the descriptor has %s"
                            .formatted(name, type.sql(), word(wanted), word(field.getType())),
                    "change the field's type to " + word(wanted));
        }
    }

    private static void checkLabel(
            String name,
            Column column,
            FieldDescriptorProto field,
            FieldDescriptorProto.Label wanted) {
        if (field.getLabel() != wanted) {
            throw Refusal.badSchema(
                    "TYPE_INCOMPATIBLE",
                    "column '%s' is %s%s, but the descriptor's field is %s"
                            .formatted(
                                    name,
                                    column.type().sql(),
                                    column.nullable() ? "" : " NOT NULL",
                                    word(field.getLabel())),
                    "declare it " + word(wanted));
        }
    }

    private static String word(Enum<?> typeOrLabel) {
        var name = typeOrLabel.name().toLowerCase(Locale.ROOT);
        return name.substring(name.indexOf('_') + 1);
    }

    private static Refusal wrongType(String name, DataType type, String wanted) {
        return incompatible(name, "is %s and is sent as %s".formatted(type.sql(), wanted));
    }

    private static Refusal incompatible(String name, String problem) {
        return Refusal.badSchema(
                "TYPE_INCOMPATIBLE",
                "column '%s' %s".formatted(name, problem),
                "change the descriptor, or send JSON records");
    }
}
