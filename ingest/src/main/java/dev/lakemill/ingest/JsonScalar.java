package dev.lakemill.ingest;

import com.fasterxml.jackson.core.Base64Variants;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.io.IOException;
import java.math.BigDecimal;

/** JSON values without parts. */
final class JsonScalar {
    private JsonScalar() {}

    static JsonType of(Primitive type) {
        return switch (type) {
            case BOOLEAN -> new OfBoolean();
            case BYTE -> new OfInteger(type, Byte.MIN_VALUE, Byte.MAX_VALUE);
            case SHORT -> new OfInteger(type, Short.MIN_VALUE, Short.MAX_VALUE);
            case INTEGER -> new OfInteger(type, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case LONG -> new OfInteger(type, Long.MIN_VALUE, Long.MAX_VALUE);
            case FLOAT -> new OfFloat();
            case DOUBLE -> new OfDouble();
            case STRING -> new OfString();
            case BINARY -> new OfBinary();
            case DATE -> new OfDate();
            case TIMESTAMP, TIMESTAMP_NTZ -> new OfTimestamp(type);
        };
    }

    private static final class OfBoolean extends JsonType {
        @Override
        int wireType() {
            return RowWriter.VARINT;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            if (!json.currentToken().isBoolean()) {
                throw wrong(Primitive.BOOLEAN, json, "write true or false");
            }
            out.varint(json.currentToken() == JsonToken.VALUE_TRUE ? 1 : 0);
        }

        @Override
        void writeKey(String key, RowWriter out) {
            if (!key.equals("true") && !key.equals("false")) {
                throw RefusedRow.value("takes BOOLEAN", "write true or false");
            }
            out.varint(key.equals("true") ? 1 : 0);
        }
    }

    /** A whole number within a range. */
    private static final class OfInteger extends JsonType {
        private final Primitive type;
        private final long min;
        private final long max;

        OfInteger(Primitive type, long min, long max) {
            this.type = type;
            this.min = min;
            this.max = max;
        }

        @Override
        int wireType() {
            return RowWriter.VARINT;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
                throw wrong(type, json, "write a whole number, without quotes");
            }
            if (json.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
                throw wrong(type, json, range());
            }
            long value = json.getLongValue();
            if (value < min || value > max) {
                throw wrong(type, json, range());
            }
            out.varint(value);
        }

        @Override
        void writeKey(String key, RowWriter out) {
            try {
                long value = Long.parseLong(key);
                if (value >= min && value <= max) {
                    out.varint(value);
                    return;
                }
            } catch (NumberFormatException e) {
                // Told below, as what is out of range is.
            }
            throw RefusedRow.value("takes " + type.sql(), range());
        }

        private String range() {
            return "its range is %d to %d".formatted(min, max);
        }
    }

    /** A number, or one of the texts NaN, Infinity and -Infinity, as protobuf's JSON has them. */
    private static double floating(Primitive type, JsonParser json) throws IOException {
        return switch (json.currentToken()) {
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> json.getDoubleValue();
            case VALUE_STRING ->
                    switch (json.getText()) {
                        case "NaN" -> Double.NaN;
                        case "Infinity" -> Double.POSITIVE_INFINITY;
                        case "-Infinity" -> Double.NEGATIVE_INFINITY;
                        default -> throw notANumber(type, json);
                    };
            default -> throw notANumber(type, json);
        };
    }

    private static RefusedRow notANumber(Primitive type, JsonParser json) throws IOException {
        return JsonType.wrong(type, json, "write a number, without quotes");
    }

    private static final class OfFloat extends JsonType {
        @Override
        int wireType() {
            return RowWriter.FIXED32;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            var number = json.currentToken().isNumeric();
            float value = number ? json.getFloatValue() : (float) floating(Primitive.FLOAT, json);
            if (number && Float.isInfinite(value)) {
                throw wrong(Primitive.FLOAT, json, "its range is -3.4e38 to 3.4e38");
            }
            out.fixed32(Float.floatToRawIntBits(value));
        }
    }

    private static final class OfDouble extends JsonType {
        @Override
        int wireType() {
            return RowWriter.FIXED64;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            double value = floating(Primitive.DOUBLE, json);
            if (Double.isInfinite(value) && json.currentToken().isNumeric()) {
                throw wrong(Primitive.DOUBLE, json, "its range is -1.8e308 to 1.8e308");
            }
            out.fixed64(Double.doubleToRawLongBits(value));
        }
    }

