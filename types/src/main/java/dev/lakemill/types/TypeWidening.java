package dev.lakemill.types;

import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;

/**
 * The types that a column may take on while it keeps its rows: wider integers, and DOUBLE for
 * FLOAT. Delta's type widening allows more; these convert without loss, and every part of the
 * process reads either.
 */
public final class TypeWidening {
    private static final List<Primitive> WHOLE =
            List.of(Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG);
    private static final List<Primitive> FLOATING = List.of(Primitive.FLOAT, Primitive.DOUBLE);

    private TypeWidening() {}

    /** Whether every value of a type is one of the other, which is wider. */
    public static boolean isAllowed(DataType from, DataType to) {
        return isAllowed(WHOLE, from, to) || isAllowed(FLOATING, from, to);
    }

    private static boolean isAllowed(List<Primitive> narrowToWide, DataType from, DataType to) {
        int narrow = from instanceof Primitive p ? narrowToWide.indexOf(p) : -1;
        int wide = to instanceof Primitive p ? narrowToWide.indexOf(p) : -1;
        return narrow >= 0 && wide > narrow;
    }

    /**
     * A schema with columns that it does not have behind its own, and with wider types for those
     * that it has; what would change a column in another way is left out. Columns keep their
     * places.
     *
     * @param columns those that are new must be nullable
     */
    public static TableSchema grown(TableSchema schema, List<Column> columns) {
        var grown = new ArrayList<>(schema.columns());
        for (var column : columns) {
            int place = place(grown, column.name());
            if (place < 0) {
                grown.add(column);
            } else if (isAllowed(grown.get(place).type(), column.type())) {
                var present = grown.get(place);
                grown.set(
                        place,
                        new Column(
                                present.name(),
                                column.type(),
                                present.nullable(),
                                present.comment()));
            }
        }
        return new TableSchema(grown);
    }

    private static int place(List<Column> columns, String name) {
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).name().equalsIgnoreCase(name)) {
                return i;
            }
        }
        return -1;
    }
}
