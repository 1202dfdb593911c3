package dev.lakemill.ingest;

import dev.lakemill.types.TableName;
import java.util.Optional;
import java.util.Set;

/**
 * What becomes of rows that do not fit their table. By default they are refused, and the whole
 * request with them.
 *
 * @param rescueColumn a nullable STRING column that takes, as one JSON object, the fields of a JSON
 *     record that are no columns or do not fit theirs
 * @param deadLetters the table that takes rows which do not fit, with what is wrong
 * @param microsecondColumns TIMESTAMP columns whose values are checked to be microseconds: what
 *     would be a day before March 1973 is taken for seconds or milliseconds
 */
public record RowPolicy(
        Optional<String> rescueColumn,
        Optional<TableName> deadLetters,
        Set<String> microsecondColumns) {
    /** Refuses, and checks no units. */
    public static final RowPolicy REFUSE =
            new RowPolicy(Optional.empty(), Optional.empty(), Set.of());

    /** Seconds and milliseconds of today are below, microseconds since March 1973 above. */
    static final long MICROSECONDS_MIN = 100_000_000_000_000L;

    static final String UNIT_HINT = "send microseconds since 1970; the column declares them";

    public RowPolicy {
        microsecondColumns = Set.copyOf(microsecondColumns);
    }
}
