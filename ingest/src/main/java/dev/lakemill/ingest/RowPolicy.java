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
 * @param evolution what JSON records, newer descriptors and newer Arrow schemas may change of the
 *     table
 */
public record RowPolicy(
        Optional<String> rescueColumn,
        Optional<TableName> deadLetters,
        Set<String> microsecondColumns,
        Evolution evolution) {
    /** What rows may change of their table, before any of them counts as one that does not fit. */
    public enum Evolution {
        NONE,
        /** Fields that are no columns become nullable ones. */
        ADD_NEW_COLUMNS,
        /** The same, and columns take wider types. */
        ADD_NEW_COLUMNS_WITH_TYPE_WIDENING
    }

    /** Refuses, and checks no units. */
    public static final RowPolicy REFUSE =
            new RowPolicy(Optional.empty(), Optional.empty(), Set.of());

    /** Of a table that stays as it is. */
    public RowPolicy(
            Optional<String> rescueColumn,
            Optional<TableName> deadLetters,
            Set<String> microsecondColumns) {
        this(rescueColumn, deadLetters, microsecondColumns, Evolution.NONE);
    }

    boolean evolves() {
        return evolution != Evolution.NONE;
    }

    boolean widens() {
        return evolution == Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING;
    }

    /** Seconds and milliseconds of today are below, microseconds since March 1973 above. */
    static final long MICROSECONDS_MIN = 100_000_000_000_000L;

    static final String UNIT_HINT = "send microseconds since 1970; the column declares them";

    public RowPolicy {
        microsecondColumns = Set.copyOf(microsecondColumns);
    }
}
