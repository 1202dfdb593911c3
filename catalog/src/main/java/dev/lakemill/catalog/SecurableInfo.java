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

    SecurableInfo named(Securable name) {
        return new SecurableInfo(
                id,
                name,
                owner,
                comment,
                properties,
                location,
                createdAt,
                createdBy,
                updatedAt,
                updatedBy);
    }

    SecurableInfo described(String newComment, Map<String, String> newProperties) {
        return new SecurableInfo(
                id,
                securable,
                owner,
                newComment,
                newProperties,
                location,
                createdAt,
                createdBy,
                updatedAt,
                updatedBy);
    }

    SecurableInfo ownedBy(Principal newOwner) {
        return new SecurableInfo(
                id,
                securable,
                newOwner,
                comment,
                properties,
                location,
                createdAt,
                createdBy,
                updatedAt,
                updatedBy);
    }

    SecurableInfo touched(Instant at, String by) {
        return new SecurableInfo(
                id, securable, owner, comment, properties, location, createdAt, createdBy, at, by);
    }

    SecurableInfo withId(UUID other) {
        return new SecurableInfo(
                other,
                securable,
                owner,
                comment,
                properties,
                location,
                createdAt,
                createdBy,
                updatedAt,
                updatedBy);
    }
}
