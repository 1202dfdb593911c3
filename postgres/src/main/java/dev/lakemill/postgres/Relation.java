package dev.lakemill.postgres;

/** A table, view or sequence of Postgres. */
record Relation(String schema, String name) implements Comparable<Relation> {
    /** Legal in no schema of the catalog, so that no table of it can be there. */
    private static final String HIDDEN = "lakemill:";

    private static final int NAME_BYTES_MAX = 63;

    @Override
    public String toString() {
        return schema + "." + name;
    }

    /** Its name for SQL. */
    String sql() {
        return quoted(schema) + "." + quoted(name);
    }

    /** Where it lies while a view with masks stands in its place. */
    Relation hidden() {
        return new Relation(HIDDEN + schema, name);
    }

    /** The name under which it is known, hidden or not. */
    Relation shown() {
        return isHidden() ? new Relation(schema.substring(HIDDEN.length()), name) : this;
    }

    boolean isHidden() {
        return schema.startsWith(HIDDEN);
    }

    /** Whether Postgres can bear the name of the hidden one. */
    boolean canHide() {
        return HIDDEN.length() + schema.length() <= NAME_BYTES_MAX;
    }

    static String quoted(String identifier) {
        return "\"" + identifier.replace("\"", "\"\"") + "\"";
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    @Override
    public int compareTo(Relation other) {
        var order = schema.compareTo(other.schema);
        return order != 0 ? order : name.compareTo(other.name);
    }
}
