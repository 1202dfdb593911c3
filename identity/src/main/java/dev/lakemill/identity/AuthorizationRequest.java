package dev.lakemill.identity;

import org.jspecify.annotations.Nullable;

/**
 * What a client asks the person at the browser for; it was checked.
 *
 * @param challenge of PKCE, S256
 */
public record AuthorizationRequest(
        String clientId,
        String redirectUri,
        @Nullable String state,
        String scope,
        String challenge,
        @Nullable String nonce) {}
