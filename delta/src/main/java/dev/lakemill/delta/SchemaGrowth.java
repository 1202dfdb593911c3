package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.nio.file.Path;
import java.util.List;

/** Which columns, and which wider types, a table may get while it keeps its rows. */
final class SchemaGrowth {
    private SchemaGrowth() {}

    /**
     * Whether the table has the columns already.
     *
     * @throws LakemillException FAILED_PRECONDITION when more than new columns and wider types
     *     differ
     */
    static boolean isNone(TableSchema present, TableSchema wanted, Path location) {
        for (var column : present.columns()) {
            var place = wanted.indexOf(column.name());
            if (place.isEmpty() || !isKept(column, wanted.column(place.getAsInt()))) {
                throw refused(
                        location,
                        "has the column %s %s, which is to be another"
                                .formatted(column.name(), column.type().sql()));
            }
        }
        if (wanted.indexOf(TableContext.POSITION).isPresent()) {
            throw refused(location, "keeps the name %s".formatted(TableContext.POSITION));
        }
        for (var column : wanted.columns()) {
            if (present.indexOf(column.name()).isEmpty() && !column.nullable()) {
                throw refused(
                        location,
                        "has rows without a value for the new column %s NOT NULL"
                                .formatted(column.name()));
            }
        }
        return present.size() == wanted.size() && widened(present, wanted).isEmpty();
    }

    private static boolean isKept(Column present, Column wanted) {
        return present.nullable() == wanted.nullable()
                && (present.type().equals(wanted.type())
                        || TypeWidening.isAllowed(present.type(), wanted.type()));
    }

    /** The columns of the table whose types are others. */
    static List<Column> widened(TableSchema present, TableSchema wanted) {
        return present.columns().stream()
                .filter(
                        column ->
                                wanted.columns().stream()
                                        .filter(w -> w.name().equalsIgnoreCase(column.name()))
                                        .anyMatch(w -> !w.type().equals(column.type())))
                .toList();
    }

    private static LakemillException refused(Path location, String problem) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "Delta table %s %s".formatted(location, problem),
                "make the table anew, with a full refresh");
    }
}
