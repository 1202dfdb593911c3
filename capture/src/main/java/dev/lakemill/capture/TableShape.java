package dev.lakemill.capture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.postgres.PostgresTypes;
import dev.lakemill.types.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A table of Postgres at a place of its log. Columns are known by their numbers, which neither a
 * new name nor a new type changes.
 *
 * @param key numbers of the key's columns; empty without a key
 * @param json the text that it was read from
 */
record TableShape(
        long oid,
        String schema,
        String name,
        List<PgColumn> columns,
        List<Integer> key,
        String json) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A column.
     *
     * @param missing the value of rows that are older than the column, as text; null for NULL
     * @param filled whether new rows get a value by themselves, so that a new column may have given
     *     older rows values that nobody sees in the log
     */
    record PgColumn(
            int number, String name, DataType type, @Nullable String missing, boolean filled) {}

    TableShape {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }

    /** Of the text that {@code lakemill.capture_shape} gives. */
    static TableShape parse(String json) {
        try {
            var tree = JSON.readTree(json);
            var columns = new ArrayList<PgColumn>();
            for (var column : tree.path("columns")) {
                columns.add(
                        new PgColumn(
                                column.path("number").asInt(),
                                column.path("name").asText(),
                                PostgresTypes.of(column.path("type").asText()),
                                column.path("missing").textValue(),
                                column.path("filled").asBoolean()));
            }
            var key = new ArrayList<Integer>();
            tree.path("key").forEach(number -> key.add(number.asInt()));
            return new TableShape(
                    tree.path("oid").asLong(),
                    tree.path("schema").asText(),
                    tree.path("name").asText(),
                    columns,
                    key,
                    json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a shape is no JSON: " + json, e);
        }
    }

    Optional<PgColumn> column(int number) {
        return columns.stream().filter(c -> c.number() == number).findFirst();
    }

    /** The number of the column with a name, or -1. */
    int number(String column) {
        return columns.stream()
                .filter(c -> c.name().equals(column))
                .mapToInt(PgColumn::number)
                .findFirst()
                .orElse(-1);
    }

    String fullName() {
        return schema + "." + name;
    }

    /** For SQL. */
    String quoted() {
        return quoted(schema) + "." + quoted(name);
    }

    static String quoted(String identifier) {
        return "\"" + identifier.replace("\"", "\"\"") + "\"";
    }
}
