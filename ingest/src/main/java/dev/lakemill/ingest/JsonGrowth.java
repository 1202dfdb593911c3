package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.ByteString;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Says which columns a table would need for JSON records that do not fit it: BOOLEAN, BIGINT,
 * DOUBLE or STRING by the value of an unknown field, and a wider type for a number that is too
 * large. A record that would neither fit nor be rescued even then asks for nothing. Belongs to one
 * stream.
 */
final class JsonGrowth {
    /** Of a table; fields beyond them do not fit. */
    static final int COLUMNS_MAX = 1_000;

    /** Delta without column mapping, and every SQL, take such names. */
    private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]{0,127}");

    /** Of positions, in our Parquet files. */
    private static final String RESERVED = "_position";

    private final Landing landing;
    private final TableSchema schema;
    private final RowPolicy policy;
    private final RowWriter scratch = new RowWriter(RecordEncoder.PAYLOAD_BYTES_MAX);

    JsonGrowth(Landing landing, TableSchema schema, RowPolicy policy) {
        this.landing = landing;
        this.schema = schema;
        this.policy = policy;
    }

    /** Whether a table may get a column of the name. */
    static boolean mayBeColumn(String name) {
        return NAME.matcher(name).matches() && !name.equalsIgnoreCase(RESERVED);
    }

    /**
     * @throws NewColumns when the table needs some for the records
     */
    void check(List<ByteString> records) {
        var needed = new TreeMap<String, Column>(String.CASE_INSENSITIVE_ORDER);
        for (var record : records) {
            var bytes = record.toByteArray();
            var columns = columns(bytes, needed);
            if (!columns.isEmpty() && fits(bytes, columns)) {
                needed.putAll(columns);
            }
        }
        if (!needed.isEmpty()) {
            throw new NewColumns(landing, List.copyOf(needed.values()));
        }
    }

    private Map<String, Column> columns(byte[] record, Map<String, Column> needed) {
        var found = new TreeMap<String, Column>(String.CASE_INSENSITIVE_ORDER);
        try (var json = JsonEncoder.FACTORY.createParser(record)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return Map.of();
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                var name = json.currentName();
                json.nextToken();
                column(name, json, needed.get(name))
                        .filter(_ -> schema.size() + needed.size() + found.size() < COLUMNS_MAX)
                        .ifPresent(column -> found.put(name, column));
                json.skipChildren();
            }
            return found;
        } catch (JsonProcessingException e) {
            return Map.of(); // It is refused for that.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<Column> column(String name, JsonParser json, @Nullable Column before)
            throws IOException {
        var place = schema.indexOf(name);
        if (place.isPresent()) {
            var column = schema.column(place.getAsInt());
            var present = before == null ? column.type() : before.type();
            return policy.widens()
                    ? wider(present, json)
                            .map(type -> new Column(column.name(), type, column.nullable(), ""))
                    : Optional.empty();
        }
        if (!mayBeColumn(name)) {
            return Optional.empty();
        }
        return type(json)
                .filter(type -> before == null || isMore(before.type(), type))
                .map(type -> Column.nullable(name, type));
    }

    /** What the first record makes of a field, a later one may make wider. */
    private static boolean isMore(DataType before, DataType type) {
        return TypeWidening.isAllowed(before, type)
                || (before == Primitive.LONG && type == Primitive.DOUBLE);
    }

    private static Optional<DataType> type(JsonParser json) {
        return switch (json.currentToken()) {
            case VALUE_TRUE, VALUE_FALSE -> Optional.of(Primitive.BOOLEAN);
            case VALUE_NUMBER_INT -> Optional.of(Primitive.LONG);
            case VALUE_NUMBER_FLOAT -> Optional.of(Primitive.DOUBLE);
            case VALUE_STRING -> Optional.of(Primitive.STRING);
            default -> Optional.empty();
        };
    }

    private static Optional<DataType> wider(DataType present, JsonParser json) throws IOException {
        if (json.currentToken() == JsonToken.VALUE_NUMBER_INT) {
            return narrowest(json).filter(type -> TypeWidening.isAllowed(present, type));
        }
        return json.currentToken() == JsonToken.VALUE_NUMBER_FLOAT
                        && present == Primitive.FLOAT
                        && Float.isInfinite(json.getFloatValue())
                ? Optional.of(Primitive.DOUBLE)
                : Optional.empty();
    }

    private static Optional<DataType> narrowest(JsonParser json) throws IOException {
        if (json.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            return Optional.empty();
        }
        long value = json.getLongValue();
        if (value == (short) value) {
            return Optional.of(value == (byte) value ? Primitive.BYTE : Primitive.SHORT);
        }
        return Optional.of(value == (int) value ? Primitive.INTEGER : Primitive.LONG);
    }

    private boolean fits(byte[] record, Map<String, Column> columns) {
        var grown = TypeWidening.grown(schema, new ArrayList<>(columns.values()));
        scratch.clear();
        try {
            new JsonEncoder(grown, true).encode(record, 0, record.length, scratch);
            return true;
        } catch (RefusedRow e) {
            return policy.rescueColumn()
                    .filter(c -> new JsonRescue(grown, c).write(record, 0, record.length, scratch))
                    .isPresent();
        }
    }
}
