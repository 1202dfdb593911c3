package dev.lakemill.sync;

/**
 * A column that only Postgres has, computed there.
 *
 * @param type as Postgres spells it
 * @param compute an expression of Postgres
 */
public record ExtraColumn(String name, String type, String compute, Maintenance maintenance) {
    /** When it is computed, as Databricks names it. */
    public enum Maintenance {
        /** From the row's other columns, each time that it is written. */
        STORED_GENERATED,
        /** Once, when the row comes. */
        DEFAULT_VALUE
    }

    /** What stands behind its name in DDL. */
    String declaration() {
        return switch (maintenance) {
            case STORED_GENERATED -> "%s GENERATED ALWAYS AS (%s) STORED".formatted(type, compute);
            case DEFAULT_VALUE -> "%s DEFAULT (%s)".formatted(type, compute);
        };
    }
}
