package dev.lakemill.identity;

import dev.lakemill.types.Principal;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * A token that is to be made; see {@link TokenInfo} for its parts.
 *
 * @param timeToLive {@link Tokens#TTL_MAX} at most
 */
public record TokenRequest(
        Principal principal,
        Audience audience,
        Duration timeToLive,
        Set<String> scopes,
        List<AuthorizationDetail> details,
        String session) {
    /** The one scope: everything that the principal may do. */
    public static final String ALL_APIS = "all-apis";

    public TokenRequest {
        scopes = Set.copyOf(scopes);
        details = List.copyOf(details);
    }

    /** For every door and an hour. */
    public static TokenRequest of(Principal principal) {
        return new TokenRequest(
                principal, Audience.ALL, Duration.ofHours(1), Set.of(ALL_APIS), List.of(), "");
    }

    public TokenRequest forAudience(Audience other) {
        return new TokenRequest(principal, other, timeToLive, scopes, details, session);
    }

    public TokenRequest withTimeToLive(Duration other) {
        return new TokenRequest(principal, audience, other, scopes, details, session);
    }

    public TokenRequest withDetails(List<AuthorizationDetail> others) {
        return new TokenRequest(principal, audience, timeToLive, scopes, others, session);
    }

    /** The token dies when the session is revoked. */
    public TokenRequest withSession(String other) {
        return new TokenRequest(principal, audience, timeToLive, scopes, details, other);
    }
}
