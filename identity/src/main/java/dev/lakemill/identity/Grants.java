package dev.lakemill.identity;

import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** The grants of the token endpoint: each gives the JSON of its answer or throws a refusal. */
final class Grants {
    static final Set<String> SCOPES =
            Set.of(TokenRequest.ALL_APIS, "offline_access", "openid", "profile", "email");

    /** As Zerobus' clients name the door for rows. */
    private static final Pattern ZEROBUS =
            Pattern.compile("api://databricks/workspaces/[^/]*/zerobusDirectWriteApi");

    private static final Duration ACCESS_TTL = Duration.ofHours(1);
    private static final String ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

    private final Principals principals;
    private final Tokens tokens;
    private final AuthorizationCodes codes;
    private final RefreshTokens refreshTokens;
    private final TokenExchange exchange;
    private final Supplier<String> issuer;
    private final Clock clock;

    Grants(
            Identity.Parts parts,
            Tokens tokens,
            AuthorizationCodes codes,
            RefreshTokens refreshTokens,
            TokenExchange exchange) {
        this.principals = parts.catalog().principals();
        this.tokens = tokens;
        this.codes = codes;
        this.refreshTokens = refreshTokens;
        this.exchange = exchange;
        this.issuer = parts.config().issuer();
        this.clock = parts.clock();
    }

    Map<String, Object> clientCredentials(Client client, OAuthCall call) {
        if (!(client instanceof Client.Service(Principal principal))) {
            throw new OAuthRefusal(
                    "unauthorized_client", "a public client has no account of its own");
        }
        var request =
                new TokenRequest(
                        principal,
                        audience(call, Audience.ALL),
                        ACCESS_TTL,
                        scopes(call),
                        details(call),
                        "");
        return answer(tokens.issue(call.peer().caller(principal), request));
    }

    Map<String, Object> authorizationCode(Client client, OAuthCall call) {
        var code = call.require("code");
        var verifier = call.require("code_verifier");
        return switch (codes.use(code)) {
            case AuthorizationCodes.Outcome.Unknown() -> throw badGrant("the code is not good");
            case AuthorizationCodes.Outcome.Replayed(var consent) -> {
                endSession(call.peer(), consent.principal(), consent.session());
                throw badGrant("the code is not good");
            }
            case AuthorizationCodes.Outcome.Good(var consent) -> {
                var request = consent.request();
                if (!request.clientId().equals(client.id())
                        || !request.redirectUri().equals(call.find("redirect_uri").orElse(""))
                        || !AuthorizationCodes.isProof(request.challenge(), verifier)) {
                    throw badGrant("the code is not good");
                }
                yield tokens(consent, call);
            }
        };
    }

    private Map<String, Object> tokens(AuthorizationCodes.Consent consent, OAuthCall call) {
        var request = consent.request();
        var scopes = scopes(request.scope());
        var person = active(consent.principal().id());
        var issued =
                tokens.issue(
                        call.peer().caller(person),
                        new TokenRequest(
                                person,
                                audience(call, Audience.ALL),
                                ACCESS_TTL,
                                scopes,
                                details(call),
                                consent.session()),
                        consent.generation());
        var answer = answer(issued);
        if (scopes.contains("offline_access")) {
            answer.put(
                    "refresh_token",
                    refreshTokens.begin(
                            new RefreshTokens.Session(
                                    consent.session(),
                                    person.id(),
                                    request.clientId(),
                                    String.join(" ", scopes),
                                    clock.instant().plus(RefreshTokens.SESSION_TTL),
                                    consent.generation())));
        }
        if (scopes.contains("openid")) {
            answer.put(
                    "id_token", tokens.idToken(issued.info(), request.clientId(), request.nonce()));
        }
        return answer;
    }

    /** What is asked for is read first: what is wrong with it costs nobody the token. */
    Map<String, Object> refresh(Client client, OAuthCall call) {
        var audience = audience(call, Audience.ALL);
        var details = details(call);
        var asked = call.find("scope").map(Grants::scopes);
        var used =
                refreshTokens.use(
                        call.require("refresh_token"),
                        client.id(),
                        session -> requireWithin(asked, session));
        return switch (used) {
            case RefreshTokens.Outcome.Unknown() -> throw badGrant("the refresh token is not good");
            case RefreshTokens.Outcome.Replayed(var session) -> {
                var who = principals.find(session.principal());
                who.ifPresent(p -> endSession(call.peer(), p.principal(), session.id()));
                throw badGrant("the refresh token is not good");
            }
            case RefreshTokens.Outcome.Rotated(var session, var next) -> {
                var person = active(session.principal());
                var scopes = asked.orElseGet(() -> scopes(session.scope()));
                var request =
                        new TokenRequest(
                                person, audience, ACCESS_TTL, scopes, details, session.id());
                var caller = call.peer().caller(person);
                var answer = answer(tokens.issue(caller, request, session.generation()));
                answer.put("refresh_token", next);
                yield answer;
            }
        };
    }

