package dev.lakemill.catalog;

import dev.lakemill.types.Securable;

/**
 * A tag on a securable or on a column of a table.
 *
 * @param column empty for the securable itself
 */
public record Tag(Securable on, String column, String key, String value) {}
