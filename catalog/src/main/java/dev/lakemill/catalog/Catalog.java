package dev.lakemill.catalog;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;

/** Names, schemas and locations of all tables, kept in Postgres. SKELETON. */
public final class Catalog {
    private Catalog() {}

    /** Opens the catalog in the schema {@code lakemill} of the database, migrating it forward. */
    public static Catalog open(DataSource database) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Answered from memory, so that ingest goes on while Postgres restarts. */
    public Optional<CatalogTable> find(TableName name) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** All tables, by name. */
    public List<CatalogTable> list() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** ALREADY_EXISTS when the name is taken. */
    public CatalogTable create(
            TableName name,
            TableKind kind,
            TableSchema schema,
            String location,
            String comment,
            Map<String, String> properties) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Replaces comment and properties. NOT_FOUND when there is no such table. */
    public CatalogTable update(TableName name, String comment, Map<String, String> properties) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** NOT_FOUND when there is no such table. */
    public void drop(TableName name) {
        throw new UnsupportedOperationException("skeleton");
    }
}
