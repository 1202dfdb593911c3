package dev.lakemill.catalog;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/**
 * A table as the catalog knows it.
 *
 * @param location where its data lies: a file URI of a Delta table, or {@code
 *     postgres:schema.table}
 * @param properties free pairs, for example {@code pipeline} and, of a synced table, {@code source}
 */
public record CatalogTable(
        UUID id,
        TableName name,
        TableKind kind,
        TableSchema schema,
        String location,
        String comment,
        Map<String, String> properties,
        Instant createdAt) {
    /**
     * Property of a table that got columns from its producers: how many it had before; those are
     * the first ones.
     */
    public static final String DECLARED_COLUMNS = "declared_columns";

    public CatalogTable {
        properties = Map.copyOf(properties);
    }
}
