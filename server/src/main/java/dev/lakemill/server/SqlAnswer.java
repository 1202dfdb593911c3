package dev.lakemill.server;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a statement gives: rows whose values are text, as Databricks' JSON_ARRAY has them.
 *
 * @param cut whether there are more rows than the limits allow
 */
record SqlAnswer(List<Column> columns, List<List<@Nullable String>> rows, boolean cut) {
    /** Of a statement that gives no rows. */
    static final SqlAnswer DONE = new SqlAnswer(List.of(), List.of(), false);

    /** Rows of text columns. */
    static SqlAnswer of(List<String> columns, List<List<@Nullable String>> rows) {
        return new SqlAnswer(texts(columns.stream()), rows, false);
    }

    /** How large the values are, in characters. */
    long characters() {
        return rows.stream()
                .flatMap(List::stream)
                .mapToLong(value -> value == null ? 0 : value.length())
                .sum();
    }

    private static List<Column> texts(Stream<String> names) {
        return names.map(name -> Column.nullable(name, Primitive.STRING)).toList();
    }
}
