package dev.lakemill.types;

import java.util.Objects;
import java.util.Optional;

/**
 * Something that privileges are granted on, by its kind and full name.
 *
 * @param name {@code catalog}, {@code catalog.schema} or {@code catalog.schema.name}; one part for
 *     external locations, credentials, apps and agents; empty for the metastore
 */
public record Securable(SecurableType type, String name) {
    /** The one metastore: the parent of everything. */
    public static final Securable METASTORE = new Securable(SecurableType.METASTORE, "");

    public Securable {
        Objects.requireNonNull(type, "type is null");
        Objects.requireNonNull(name, "name is null");
        if (name.isEmpty() ? parts(type) != 0 : name.split("\\.", -1).length != parts(type)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' does not name a %s".formatted(name, type),
                    "its name has %d parts, joined by dots".formatted(parts(type)));
        }
    }

    public static Securable catalog(String name) {
        return new Securable(SecurableType.CATALOG, name);
    }

    public static Securable schema(String catalog, String schema) {
        return new Securable(SecurableType.SCHEMA, catalog + "." + schema);
    }

    public static Securable table(TableName name) {
        return new Securable(SecurableType.TABLE, name.toString());
    }

    /** What contains it: the schema of a table, the catalog of a schema; none for the metastore. */
    public Optional<Securable> parent() {
        return switch (type) {
            case METASTORE -> Optional.empty();
            case CATALOG, EXTERNAL_LOCATION, CREDENTIAL, APP, AGENT -> Optional.of(METASTORE);
            case SCHEMA -> Optional.of(new Securable(SecurableType.CATALOG, container()));
            case TABLE, VOLUME, FUNCTION, REGISTERED_MODEL ->
                    Optional.of(new Securable(SecurableType.SCHEMA, container()));
        };
    }

    private String container() {
        return name.substring(0, name.lastIndexOf('.'));
    }

    private static int parts(SecurableType type) {
        return switch (type) {
            case METASTORE -> 0;
            case CATALOG, EXTERNAL_LOCATION, CREDENTIAL, APP, AGENT -> 1;
            case SCHEMA -> 2;
            case TABLE, VOLUME, FUNCTION, REGISTERED_MODEL -> 3;
        };
    }

    @Override
    public String toString() {
        return name.isEmpty() ? type.name() : type + " " + name;
    }
}
