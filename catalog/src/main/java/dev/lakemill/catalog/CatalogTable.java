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

    /**
     * Property of a table that is captured from a state table: that one's schema and name in
     * Postgres. Row filters and masks of the state table hold on it too.
     */
    public static final String CAPTURED_FROM = "captured_from";

    /**
     * Property of a captured table whose state table went with row filter or masks: its name. Until
     * a policy of its own is set, nobody reads it.
     */
    public static final String POLICIES_GONE = "captured_policies_gone";

    public CatalogTable {
        properties = Map.copyOf(properties);
    }
}
