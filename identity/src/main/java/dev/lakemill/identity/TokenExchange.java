package dev.lakemill.identity;

import dev.lakemill.types.Principal;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whose token is shown for another: one of ours, or one of the issuer that is trusted. */
final class TokenExchange {
    private static final String TYPES = "urn:ietf:params:oauth:token-type:";

    /**
     * @param narrowed the token of ours, whose limits the new one has too; null for a foreign one
     */
    record Subject(
            Principal principal,
            Audience audience,
            Instant expiresAt,
            String session,
            @Nullable TokenInfo narrowed) {}

    private final Tokens tokens;
    private final Optional<ExternalIssuer> external;

    TokenExchange(Tokens tokens, Optional<ExternalIssuer> external) {
        this.tokens = tokens;
        this.external = external;
    }

    /** LakemillException UNAUTHENTICATED when the token is not good. */
    Subject subject(OAuthCall call) {
        var token = call.require("subject_token");
        var type = call.require("subject_token_type");
        if (!type.equals(TYPES + "access_token")
                && !type.equals(TYPES + "jwt")
                && !type.equals(TYPES + "id_token")) {
            throw new OAuthRefusal("invalid_request", "this subject_token_type is not taken");
        }
        if (external.isPresent() && external.get().issued(token)) {
            return external.get().subject(token, call.peer());
        }
        var info = tokens.verify(token);
        if (info.audience() == Audience.BROWSER) {
            throw new OAuthRefusal("invalid_grant", "a browser's cookie is not exchanged");
        }
        if (!info.scopes().contains(TokenRequest.ALL_APIS)) {
            throw new OAuthRefusal("invalid_grant", "a token of a narrow scope is not exchanged");
        }
        return new Subject(
                info.principal(), info.audience(), info.expiresAt(), info.family(), info);
    }
}
