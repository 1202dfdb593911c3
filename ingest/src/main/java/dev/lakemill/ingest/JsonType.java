package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.lakemill.types.DataType;
import java.io.IOException;
import java.util.regex.Pattern;

/**
 * Reads the JSON values of one type and writes them in the log's row form. Belongs to one stream;
 * not thread-safe.
 */
abstract class JsonType {
    private static final int SHOWN_CHARACTERS_MAX = 200;
    private static final Pattern NUMBER =
            Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");

    /** The wire type of the field that {@link #write} writes the content of. */
    abstract int wireType();

    /** How many values it has once it is decoded. */
    int cells() {
        return 1;
    }

    /** Writes the value at the parser's token, which is not null, without a tag. */
    abstract void write(JsonParser json, RowWriter out) throws IOException;

    /**
     * Writes the value that a map's key, a text, stands for, without a tag: what it would be as a
     * number where it is written as one, otherwise what it would be in quotes.
     */
    void writeKey(String key, RowWriter out) throws IOException {
        var number = takesNumbers() && NUMBER.matcher(key).matches();
        try (var json = JsonEncoder.FACTORY.createParser(number ? key : quoted(key))) {
            json.nextToken();
            write(json, out);
        }
    }

    /** Whether a key that is written as a number is one. */
    boolean takesNumbers() {
        return true;
    }

    private static String quoted(String text) {
        return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }

    static JsonType of(DataType type) {
        return switch (type) {
            case DataType.Primitive p -> JsonScalar.of(p);
            case DataType.Decimal d -> new JsonScalar.OfDecimal(d);
            case DataType.Array a -> new JsonNested.OfArray(a);
            case DataType.Map m -> new JsonNested.OfMap(m);
            case DataType.Struct s -> new JsonNested.OfStruct(s);
        };
    }

    static RefusedRow wrong(DataType type, JsonParser json, String hint) throws IOException {
        return RefusedRow.value("takes %s, found %s".formatted(type.sql(), shown(json)), hint);
    }

    static String shown(JsonParser json) throws IOException {
        return switch (json.currentToken()) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> RefusedRow.shown(text(json));
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> text(json);
            case VALUE_TRUE -> "true";
            case VALUE_FALSE -> "false";
            case VALUE_NULL -> "null";
            default -> "nothing";
        };
    }

    private static String text(JsonParser json) throws IOException {
        var length = Math.min(json.getTextLength(), SHOWN_CHARACTERS_MAX);
        return new String(json.getTextCharacters(), json.getTextOffset(), length);
    }

    static boolean isNull(JsonParser json) {
        return json.currentToken() == JsonToken.VALUE_NULL;
    }
}
