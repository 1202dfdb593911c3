package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MessageOptions;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Writes {@link RandomRows}' values as a producer would: as JSON, and as messages. */
final class RowTexts {
    private static final JsonFactory JSON = new JsonFactory();

    private final Random random;

    RowTexts(long seed) {
        this.random = new Random(seed);
    }

    String json(List<Column> columns, @Nullable Object[] row) {
        var text = new StringWriter();
        try (var json = JSON.createGenerator(text)) {
            struct(columns, row, json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private void struct(List<Column> columns, @Nullable Object[] row, JsonGenerator json)
            throws IOException {
        var order = new ArrayList<Integer>();
        for (int i = 0; i < columns.size(); i++) {
            order.add(i);
        }
        Collections.shuffle(order, random);
        json.writeStartObject();
        for (int i : order) {
            if (row[i] != null || random.nextBoolean()) {
                json.writeFieldName(columns.get(i).name());
                value(columns.get(i).type(), row[i], json);
            }
        }
        json.writeEndObject();
    }

    private void value(DataType type, @Nullable Object value, JsonGenerator json)
            throws IOException {
        switch (value) {
            case null -> json.writeNull();
            case Boolean b -> json.writeBoolean(b);
            case Long l when type == Primitive.DATE && random.nextBoolean() ->
                    json.writeString(LocalDate.ofEpochDay(l).toString());
            case Long l when type == Primitive.TIMESTAMP && random.nextBoolean() ->
                    json.writeString(time(l) + (random.nextBoolean() ? "Z" : ""));
            case Long l when type == Primitive.TIMESTAMP_NTZ && random.nextBoolean() ->
                    json.writeString(time(l).toString().replace('T', ' '));
            case Long l -> json.writeNumber(l);
            case Float f -> json.writeNumber(f);
            case Double d -> json.writeNumber(d);
            case String s -> json.writeString(s);
            case byte[] b -> json.writeBinary(b);
            case BigDecimal d when random.nextBoolean() -> json.writeNumber(d);
            case BigDecimal d -> json.writeString(d.toString());
            case Object[] fields ->
                    struct(((DataType.Struct) type).fields(), (@Nullable Object[]) fields, json);
            case List<?> list -> {
                json.writeStartArray();
                for (var element : list) {
                    value(((DataType.Array) type).element(), element, json);
                }
                json.writeEndArray();
            }
            case Map<?, ?> map -> {
                json.writeStartObject();
                for (var entry : map.entrySet()) {
                    json.writeFieldName(key(((DataType.Map) type).key(), entry.getKey()));
                    value(((DataType.Map) type).value(), entry.getValue(), json);
                }
                json.writeEndObject();
            }
            default -> throw new IllegalArgumentException(value.getClass().getName());
        }
    }

    private String key(DataType type, Object key) {
        if (key instanceof Long l && random.nextBoolean()) {
            if (type == Primitive.DATE) {
                return LocalDate.ofEpochDay(l).toString();
            }
            if (type == Primitive.TIMESTAMP) {
                return time(l) + "Z";
            }
        }
        return key.toString();
    }

    private static LocalDateTime time(long micros) {
        return LocalDateTime.ofEpochSecond(
                Math.floorDiv(micros, 1_000_000L),
                (int) Math.floorMod(micros, 1_000_000L) * 1_000,
                ZoneOffset.UTC);
    }

    /** A descriptor with the columns in random order and, mostly, with random numbers. */
    Descriptor descriptor(List<Column> columns) {
        var file =
                FileDescriptorProto.newBuilder()
                        .setName("row.proto")
                        .setPackage("farm.events")
                        .addMessageType(message("Row", "farm.events.Row", columns))
                        .build();
        try {
            var built = FileDescriptor.buildFrom(file, new FileDescriptor[0]);
            return built.findMessageTypeByName("Row");
        } catch (DescriptorValidationException e) {
            throw new AssertionError(e);
        }
    }

    private DescriptorProto message(String name, String path, List<Column> columns) {
        var message = DescriptorProto.newBuilder().setName(name);
        var renumbered = random.nextInt(3) > 0;
        for (int i = 0; i < columns.size(); i++) {
            int number = renumbered ? 1 + (i * 7 + 5) * (1 + random.nextInt(3)) * 3 + i : i + 1;
            message.addField(field(columns.get(i), number, path, message));
        }
        return message.build();
    }

    private FieldDescriptorProto field(
            Column column, int number, String path, DescriptorProto.Builder message) {
        var field = FieldDescriptorProto.newBuilder().setName(column.name()).setNumber(number);
        var nestedName = "N" + column.name();
        switch (column.type()) {
            case DataType.Array a -> {
                type(field, a.element(), path, nestedName, message);
                field.setLabel(FieldDescriptorProto.Label.LABEL_REPEATED);
                if (random.nextBoolean() && isPackable(a.element())) {
                    field.getOptionsBuilder().setPacked(true);
                }
            }
            case DataType.Map m -> {
                field.setLabel(FieldDescriptorProto.Label.LABEL_REPEATED)
                        .setType(FieldDescriptorProto.Type.TYPE_MESSAGE)
                        .setTypeName("." + path + "." + entryName(column));
                message.addNestedType(entry(m, path, column));
            }
            default -> {
                type(field, column.type(), path, nestedName, message);
                field.setLabel(
                        column.nullable()
                                ? FieldDescriptorProto.Label.LABEL_OPTIONAL
                                : FieldDescriptorProto.Label.LABEL_REQUIRED);
            }
        }
        return field.build();
    }

    private static boolean isPackable(DataType type) {
        return type instanceof Primitive && type != Primitive.STRING && type != Primitive.BINARY;
    }

    private static String entryName(Column column) {
        return Character.toUpperCase(column.name().charAt(0))
                + column.name().substring(1)
                + "Entry";
    }

    private DescriptorProto entry(DataType.Map map, String path, Column column) {
        var name = entryName(column);
        var entry =
                DescriptorProto.newBuilder()
                        .setName(name)
                        .setOptions(MessageOptions.newBuilder().setMapEntry(true));
        var key = FieldDescriptorProto.newBuilder().setName("key").setNumber(1);
        type(key, map.key(), path, "", entry);
        var value = FieldDescriptorProto.newBuilder().setName("value").setNumber(2);
        // A map entry holds no nested types of its own; a struct value is nested beside it.
        var beside = DescriptorProto.newBuilder();
        type(value, map.value(), path + "." + name, "V", beside);
        entry.addAllNestedType(beside.getNestedTypeList());
        return entry.addField(key.setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL))
                .addField(value.setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL))
                .build();
    }

    private void type(
            FieldDescriptorProto.Builder field,
            DataType type,
            String path,
            String nestedName,
            DescriptorProto.Builder message) {
        switch (type) {
            case DataType.Struct struct -> {
                field.setType(FieldDescriptorProto.Type.TYPE_MESSAGE)
                        .setTypeName("." + path + "." + nestedName);
                message.addNestedType(
                        message(nestedName, path + "." + nestedName, struct.fields()));
            }
            case DataType.Decimal _ -> field.setType(FieldDescriptorProto.Type.TYPE_STRING);
            case Primitive primitive -> field.setType(type(primitive));
            default -> throw new IllegalArgumentException(type.sql());
        }
    }

    private static FieldDescriptorProto.Type type(Primitive type) {
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

    DynamicMessage message(Descriptor type, List<Column> columns, @Nullable Object[] row) {
        var message = DynamicMessage.newBuilder(type);
        for (int i = 0; i < columns.size(); i++) {
            var field = type.findFieldByName(columns.get(i).name());
            var value = row[i];
            if (value != null) {
                set(message, field, columns.get(i).type(), value);
            }
        }
        return message.build();
    }

    private void set(
            DynamicMessage.Builder message, FieldDescriptor field, DataType type, Object value) {
        switch (type) {
            case DataType.Array a ->
                    ((List<?>) value)
                            .forEach(
                                    v ->
                                            message.addRepeatedField(
                                                    field, of(field, a.element(), v)));
            case DataType.Map m ->
                    ((Map<?, ?>) value)
                            .forEach((k, v) -> message.addRepeatedField(field, of(field, m, k, v)));
            default -> message.setField(field, of(field, type, value));
        }
    }

    private DynamicMessage of(FieldDescriptor field, DataType.Map type, Object key, Object value) {
        var entry = field.getMessageType();
        var keyField = entry.findFieldByNumber(1);
        var valueField = entry.findFieldByNumber(2);
        return DynamicMessage.newBuilder(entry)
                .setField(keyField, of(keyField, type.key(), key))
                .setField(valueField, of(valueField, type.value(), value))
                .build();
    }

    private Object of(FieldDescriptor field, DataType type, @Nullable Object value) {
        return switch (value) {
            case Long l when field.getType() == FieldDescriptor.Type.INT32 -> l.intValue();
            case byte[] b -> ByteString.copyFrom(b);
            case BigDecimal d -> d.toString();
            case Object[] fields ->
                    message(
                            field.getMessageType(),
                            ((DataType.Struct) type).fields(),
                            (@Nullable Object[]) fields);
            case null -> throw new IllegalArgumentException("null");
            default -> value;
        };
    }
}
