package dev.lakemill.sync;

/**
 * An index of any form.
 *
 * @param definition what stands behind the table's name in CREATE INDEX: {@code USING gin (tags)}
 */
public record ExtraIndex(String name, String definition) {}
