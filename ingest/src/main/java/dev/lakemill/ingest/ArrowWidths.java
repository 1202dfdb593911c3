package dev.lakemill.ingest;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import org.apache.arrow.vector.TypeLayout;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Says which types the numbers of a payload of Arrow's buffers had when it came, where a table's
 * types were widened since: a number's buffer has as many bytes as its values, exactly.
 */
final class ArrowWidths {
    private ArrowWidths() {}

    /** The table's columns with the types that the payload has. */
    static TableSchema written(byte[] payload, TableSchema schema) {
        int rows = ArrowPayload.count(payload);
        int columns = ArrowPayload.columns(payload);
        var written = new ArrayList<Column>(schema.size());
        int buffer = 0;
        for (int i = 0; i < schema.size(); i++) {
            var column = schema.column(i);
            if (i < columns && rows > 0 && column.type() instanceof Primitive type) {
                // Validity bits come first.
                long bytes = ArrowPayload.bufferBytes(payload, buffer + 1);
                written.add(withType(column, written(type, bytes / rows)));
            } else {
                written.add(column);
            }
            buffer += i < columns ? buffers(ArrowTypes.field(column)) : 0;
        }
        return new TableSchema(written);
    }

    private static int buffers(Field field) {
        int own = TypeLayout.getTypeBufferCount(field.getType());
        return own + field.getChildren().stream().mapToInt(ArrowWidths::buffers).sum();
    }

    private static Column withType(Column column, DataType type) {
        return column.type().equals(type)
                ? column
                : new Column(column.name(), type, column.nullable(), column.comment());
    }

    private static DataType written(Primitive type, long width) {
        return switch (type) {
            case SHORT, INTEGER, LONG ->
                    switch ((int) width) {
                        case Byte.BYTES -> Primitive.BYTE;
                        case Short.BYTES -> Primitive.SHORT;
                        case Integer.BYTES -> Primitive.INTEGER;
                        default -> type;
                    };
            case DOUBLE -> width == Float.BYTES ? Primitive.FLOAT : type;
            case BOOLEAN, BYTE, FLOAT, STRING, BINARY, DATE, TIMESTAMP, TIMESTAMP_NTZ -> type;
        };
    }
}
