package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** Splits a text of many JSON objects, as an array or one after the other, into its records. */
final class JsonRecords {
    static final int RECORDS_MAX = 100_000;

    private JsonRecords() {}

    /**
     * The records as slices of the text.
     *
     * @throws Refusal when there is none, when there are too many, or when it is not JSON
     */
    static List<ByteString> split(byte[] text) {
        var records = new ArrayList<ByteString>();
        try (var json = JsonEncoder.FACTORY.createParser(text)) {
            var first = json.nextToken();
            var array = first == JsonToken.START_ARRAY;
            var token = array ? json.nextToken() : first;
            while (token != null && token != JsonToken.END_ARRAY) {
                if (records.size() == RECORDS_MAX) {
                    throw Refusal.badRequest(
                            "the request holds more than %d rows".formatted(RECORDS_MAX),
                            "send them in several requests");
                }
                int from = Math.toIntExact(json.currentTokenLocation().getByteOffset());
                json.skipChildren();
                json.finishToken();
                int to = Math.toIntExact(json.currentLocation().getByteOffset());
                if (from < 0 || to < from) {
                    throw Refusal.badRequest("the rows are not UTF-8", "send JSON as UTF-8");
                }
                records.add(UnsafeByteOperations.unsafeWrap(text, from, to - from));
                token = json.nextToken();
            }
            if (array && json.nextToken() != null) {
                throw Refusal.badRequest(
                        "the request goes on after its JSON array",
                        "send one array, or objects one after the other");
            }
        } catch (JsonProcessingException e) {
            var problem = JsonEncoder.malformed(e);
            var at = e.getLocation();
            throw Refusal.badRequest(
                    "row %d of the request%s: %s"
                            .formatted(
                                    records.size(),
                                    at == null ? "" : ", in line " + at.getLineNr(),
                                    problem.problem()),
                    "send a JSON array of objects, or one object a line");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (records.isEmpty()) {
            throw Refusal.badRequest("the request holds no record", "send one record or more");
        }
        return records;
    }
}
