package dev.lakemill.types;

import java.util.Locale;
import java.util.stream.Stream;

/**
 * What may be granted, in Databricks' names. {@code USE CATALOG} and {@code USE_CATALOG} are the
 * same; {@link #sql()} gives the first, {@link #name()} the second.
 */
public enum Privilege {
    ALL_PRIVILEGES,
    APPLY_TAG,
    BROWSE,
    /** Ours: Databricks has no word for who may deploy an agent. */
    CREATE_AGENT,
    /** Ours: Databricks has no word for who may deploy an app. */
    CREATE_APP,
    CREATE_CATALOG,
    CREATE_EXTERNAL_LOCATION,
    CREATE_EXTERNAL_TABLE,
    CREATE_EXTERNAL_VOLUME,
    CREATE_FUNCTION,
    CREATE_MANAGED_STORAGE,
    CREATE_MATERIALIZED_VIEW,
    CREATE_MODEL,
    CREATE_SCHEMA,
    CREATE_STORAGE_CREDENTIAL,
    CREATE_TABLE,
    CREATE_VIEW,
    CREATE_VOLUME,
    EXECUTE,
    EXTERNAL_USE_SCHEMA,
    MANAGE,
    MODIFY,
    READ_FILES,
    READ_VOLUME,
    REFRESH,
    SELECT,
    USE_CATALOG,
    USE_SCHEMA,
    WRITE_FILES,
    WRITE_VOLUME;

    /** As SQL writes it: with spaces. */
    public String sql() {
        return name().replace('_', ' ');
    }

    /** Reads either spelling, in any case; INVALID_ARGUMENT for what is none. */
    public static Privilege parse(String text) {
        var name = text.strip().replaceAll("[ _]+", "_").toUpperCase(Locale.ROOT);
        return Stream.of(values())
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.INVALID_ARGUMENT,
                                        "'%s' is not a privilege".formatted(text),
                                        "for example SELECT, MODIFY, USE SCHEMA, CREATE TABLE"));
    }
}
