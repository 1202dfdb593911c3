package dev.lakemill.identity;

import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The OAuth 2 authorization server (RFC 6749, 7009, 7636, 7662, 8414, 8693, 9396), without its
 * HTTP.
 */
public final class OAuth {
    static final String CLIENT_CREDENTIALS = "client_credentials";
    static final String AUTHORIZATION_CODE = "authorization_code";
    static final String REFRESH_TOKEN = "refresh_token";
    static final String TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

    /** What becomes of a request for a person's consent. */
    public sealed interface Authorization {
        /** The person is asked. */
        record Asks(AuthorizationRequest request) implements Authorization {}

        /** The client is told that it asked wrongly. */
        record Redirects(String location) implements Authorization {}
    }

    private final AuditLog audit;
    private final Principals principals;
    private final Tokens tokens;
    private final Clients clients;
    private final AuthorizationCodes codes;
    private final RefreshTokens refreshTokens;
    private final Grants grants;
    private final Supplier<String> issuer;

    OAuth(Identity.Parts parts, Tokens tokens, ClientSecrets secrets, TokenExchange exchange) {
        this.audit = parts.catalog().audit();
        this.principals = parts.catalog().principals();
        this.tokens = tokens;
        this.clients = new Clients(secrets);
        this.codes = new AuthorizationCodes(parts.random(), parts.clock());
        this.refreshTokens = new RefreshTokens(parts, tokens);
        this.grants = new Grants(parts, tokens, codes, refreshTokens, exchange);
        this.issuer = parts.config().issuer();
    }

    /** {@code POST /oidc/v1/token}. Every token and every refusal is audited. */
    public OAuthAnswer token(OAuthCall call) {
        return answered(call, () -> new OAuthAnswer(200, Map.of(), granted(call)));
    }

    private Map<String, Object> granted(OAuthCall call) {
        var grant = call.require("grant_type");
        return switch (grant) {
            case CLIENT_CREDENTIALS -> grants.clientCredentials(clients.authenticate(call), call);
            case AUTHORIZATION_CODE -> grants.authorizationCode(clients.authenticate(call), call);
            case REFRESH_TOKEN -> grants.refresh(clients.authenticate(call), call);
            // The subject's token is what authenticates; a client may be named beside it.
            case TOKEN_EXCHANGE -> grants.exchange(call);
            default ->
                    throw new OAuthRefusal(
                            "unsupported_grant_type", "there is no grant_type of this name");
        };
    }

    private OAuthAnswer answered(OAuthCall call, Supplier<OAuthAnswer> work) {
        try {
            return work.get();
        } catch (OAuthRefusal e) {
            refused(call, e.status(), e.description());
            return e.answer();
        } catch (LakemillException e) {
            var answer = answer(e);
            refused(call, answer.status(), e.problem());
            return answer;
        }
    }

    private static OAuthAnswer answer(LakemillException e) {
        var text = String.valueOf(e.getMessage());
        return switch (e.code()) {
            case RESOURCE_EXHAUSTED -> OAuthRefusal.answer(429, "temporarily_unavailable", text);
            case UNAVAILABLE -> OAuthRefusal.answer(503, "temporarily_unavailable", text);
            case INVALID_ARGUMENT -> OAuthRefusal.answer(400, "invalid_request", text);
            case UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND ->
                    OAuthRefusal.answer(400, "invalid_grant", e.problem());
            default -> throw e;
        };
    }

    /** Beyond the limit of failures nothing is recorded either: the records would have none. */
    private void refused(OAuthCall call, int status, String reason) {
        if (status == 429 || status >= 500) {
            return;
        }
        audit.record(
                call.peer()
                        .refused(
                                "mintOAuthToken",
                                Map.of(
                                        "grant_type", call.find("grant_type").orElse(""),
                                        "client_id", call.find("client_id").orElse("")),
                                status,
                                reason));
    }

    /** {@code POST /oidc/v1/revoke}: whoever has a token may end it. Always 200. */
    public OAuthAnswer revoke(OAuthCall call) {
        return answered(
                call,
                () -> {
                    end(call.require("token"), call.peer());
                    return new OAuthAnswer(200, Map.of(), Map.of());
                });
    }

