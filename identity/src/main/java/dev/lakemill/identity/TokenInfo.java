package dev.lakemill.identity;

import dev.lakemill.catalog.Claim;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/**
 * What a token that was found good says.
 *
 * @param id by which it can be revoked, {@code jti}
 * @param session what it was derived from and dies with, {@code sid}: the login of a browser or a
 *     chain of refresh tokens; empty for none
 * @param generation of the principal's tokens, which rises when all of them are revoked
 * @param details what alone it is good for; empty for all that the principal may do
 */
public record TokenInfo(
        Principal principal,
        String id,
        String session,
        long generation,
        Instant issuedAt,
        Instant expiresAt,
        Audience audience,
        Set<String> scopes,
        List<AuthorizationDetail> details) {
    public TokenInfo {
        scopes = Set.copyOf(scopes);
        details = List.copyOf(details);
    }

    /** What is made from it dies with this: its session, or itself where it has none. */
    public String family() {
        return session.isEmpty() ? id : session;
    }

    /**
     * Whether the token reaches that far. It only narrows: what the principal may do is for {@link
     * dev.lakemill.catalog.Access} to say.
     */
    public boolean allows(Privilege privilege, Securable on) {
        return details.isEmpty() || details.stream().anyMatch(d -> d.allows(privilege, on));
    }

    /** What it is good for. */
    public Claim claim() {
        return details.isEmpty() ? Claim.ALL : new TokenClaim(details);
    }

    /** Whether it is good for less than all that its principal may do. */
    public boolean isNarrowed() {
        return !details.isEmpty();
    }
}
