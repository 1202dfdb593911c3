package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import java.time.Instant;

/**
 * A principal as the catalog knows it.
 *
 * @param displayName for people
 * @param externalId of the identity provider that brought it; empty for our own
 * @param active false when it may not log in; its grants stay
 */
public record PrincipalInfo(
        Principal principal,
        String displayName,
        String externalId,
        boolean active,
        Instant createdAt) {
    public PrincipalInfo withDisplayName(String other) {
        return new PrincipalInfo(principal, other, externalId, active, createdAt);
    }

    public PrincipalInfo withExternalId(String other) {
        return new PrincipalInfo(principal, displayName, other, active, createdAt);
    }

    public PrincipalInfo withActive(boolean other) {
        return new PrincipalInfo(principal, displayName, externalId, other, createdAt);
    }
}
