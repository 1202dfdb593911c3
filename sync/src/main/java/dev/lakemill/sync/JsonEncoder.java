package dev.lakemill.sync;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lakemill.types.DataType;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.jspecify.annotations.Nullable;

/**
 * Arrays, maps and structs as jsonb (its receive function takes a version byte and JSON text).
 *
 * <p>Numbers stay exact; NaN and infinities, which JSON has not, are strings, as are times (ISO
 * 8601), dates, binary (base64) and the keys of maps. One thread uses it.
 */
final class JsonEncoder implements ValueEncoder {
    private static final int JSONB_VERSION = 1;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final ObjectMapper TEXT =
            JsonMapper.builder().enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN).build();

    private final DataType type;

    /** Set by the first text of the value that Postgres cannot hold. */
    private @Nullable SkipReason reason;

    JsonEncoder(DataType type) {
        this.type = type;
    }

    @Override
    public @Nullable SkipReason put(FieldVector vector, int row, ByteArray out) {
        reason = null;
        var node = node(type, vector, row);
        try {
            var text = TEXT.writeValueAsBytes(node);
            out.putByte(JSONB_VERSION);
            out.putBytes(text, 0, text.length);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        return reason;
    }

    private JsonNode node(DataType type, ValueVector vector, int row) {
        if (vector.isNull(row)) {
            return NODES.nullNode();
        }
        return switch (type) {
            case DataType.Primitive primitive -> primitive(primitive, vector, row);
            case DataType.Decimal _ ->
                    DecimalNode.valueOf(((DecimalVector) vector).getObjectNotNull(row));
            case DataType.Array array -> array(array, (ListVector) vector, row);
            case DataType.Map map -> map(map, (MapVector) vector, row);
            case DataType.Struct struct -> struct(struct, (StructVector) vector, row);
        };
    }

    private JsonNode array(DataType.Array type, ListVector vector, int row) {
        var array = NODES.arrayNode();
        for (var i = vector.getElementStartIndex(row); i < vector.getElementEndIndex(row); i++) {
            array.add(node(type.element(), vector.getDataVector(), i));
        }
        return array;
    }

    private JsonNode map(DataType.Map type, MapVector vector, int row) {
        var object = NODES.objectNode();
        var entries = (StructVector) vector.getDataVector();
        for (var i = vector.getElementStartIndex(row); i < vector.getElementEndIndex(row); i++) {
            var key = node(type.key(), entries.getChildByOrdinal(0), i);
            var value = node(type.value(), entries.getChildByOrdinal(1), i);
            object.set(key.isContainerNode() ? key.toString() : key.asText(), value);
        }
        return object;
    }

    private JsonNode struct(DataType.Struct type, StructVector vector, int row) {
        var object = NODES.objectNode();
        for (var i = 0; i < type.fields().size(); i++) {
            var field = type.fields().get(i);
            var child = vector.getChildByOrdinal(i);
            object.set(field.name(), node(field.type(), child, row));
        }
        return object;
    }

    private JsonNode primitive(DataType.Primitive type, ValueVector vector, int row) {
        return switch (type) {
            case BOOLEAN -> NODES.booleanNode(((BitVector) vector).get(row) != 0);
            case BYTE -> NODES.numberNode(((TinyIntVector) vector).get(row));
            case SHORT -> NODES.numberNode(((SmallIntVector) vector).get(row));
            case INTEGER -> NODES.numberNode(((IntVector) vector).get(row));
            case LONG -> NODES.numberNode(((BigIntVector) vector).get(row));
            case FLOAT -> real(((Float4Vector) vector).get(row));
            case DOUBLE -> doublePrecision(((Float8Vector) vector).get(row));
            case STRING -> text(((VarCharVector) vector).get(row));
            case BINARY -> NODES.binaryNode(((VarBinaryVector) vector).get(row));
            case DATE -> NODES.textNode(date(((DateDayVector) vector).get(row)));
            case TIMESTAMP -> NODES.textNode(instant(vector, row).toString());
            case TIMESTAMP_NTZ -> NODES.textNode(wallClock(instant(vector, row)));
        };
    }

    private static JsonNode real(float value) {
        return Float.isFinite(value)
                ? NODES.numberNode(value)
                : NODES.textNode(Float.toString(value));
    }

    private static JsonNode doublePrecision(double value) {
        return Double.isFinite(value)
                ? NODES.numberNode(value)
                : NODES.textNode(Double.toString(value));
    }

    private JsonNode text(byte[] bytes) {
        var wrong = Utf8.check(bytes, 0, bytes.length);
        reason = reason == null ? wrong : reason;
        return NODES.textNode(new String(bytes, StandardCharsets.UTF_8));
    }

    private static String date(int days) {
        return LocalDate.ofEpochDay(days).toString();
    }

    private static Instant instant(ValueVector vector, int row) {
        return Instant.EPOCH.plus(((TimeStampVector) vector).get(row), ChronoUnit.MICROS);
    }

    private static String wallClock(Instant instant) {
        return DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(
                LocalDateTime.ofInstant(instant, ZoneOffset.UTC));
    }
}