    private void requireWithin(Optional<Set<String>> asked, RefreshTokens.Session session) {
        active(session.principal());
        if (asked.isPresent() && !scopes(session.scope()).containsAll(asked.get())) {
            throw new OAuthRefusal("invalid_scope", "the login did not have that scope");
        }
    }

    /** A token for another, or for less of it (RFC 8693). */
    Map<String, Object> exchange(OAuthCall call) {
        var wanted = call.find("requested_token_type").orElse(ACCESS_TOKEN_TYPE);
        if (!wanted.equals(ACCESS_TOKEN_TYPE)) {
            throw new OAuthRefusal("invalid_request", "only access tokens are given");
        }
        if (call.find("actor_token").isPresent()) {
            throw new OAuthRefusal("invalid_request", "actor tokens are not taken");
        }
        var subject = exchange.subject(call);
        var details = details(call);
        if (subject.narrowed() != null) {
            details = within(subject.narrowed(), details);
        }
        var audience = audience(call, subject.audience());
        if (!subject.audience().opens(audience)) {
            throw new OAuthRefusal("invalid_target", "the subject's token does not reach there");
        }
        var left = Duration.between(clock.instant(), subject.expiresAt());
        var request =
                new TokenRequest(
                        subject.principal(),
                        audience,
                        left.compareTo(ACCESS_TTL) < 0 ? left : ACCESS_TTL,
                        scopes(call),
                        details,
                        subject.session());
        var caller = call.peer().caller(subject.principal());
        var issued =
                subject.narrowed() == null
                        ? tokens.issue(caller, request)
                        : tokens.issue(caller, request, subject.narrowed().generation());
        var answer = answer(issued);
        answer.put("issued_token_type", ACCESS_TOKEN_TYPE);
        return answer;
    }

    /** An exchange never gives more than the token had that is exchanged. */
    private static List<AuthorizationDetail> within(
            TokenInfo subject, List<AuthorizationDetail> asked) {
        if (asked.isEmpty()) {
            return subject.details();
        }
        for (var detail : asked) {
            for (var privilege : detail.privileges()) {
                if (!subject.allows(privilege, detail.on())) {
                    throw new OAuthRefusal(
                            "invalid_authorization_details",
                            "the subject's token has no %s on %s"
                                    .formatted(privilege.sql(), detail.on()));
                }
            }
        }
        return asked;
    }

    private void endSession(Peer peer, Principal principal, String session) {
        tokens.revoke(peer.caller(principal), principal.id(), session);
    }

    private Principal active(UUID id) {
        return principals
                .find(id)
                .filter(PrincipalInfo::active)
                .map(PrincipalInfo::principal)
                .orElseThrow(() -> badGrant("the principal is not active"));
    }

    private static OAuthRefusal badGrant(String description) {
        return new OAuthRefusal("invalid_grant", description);
    }

    private static Set<String> scopes(OAuthCall call) {
        return scopes(call.find("scope").orElse(TokenRequest.ALL_APIS));
    }

    static boolean areScopes(String text) {
        return SCOPES.containsAll(List.of(text.strip().split(" +")));
    }

    static Set<String> scopes(String text) {
        if (!areScopes(text)) {
            throw new OAuthRefusal(
                    "invalid_scope", "the scopes are " + SCOPES.stream().sorted().toList());
        }
        return Set.of(text.strip().split(" +"));
    }

    private static List<AuthorizationDetail> details(OAuthCall call) {
        try {
            return call.find("authorization_details")
                    .map(AuthorizationDetail::parse)
                    .orElse(List.of());
        } catch (LakemillException e) {
            throw new OAuthRefusal("invalid_authorization_details", String.valueOf(e.getMessage()));
        }
    }

    /** The door that {@code resource} (RFC 8707) or {@code audience} (RFC 8693) names. */
    private Audience audience(OAuthCall call, Audience initial) {
        return call.find("resource")
                .or(() -> call.find("audience"))
                .map(
                        name ->
                                named(name)
                                        .orElseThrow(
                                                () ->
                                                        new OAuthRefusal(
                                                                "invalid_target",
                                                                "there is no such resource here")))
                .orElse(initial);
    }

    private Optional<Audience> named(String resource) {
        if (ZEROBUS.matcher(resource).matches()) {
            return Optional.of(Audience.GRPC);
        }
        if (resource.equals(issuer.get()) || resource.startsWith(issuer.get() + "/mcp/")) {
            return Optional.of(Audience.REST);
        }
        return List.of(Audience.ALL, Audience.REST, Audience.GRPC, Audience.POSTGRES).stream()
                .filter(audience -> audience.claim().equals(resource))
                .findFirst();
    }

    private Map<String, Object> answer(IssuedToken token) {
        var info = token.info();
        var answer = new LinkedHashMap<String, Object>();
        answer.put("access_token", token.text());
        answer.put("token_type", "Bearer");
        answer.put("expires_in", Duration.between(info.issuedAt(), info.expiresAt()).toSeconds());
        answer.put("scope", String.join(" ", info.scopes()));
        if (info.isNarrowed()) {
            answer.put(
                    "authorization_details",
                    info.details().stream().map(AuthorizationDetail::claim).toList());
        }
        return answer;
    }
}
