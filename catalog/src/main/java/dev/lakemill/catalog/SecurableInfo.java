package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import dev.lakemill.types.Securable;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/**
 * A securable as the catalog knows it; what only tables have stands in {@link CatalogTable}.
 *
 * @param location where its data lies, as a URI; empty for what has none
 */
public record SecurableInfo(
        UUID id,
        Securable securable,
        Principal owner,
        String comment,
        Map<String, String> properties,
        String location,
        Instant createdAt,
        String createdBy,
        Instant updatedAt,
        String updatedBy) {
    public SecurableInfo {
        properties = Map.copyOf(properties);
    }
}
