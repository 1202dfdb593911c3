package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonToken;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Saves JSON records that do not fit: fields that are no columns, and those that do not fit a
 * nullable column, go as one JSON object into the rescue column; the rest into theirs. A record
 * whose NOT NULL columns do not fit is not saved. Runs for bad records alone; belongs to one
 * stream.
 */
final class JsonRescue {
    private final TableSchema schema;
    private final int column;
    private final JsonEncoder encoder;
    private final RowWriter scratch = new RowWriter(RecordEncoder.PAYLOAD_BYTES_MAX);

    /**
     * @throws Refusal when the column cannot take what is rescued
     */
    JsonRescue(TableSchema schema, String rescueColumn) {
        this.schema = schema;
        this.column = schema.indexOf(rescueColumn).orElse(-1);
        this.encoder = new JsonEncoder(schema);
        if (column < 0
                || !schema.column(column).nullable()
                || schema.column(column).type() != Primitive.STRING) {
            throw Refusal.badRequest(
                    "the rescue column '%s' is not a nullable STRING column"
                            .formatted(rescueColumn),
                    "set the tag zerobus_rescue on such a column, or on none");
        }
    }

    /** False, with nothing written, when the record cannot be saved. */
    boolean write(byte[] record, int from, int to, RowWriter out) {
        int before = out.size();
        try {
            var repaired = repaired(record, from, to);
            encoder.encode(repaired, 0, repaired.length, out);
            return true;
        } catch (RefusedRow e) {
            out.truncate(before);
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The record with its bad fields in the rescue column. */
    private byte[] repaired(byte[] record, int from, int to) throws IOException {
        var kept = new LinkedHashMap<String, String>();
        var rescued = new LinkedHashMap<String, String>();
        try (var json = JsonEncoder.FACTORY.createParser(record, from, to - from)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw RefusedRow.value("is not a JSON object", "write it in braces");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                var name = json.currentName();
                json.nextToken();
                var value = raw(json, record);
                var found = schema.indexOf(name).orElse(-1);
                var fits = found >= 0 && found != column && fits(schema.column(found), name, value);
                (fits ? kept : rescued).put(name, value);
            }
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw JsonEncoder.malformed(e);
        }
        var bytes = new ByteArrayOutputStream();
        try (var out = JsonEncoder.FACTORY.createGenerator(bytes)) {
            out.writeStartObject();
            writeRaw(kept, out);
            if (!rescued.isEmpty()) {
                out.writeStringField(schema.column(column).name(), object(rescued));
            }
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }

    /** The text of the value that the parser stands at. */
    private static String raw(com.fasterxml.jackson.core.JsonParser json, byte[] record)
            throws IOException {
        var start = Math.toIntExact(json.currentTokenLocation().getByteOffset());
        json.skipChildren();
        json.finishToken();
        var end = Math.toIntExact(json.currentLocation().getByteOffset());
        if (start < 0 || end > record.length) {
            throw RefusedRow.value("is not UTF-8", "send JSON as UTF-8");
        }
        return new String(record, start, end - start, StandardCharsets.UTF_8).strip();
    }

    private boolean fits(Column of, String name, String value) throws IOException {
        if (!of.nullable()) {
            return true; // Refused with the record if it does not.
        }
        var bytes = object(Map.of(name, value)).getBytes(StandardCharsets.UTF_8);
        scratch.clear();
        try {
            new JsonEncoder(TableSchema.of(of)).encode(bytes, 0, bytes.length, scratch);
            return true;
        } catch (RefusedRow e) {
            return false;
        }
    }

    private static String object(Map<String, String> fields) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = JsonEncoder.FACTORY.createGenerator(bytes)) {
            out.writeStartObject();
            writeRaw(fields, out);
            out.writeEndObject();
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static void writeRaw(Map<String, String> fields, JsonGenerator out) throws IOException {
        for (var field : fields.entrySet()) {
            out.writeFieldName(field.getKey());
            out.writeRawValue(field.getValue());
        }
    }
}
