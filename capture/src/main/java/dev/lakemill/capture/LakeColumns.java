package dev.lakemill.capture;

import dev.lakemill.capture.TableShape.PgColumn;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How the columns of a state table are called in the lake. */
final class LakeColumns {
    static final Column CHANGE_TYPE = Column.required("_pg_change_type", Primitive.STRING);
    static final Column LSN = Column.required("_pg_lsn", Primitive.LONG);
    static final Column XID = Column.nullable("_pg_xid", Primitive.LONG);
    static final Column TIMESTAMP = Column.required("_timestamp", Primitive.TIMESTAMP);
    static final Column SORT_BY = Column.required("_sort_by", Primitive.LONG);
    static final List<Column> METADATA = List.of(CHANGE_TYPE, LSN, XID, TIMESTAMP, SORT_BY);

    private LakeColumns() {}

    /**
     * The name of each column by its number: its own, but for characters that Delta does not take,
     * and with its number where another column or the history's own has it, in any case.
     */
    static Map<Integer, String> names(TableShape shape) {
        var taken = new HashSet<String>();
        METADATA.forEach(column -> taken.add(column.name()));
        taken.add("_position");
        var names = new LinkedHashMap<Integer, String>();
        for (var column : shape.columns()) {
            var name = column.name().replaceAll("[ ,;{}()\\n\\t=.`]", "_");
            if (!taken.add(name.toLowerCase(Locale.ROOT))) {
                name = name + "_" + column.number();
                taken.add(name.toLowerCase(Locale.ROOT));
            }
            names.put(column.number(), name);
        }
        return names;
    }

    /** Of a current-state table: the table's columns, those of the key never NULL. */
    static TableSchema current(TableShape shape) {
        var names = names(shape);
        return new TableSchema(
                shape.columns().stream()
                        .map(
                                column ->
                                        new Column(
                                                name(names, column.number()),
                                                column.type(),
                                                !shape.key().contains(column.number()),
                                                ""))
                        .toList());
    }

    /** Of a new history: the table's columns, all of which may be NULL, and its own behind them. */
    static TableSchema history(TableShape shape) {
        var columns = new ArrayList<Column>();
        var names = names(shape);
        for (var column : shape.columns()) {
            columns.add(Column.nullable(name(names, column.number()), column.type()));
        }
        columns.addAll(METADATA);
        return new TableSchema(columns);
    }

    /**
     * Of a history that has columns, which all stay: with what the table needs beside them, and
     * wider types where values fit those that are there.
     */
    static TableSchema grown(TableSchema history, TableShape shape) {
        var missing = new ArrayList<Column>();
        var names = names(shape);
        for (var column : shape.columns()) {
            missing.add(
                    Column.nullable(
                            historyName(history, name(names, column.number()), column),
                            column.type()));
        }
        return TypeWidening.grown(history, missing);
    }

    /** The column of a history that takes a column's values. */
    static String historyName(TableSchema history, String name, PgColumn column) {
        var present = history.indexOf(name);
        if (present.isEmpty()) {
            return name;
        }
        var type = history.column(present.getAsInt()).type();
        var fits =
                same(type, column.type())
                        || TypeWidening.isAllowed(type, column.type())
                        || TypeWidening.isAllowed(column.type(), type);
        return fits ? name : name + "__" + suffix(column.type());
    }

    static boolean same(DataType a, DataType b) {
        return a.sql().equals(b.sql());
    }

    private static String suffix(DataType type) {
        return type.sql()
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "_")
                .replaceAll("_$", "");
    }

    static String name(Map<Integer, String> names, int number) {
        return names.getOrDefault(number, "");
    }
}