    private static final class OfString extends JsonType {
        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            if (json.currentToken() != JsonToken.VALUE_STRING) {
                throw wrong(Primitive.STRING, json, "write it in double quotes");
            }
            write(json.getTextCharacters(), json.getTextOffset(), json.getTextLength(), out);
        }

        @Override
        void writeKey(String key, RowWriter out) {
            write(key.toCharArray(), 0, key.length(), out);
        }

        private static void write(char[] characters, int from, int length, RowWriter out) {
            if (!out.text(characters, from, length)) {
                throw RefusedRow.value(
                        "holds half of a surrogate pair", "send text that is valid Unicode");
            }
        }
    }

    private static final class OfBinary extends JsonType {
        private static final String HINT = "write the bytes as Base64, with padding";

        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        boolean takesNumbers() {
            return false;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            if (json.currentToken() != JsonToken.VALUE_STRING) {
                throw wrong(Primitive.BINARY, json, HINT);
            }
            byte[] value;
            try {
                value = json.getBinaryValue(Base64Variants.MIME_NO_LINEFEEDS);
            } catch (JsonProcessingException e) {
                throw RefusedRow.value("takes BINARY, found text that is not Base64", HINT);
            }
            out.varint(value.length);
            out.bytes(value, 0, value.length);
        }
    }

    private static final class OfDate extends JsonType {
        private static final String HINT =
                "write \"2026-11-22\" or whole days since 1970-01-01, within the years 1 to 9999";

        private final IsoTime time = new IsoTime();

        @Override
        int wireType() {
            return RowWriter.VARINT;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            long days = days(json);
            if (days < IsoTime.DAYS_MIN || days > IsoTime.DAYS_MAX) {
                throw wrong(Primitive.DATE, json, HINT);
            }
            out.varint(days);
        }

        private long days(JsonParser json) throws IOException {
            try {
                return switch (json.currentToken()) {
                    case VALUE_STRING ->
                            time.days(
                                    json.getTextCharacters(),
                                    json.getTextOffset(),
                                    json.getTextLength());
                    case VALUE_NUMBER_INT -> longOrMin(json);
                    default -> throw wrong(Primitive.DATE, json, HINT);
                };
            } catch (IsoTime.NotATime e) {
                throw wrong(Primitive.DATE, json, HINT);
            }
        }
    }

    private static final class OfTimestamp extends JsonType {
        private final Primitive type;
        private final IsoTime time = new IsoTime();

        OfTimestamp(Primitive type) {
            this.type = type;
        }

        @Override
        int wireType() {
            return RowWriter.VARINT;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            long micros = micros(json);
            if (micros < IsoTime.MICROS_MIN || micros > IsoTime.MICROS_MAX) {
                throw wrong(type, json, hint());
            }
            out.varint(micros);
        }

        private long micros(JsonParser json) throws IOException {
            try {
                return switch (json.currentToken()) {
                    case VALUE_STRING ->
                            time.micros(
                                    json.getTextCharacters(),
                                    json.getTextOffset(),
                                    json.getTextLength(),
                                    type == Primitive.TIMESTAMP);
                    case VALUE_NUMBER_INT -> longOrMin(json);
                    default -> throw wrong(type, json, hint());
                };
            } catch (IsoTime.NotATime e) {
                throw wrong(type, json, hint());
            }
        }

        private String hint() {
            var example =
                    type == Primitive.TIMESTAMP
                            ? "2026-11-22T10:15:30.5Z"
                            : "2026-11-22T10:15:30.5";
            return "write \"%s\" or whole microseconds since 1970, within the years 1 to 9999"
                    .formatted(example);
        }
    }

    /** A whole number; one beyond 64 bits is as out of range as the smallest. */
    private static long longOrMin(JsonParser json) throws IOException {
        return json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                ? Long.MIN_VALUE
                : json.getLongValue();
    }

    static final class OfDecimal extends JsonType {
        private final DataType.Decimal type;

        OfDecimal(DataType.Decimal type) {
            this.type = type;
        }

        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            Decimals.write(value(json), type, out);
        }

        private BigDecimal value(JsonParser json) throws IOException {
            return switch (json.currentToken()) {
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> json.getDecimalValue();
                case VALUE_STRING -> Decimals.parse(json.getText(), type);
                default -> throw wrong(type, json, "write a number, or digits in double quotes");
            };
        }
    }
}
