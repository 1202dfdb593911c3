package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.lakemill.types.Column;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Reads JSON objects whose keys are the columns of a table or the fields of a struct, and writes
 * them in the log's row form. Belongs to one stream; not thread-safe.
 */
final class JsonColumns {
    private final List<Column> columns;
    private final JsonType[] types;
    private final Map<String, Integer> byName = new HashMap<>();
    private final Map<String, Integer> byLowerCaseName = new HashMap<>();

    /** The row in which a column was last seen: {@link #row} when it came in this one. */
    private final long[] seenInRow;

    private final boolean skipsNulls;

    /** What one of them is called. */
    private final String word;

    private long row;

    /** Of a table; {@code skipsNulls}: a key that is no column may come with null. */
    static JsonColumns ofTable(List<Column> columns, boolean skipsNulls) {
        return new JsonColumns(columns, skipsNulls, "column");
    }

    static JsonColumns ofStruct(List<Column> fields) {
        return new JsonColumns(fields, false, "field");
    }

    private JsonColumns(List<Column> columns, boolean skipsNulls, String word) {
        this.word = word;
        this.columns = columns;
        this.skipsNulls = skipsNulls;
        this.types = columns.stream().map(c -> JsonType.of(c.type())).toArray(JsonType[]::new);
        this.seenInRow = new long[types.length];
        for (int i = 0; i < types.length; i++) {
            var name = columns.get(i).name();
            byName.put(name, i);
            byLowerCaseName.put(name.toLowerCase(Locale.ROOT), i);
        }
    }

    /** Writes the object at the parser's token, without tag and length. */
    void write(JsonParser json, RowWriter out) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw RefusedRow.value(
                    "takes an object, found " + JsonType.shown(json), "write it in braces");
        }
        row++;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            var name = json.currentName();
            int column = column(name);
            json.nextToken();
            if (column < 0) {
                checkSkipped(name, json);
                continue;
            }
            try {
                writeColumn(column, json, out);
            } catch (RefusedRow e) {
                throw e.inside(columns.get(column).name());
            }
        }
        checkRequired();
    }

    private void writeColumn(int column, JsonParser json, RowWriter out) throws IOException {
        if (seenInRow[column] == row) {
            throw RefusedRow.value(
                    "stands twice in the object", "send each %s once".formatted(word));
        }
        if (!JsonType.isNull(json)) {
            seenInRow[column] = row;
            out.tag(column + 1, types[column].wireType());
            types[column].write(json, out);
        } else if (columns.get(column).nullable()) {
            seenInRow[column] = row;
        }
    }

    /** The column of a name; -1 for none. */
    private int column(String name) {
        var exact = byName.get(name);
        if (exact != null) {
            return exact;
        }
        return byLowerCaseName.getOrDefault(name.toLowerCase(Locale.ROOT), -1);
    }

    private void checkSkipped(String name, JsonParser json) {
        if (!skipsNulls || !JsonType.isNull(json)) {
            throw RefusedRow.value(
                    "holds %s, which is not a %s".formatted(RefusedRow.shown(name), word),
                    "the %ss are %s".formatted(word, names()));
        }
    }

    private void checkRequired() {
        for (int i = 0; i < types.length; i++) {
            if (seenInRow[i] != row && !columns.get(i).nullable()) {
                throw RefusedRow.value(
                                "is NOT NULL (%s), but has no value"
                                        .formatted(columns.get(i).type().sql()),
                                "send a value for it")
                        .inside(columns.get(i).name());
            }
        }
    }

    private String names() {
        var shown = columns.stream().limit(20).map(Column::name).collect(Collectors.joining(", "));
        return columns.size() > 20 ? shown + ", ..." : shown;
    }
}
