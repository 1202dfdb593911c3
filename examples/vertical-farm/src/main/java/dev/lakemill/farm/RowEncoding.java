package dev.lakemill.farm;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import dev.lakemill.farm.FarmTable.FieldType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;

/**
 * Rows as records of the wire: a JSON object with column names as keys, or a protobuf message whose
 * field numbers are the columns' places, from 1.
 *
 * <p>Times are microseconds since 1970; a decimal is text in protobuf, digits in JSON.
 */
final class RowEncoding {
    private static final int ROW_BYTES_TYPICAL = 160;

    private RowEncoding() {}

    /** The message type of a table's records. */
    static DescriptorProto descriptor(FarmTable table) {
        var message = DescriptorProto.newBuilder().setName("Row");
        var fields = table.fields();
        for (int i = 0; i < fields.size(); i++) {
            var required = i == 0 || i == fields.size() - 1;
            message.addField(
                    FieldDescriptorProto.newBuilder()
                            .setName(fields.get(i).name())
                            .setNumber(i + 1)
                            .setType(protoType(fields.get(i).type()))
                            .setLabel(
                                    required
                                            ? FieldDescriptorProto.Label.LABEL_REQUIRED
                                            : FieldDescriptorProto.Label.LABEL_OPTIONAL));
        }
        return message.build();
    }

    static String json(FarmRow row) {
        var out = new StringBuilder(ROW_BYTES_TYPICAL);
        var separator = '{';
        var fields = row.table().fields();
        for (int i = 0; i < fields.size(); i++) {
            var value = row.value(i);
            if (value != null) {
                out.append(separator).append('"').append(fields.get(i).name()).append("\":");
                Json.append(out, value);
                separator = ',';
            }
        }
        return out.append('}').toString();
    }

    static byte[] proto(FarmRow row) {
        var bytes = new ByteArrayOutputStream(ROW_BYTES_TYPICAL);
        var out = CodedOutputStream.newInstance(bytes, ROW_BYTES_TYPICAL);
        try {
            var fields = row.table().fields();
            for (int i = 0; i < fields.size(); i++) {
                var value = row.value(i);
                if (value != null) {
                    write(out, i + 1, fields.get(i).type(), value);
                }
            }
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void write(CodedOutputStream out, int number, FieldType type, Object value)
            throws IOException {
        switch (type) {
            case STRING -> out.writeString(number, (String) value);
            case LONG, TIMESTAMP -> out.writeInt64(number, (Long) value);
            case INT -> out.writeInt32(number, (Integer) value);
            case DOUBLE -> out.writeDouble(number, (Double) value);
            case DECIMAL -> out.writeString(number, ((BigDecimal) value).toPlainString());
        }
    }

    private static FieldDescriptorProto.Type protoType(FieldType type) {
        return switch (type) {
            case STRING, DECIMAL -> FieldDescriptorProto.Type.TYPE_STRING;
            case LONG, TIMESTAMP -> FieldDescriptorProto.Type.TYPE_INT64;
            case INT -> FieldDescriptorProto.Type.TYPE_INT32;
            case DOUBLE -> FieldDescriptorProto.Type.TYPE_DOUBLE;
        };
    }
}
