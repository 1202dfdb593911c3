package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Records that are JSON objects. */
final class JsonEncoder implements RowEncoder {
    private static final int PROBLEM_CHARACTERS_MAX = 160;

    /** Shared: a factory is thread-safe, and its parsers reuse buffers per thread. */
    static final JsonFactory FACTORY =
            new JsonFactoryBuilder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(100)
                                    .maxNumberLength(1_000)
                                    .maxNameLength(1_000)
                                    .maxStringLength(16 << 20)
                                    .build())
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    // Otherwise some first bytes make it read UTF-16 or UTF-32.
                    .disable(JsonFactory.Feature.CHARSET_DETECTION)
                    .build();

    private final JsonColumns columns;
    private final @Nullable JsonPass pass;
    private final int cells;

    JsonEncoder(TableSchema schema) {
        this(schema, false);
    }

    /**
     * @param skipsNulls whether null is taken for a field that is no column, as a table may get it
     */
    JsonEncoder(TableSchema schema, boolean skipsNulls) {
        this.columns = JsonColumns.ofTable(schema.columns(), skipsNulls);
        this.pass = JsonPass.of(schema.columns());
        this.cells = Cells.of(schema).ofRow();
    }

    @Override
    public int cells() {
        return cells;
    }

    @Override
    public void encode(byte[] record, int from, int to, RowWriter out) {
        var inOnePass = pass;
        if (inOnePass == null || !inOnePass.write(record, from, to, out)) {
            parse(record, from, to, out);
        }
    }

    /** Reads any record, and says what is wrong with it. */
    void parse(byte[] record, int from, int to, RowWriter out) {
        try (var json = FACTORY.createParser(record, from, to - from)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw RefusedRow.value("is not a JSON object", "write it in braces");
            }
            columns.write(json, out);
            if (json.nextToken() != null) {
                throw RefusedRow.value(
                        "goes on after its JSON object",
                        "send one object per record, several as a batch");
            }
        } catch (JsonProcessingException e) {
            throw malformed(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static RefusedRow malformed(JsonProcessingException e) {
        // Behind "(start marker", "[Source" or ", from" Jackson tells of itself, not of the record.
        var message =
                e.getOriginalMessage()
                        .replaceAll("\\p{Cntrl}", " ")
                        .replaceAll(", from `[^`]*`", "");
        var told = message.split("\\(start marker|\\[Source", 2)[0].strip();
        // What is beyond its limits Jackson refuses without a place.
        var at = e.getLocation();
        return RefusedRow.value(
                "is not well-formed JSON%s: %s"
                        .formatted(
                                at == null ? "" : " at byte " + at.getByteOffset(),
                                told.substring(0, Math.min(told.length(), PROBLEM_CHARACTERS_MAX))),
                "send one complete JSON object, as UTF-8");
    }
}
