package dev.lakemill.farm;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A row of a {@link FarmTable}; never changes. Values have the types of the table's fields. */
final class FarmRow {
    private final FarmTable table;
    private final @Nullable Object[] values;

    private FarmRow(FarmTable table, @Nullable Object[] values) {
        this.table = table;
        this.values = values;
    }

    /** A row without identity: {@code values} go between event_id and sent_at. */
    static FarmRow of(FarmTable table, Object... values) {
        if (values.length != table.fields().size() - 2) {
            throw new IllegalArgumentException(
                    "%d values for %s".formatted(values.length, table.sqlName()));
        }
        var all = new @Nullable Object[values.length + 2];
        System.arraycopy(values, 0, all, 1, values.length);
        return new FarmRow(table, all);
    }

    FarmTable table() {
        return table;
    }

    @Nullable Object value(int column) {
        return values[column];
    }

    /** The value of a column that has one. */
    Object value(String column) {
        return Objects.requireNonNull(values[table.indexOf(column)], column);
    }

    String text(String column) {
        return (String) value(column);
    }

    long number(String column) {
        return (Long) value(column);
    }

    FarmRow with(String column, @Nullable Object value) {
        var changed = values.clone();
        changed[table.indexOf(column)] = value;
        return new FarmRow(table, changed);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FarmRow row
                && row.table == table
                && Arrays.equals(row.values, values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return table.sqlName() + Arrays.toString(values);
    }
}
