package dev.lakemill.catalog;

/**
 * Where names of fewer parts lie; empty where nothing was said.
 *
 * @param catalog of a schema named without one
 * @param schema of a table named without one
 */
public record NameDefaults(String catalog, String schema) {
    /** Every name is written whole. */
    public static final NameDefaults NONE = new NameDefaults("", "");
}