    private void end(String token, Peer peer) {
        if (refreshTokens.end(token) instanceof RefreshTokens.Outcome.Replayed(var session)) {
            var who = principals.find(session.principal());
            who.ifPresent(
                    p ->
                            tokens.revoke(
                                    peer.caller(p.principal()), session.principal(), session.id()));
            return;
        }
        try {
            var info = tokens.verify(token);
            tokens.revoke(peer.caller(info.principal()), info);
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.UNAUTHENTICATED) {
                throw e;
            }
            // It is not good already, which is what was asked for.
        }
    }

    /** {@code POST /oidc/v1/introspect}: admins see every token, others their own. */
    public OAuthAnswer introspect(OAuthCall call) {
        return answered(
                call,
                () -> {
                    var asker = asker(call);
                    try {
                        var info = tokens.verify(call.require("token"));
                        if (info.principal().equals(asker) || principals.isAdmin(asker.id())) {
                            return new OAuthAnswer(200, Map.of(), told(info));
                        }
                    } catch (LakemillException e) {
                        if (e.code() != ErrorCode.UNAUTHENTICATED) {
                            throw e;
                        }
                    }
                    return new OAuthAnswer(200, Map.of(), Map.of("active", false));
                });
    }

    private Principal asker(OAuthCall call) {
        var header = call.authorization();
        if (header != null && header.regionMatches(true, 0, "Bearer ", 0, 7)) {
            try {
                return tokens.verify(header.substring(7).strip(), Audience.REST).principal();
            } catch (LakemillException e) {
                throw new OAuthRefusal("invalid_client", e.problem());
            }
        }
        if (clients.authenticate(call) instanceof Client.Service(Principal principal)) {
            return principal;
        }
        throw new OAuthRefusal("invalid_client", "public clients may not introspect");
    }

    private Map<String, Object> told(TokenInfo info) {
        var told = new LinkedHashMap<String, Object>();
        told.put("active", true);
        told.put("iss", issuer.get());
        told.put("sub", info.principal().id().toString());
        told.put("username", info.principal().name());
        told.put("aud", info.audience().claim());
        told.put("scope", String.join(" ", info.scopes()));
        told.put("iat", info.issuedAt().getEpochSecond());
        told.put("exp", info.expiresAt().getEpochSecond());
        told.put("jti", info.id());
        told.put("token_type", "Bearer");
        if (info.isNarrowed()) {
            told.put(
                    "authorization_details",
                    info.details().stream().map(AuthorizationDetail::claim).toList());
        }
        return told;
    }

    /**
     * {@code GET /oidc/v1/authorize}.
     *
     * @throws LakemillException INVALID_ARGUMENT, to be shown to the person, when the client or its
     *     address is not known: nobody may be sent there
     */
    public Authorization authorize(Map<String, String> parameters) {
        var client = parameters.getOrDefault("client_id", "");
        var redirect = parameters.getOrDefault("redirect_uri", "");
        if (!Client.PUBLIC_IDS.contains(client) || !Client.isLoopback(redirect)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "this client may not ask for a login",
                    "use one of %s, with a redirect_uri on this machine"
                            .formatted(Client.PUBLIC_IDS.stream().sorted().toList()));
        }
        var challenge = parameters.getOrDefault("code_challenge", "");
        var state = parameters.get("state");
        if (!"code".equals(parameters.get("response_type"))) {
            return new Authorization.Redirects(
                    redirected(redirect, state, "error", "unsupported_response_type"));
        }
        if (challenge.length() != 43 || !"S256".equals(parameters.get("code_challenge_method"))) {
            return new Authorization.Redirects(
                    redirected(redirect, state, "error", "invalid_request"));
        }
        var scope = parameters.getOrDefault("scope", TokenRequest.ALL_APIS);
        if (!Grants.areScopes(scope)) {
            return new Authorization.Redirects(
                    redirected(redirect, state, "error", "invalid_scope"));
        }
        return new Authorization.Asks(
                new AuthorizationRequest(
                        client, redirect, state, scope, challenge, parameters.get("nonce")));
    }

    /** The person agrees: where to send the browser, with a code. */
    public String agree(AuthorizationRequest request, Principal person, Peer peer) {
        var code = codes.make(request, person, tokens.generation(person.id()));
        audit.record(
                peer.done(
                        person,
                        "mintOAuthAuthorizationCode",
                        Map.of("client_id", request.clientId())));
        return redirected(request.redirectUri(), request.state(), "code", code);
    }

    /** The person does not agree: where to send the browser. */
    public String deny(AuthorizationRequest request) {
        return redirected(request.redirectUri(), request.state(), "error", "access_denied");
    }

    private String redirected(String uri, @Nullable String state, String key, String value) {
        var query = new StringBuilder(uri).append(uri.contains("?") ? "&" : "?");
        query.append(key).append('=').append(encoded(value));
        if (state != null) {
            query.append("&state=").append(encoded(state));
        }
        return query.append("&iss=").append(encoded(issuer.get())).toString();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** What this server can, and where (RFC 8414, OpenID Connect Discovery). */
    public Map<String, Object> metadata() {
        var base = issuer.get();
        var metadata = new LinkedHashMap<String, Object>();
        metadata.put("issuer", base);
        metadata.put("authorization_endpoint", base + "/oidc/v1/authorize");
        metadata.put("token_endpoint", base + "/oidc/v1/token");
        metadata.put("revocation_endpoint", base + "/oidc/v1/revoke");
        metadata.put("introspection_endpoint", base + "/oidc/v1/introspect");
        metadata.put("jwks_uri", base + "/oidc/jwks");
        metadata.put("scopes_supported", Grants.SCOPES.stream().sorted().toList());
        metadata.put("response_types_supported", List.of("code"));
        metadata.put("response_modes_supported", List.of("query"));
        metadata.put(
                "grant_types_supported",
                List.of(CLIENT_CREDENTIALS, AUTHORIZATION_CODE, REFRESH_TOKEN, TOKEN_EXCHANGE));
        metadata.put("subject_types_supported", List.of("public"));
        metadata.put("id_token_signing_alg_values_supported", List.of("ES256"));
        metadata.put(
                "token_endpoint_auth_methods_supported",
                List.of("client_secret_basic", "client_secret_post", "none"));
        metadata.put("code_challenge_methods_supported", List.of("S256"));
        metadata.put("authorization_details_types_supported", List.of(AuthorizationDetail.TYPE));
        metadata.put("authorization_response_iss_parameter_supported", true);
        return metadata;
    }

    /** The scopes of a request, for the page that asks the person. */
    public static Set<String> scopes(AuthorizationRequest request) {
        return Grants.scopes(request.scope());
    }
}
