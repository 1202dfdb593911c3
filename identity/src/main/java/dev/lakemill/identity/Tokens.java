package dev.lakemill.identity;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Access tokens: signed JWTs (RFC 9068, ES256) that every door takes.
 *
 * <p>A token is good while its signature, issuer, audience and end are right, neither it nor its
 * session nor all tokens of its principal are revoked, and its principal is active. All of that is
 * answered from memory. Revocation holds at once: whoever keeps a connection open listens by {@link
 * #onRevoked} and asks {@link #isGood} again. Safe to use from any thread.
 */
public final class Tokens {
    /** The longest life of a token. */
    public static final Duration TTL_MAX = Duration.ofDays(30);

    private static final JOSEObjectType TYPE = new JOSEObjectType("at+jwt");
    private static final int LENGTH_MAX = 16_384;
    private static final String SESSION = "sid";
    private static final String GENERATION = "gen";
    private static final String DETAILS = "authorization_details";

    private final Principals principals;
    private final AuditLog audit;
    private final SigningKeys keys;
    private final SignedTokens signed;
    private final Revocations revocations;
    private final Changes changes;
    private final Supplier<String> issuer;
    private final Clock clock;

    /** Bounds what strangers can write into the audit. */
    private final RateLimit refusals;

    Tokens(Identity.Parts parts, SigningKeys keys, Revocations revocations, Changes changes) {
        this.principals = parts.catalog().principals();
        this.audit = parts.catalog().audit();
        this.issuer = parts.config().issuer();
        this.clock = parts.clock();
        this.keys = keys;
        this.signed = new SignedTokens(TYPE, keys);
        this.revocations = revocations;
        this.changes = changes;
        this.refusals = new RateLimit(60, Duration.ofSeconds(1), clock);
    }

    /**
     * Makes a token, and audits that.
     *
     * @param caller who asks for it
     * @throws LakemillException UNAUTHENTICATED when the principal is not active; INVALID_ARGUMENT
     *     for a life that is too long
     */
    public IssuedToken issue(Caller caller, TokenRequest request) {
        return issue(caller, request, generation(request.principal().id()));
    }

    /** The number of the principal's tokens, which rises when all of them are revoked. */
    long generation(UUID principal) {
        return revocations.generation(principal);
    }

    /**
     * The same from a consent, a session or another token: whoever revoked all of the principal's
     * tokens since revoked what is made from those too.
     *
     * @param generation of what it is made from
     */
    public IssuedToken issue(Caller caller, TokenRequest request, long generation) {
        var life = request.timeToLive();
        if (life.compareTo(TTL_MAX) > 0 || life.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a token cannot live for %d s".formatted(life.toSeconds()),
                    "ask for 1 to %d s".formatted(TTL_MAX.toSeconds()));
        }
        var principal = active(request.principal().id()).principal();
        if (generation != generation(principal.id())) {
            throw refused("all tokens of `%s` were revoked".formatted(principal.name()));
        }
        var now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        var info =
                new TokenInfo(
                        principal,
                        UUID.randomUUID().toString(),
                        request.session(),
                        generation,
                        now,
                        now.plus(life),
                        request.audience(),
                        request.scopes(),
                        request.details());
        audit.record(AuditEvent.done(caller, "accounts", "mintOAuthToken", told(info)));
        return new IssuedToken(signed(TYPE, claims(info)), info);
    }

    private static Map<String, String> told(TokenInfo info) {
        return Map.of(
                "principal", info.principal().name(),
                "token_id", info.id(),
                "audience", info.audience().claim(),
                "expires_at", info.expiresAt().toString(),
                "authorization_details", info.details().toString());
    }

    private JWTClaimsSet claims(TokenInfo info) {
        var claims =
                new JWTClaimsSet.Builder()
                        .issuer(issuer.get())
                        .subject(info.principal().id().toString())
                        .audience(info.audience().claim())
                        .issueTime(Date.from(info.issuedAt()))
                        .expirationTime(Date.from(info.expiresAt()))
                        .jwtID(info.id())
                        .claim("preferred_username", info.principal().name())
                        .claim("scope", String.join(" ", info.scopes()))
                        .claim(GENERATION, info.generation());
        if (!info.session().isEmpty()) {
            claims.claim(SESSION, info.session());
        }
        if (info.isNarrowed()) {
            claims.claim(DETAILS, info.details().stream().map(AuthorizationDetail::claim).toList());
        }
        return claims.build();
    }

    /** Who logged in, for the client that asked (OpenID Connect); no door takes it as a token. */
    String idToken(TokenInfo access, String client, @Nullable String nonce) {
        var claims =
                new JWTClaimsSet.Builder()
                        .issuer(issuer.get())
                        .subject(access.principal().id().toString())
                        .audience(client)
                        .issueTime(Date.from(access.issuedAt()))
                        .expirationTime(Date.from(access.expiresAt()))
                        .claim("preferred_username", access.principal().name());
        if (nonce != null) {
            claims.claim("nonce", nonce);
        }
        return signed(JOSEObjectType.JWT, claims.build());
    }

    private String signed(JOSEObjectType type, JWTClaimsSet claims) {
        var key = keys.signer();
        var header =
                new JWSHeader.Builder(JWSAlgorithm.ES256).type(type).keyID(key.getKeyID()).build();
        try {
            var jwt = new SignedJWT(header, claims);
            jwt.sign(new ECDSASigner(key));
            return jwt.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Says whose token it is.
     *
     * @param door where it is shown
     * @throws LakemillException UNAUTHENTICATED when it is not good, or not for this door
     */
    public TokenInfo verify(String token, Audience door) {
        return verify(token, door, Set.of(TokenRequest.ALL_APIS));
    }

    /** The same where tokens of a narrower scope are good too, of which it needs one. */
    public TokenInfo verify(String token, Audience door, Set<String> scopes) {
        var info = verify(token);
        if (!info.audience().opens(door)) {
            throw refused("the token is for " + info.audience().claim() + " alone");
        }
        if (Collections.disjoint(info.scopes(), scopes)) {
            throw refused(
                    "the token lacks the scope " + String.join(" or ", new TreeSet<>(scopes)));
        }
        return info;
    }

    /** The same for a stranger who is to be audited when it is refused. */
    public TokenInfo verify(String token, Audience door, Peer peer) {
        return verify(token, door, Set.of(TokenRequest.ALL_APIS), peer);
    }

    /**
     * The same where tokens of a narrower scope than {@link TokenRequest#ALL_APIS} are good too.
     *
     * @param scopes of which it needs one; that one alone counts
     */
    public TokenInfo verify(String token, Audience door, Set<String> scopes, Peer peer) {
        try {
            return verify(token, door, scopes);
        } catch (LakemillException e) {
            tell(peer, "tokenLogin", Map.of("audience", door.claim()), 401, e.problem());
            throw e;
        }
    }

    /** Tells the audit of a request that was turned away before anybody asked for its token. */
    public void turnedAway(Peer peer, String path, int status, String problem) {
        tell(peer, "httpRequest", Map.of("path", path), status, problem);
    }

    /** No more than so often for one address, lest strangers fill the audit. */
    private void tell(
            Peer peer, String action, Map<String, String> about, int status, String problem) {
        if (refusals.tryTake(peer.address())) {
            audit.record(peer.refused(action, about, status, problem));
        }
    }

    /** Whose token it is, whatever door it is for. */
    TokenInfo verify(String token) {
        var info = parse(token);
        var reason = ended(info);
        if (reason != null) {
            throw refused(reason);
        }
        return info;
    }

    /** UNAUTHENTICATED, audited, unless a token that was good is good still. */
    public TokenInfo requireGood(TokenInfo token, Peer peer) {
        var reason = ended(token);
        if (reason != null) {
            tell(peer, "tokenLogin", Map.of("audience", token.audience().claim()), 401, reason);
            throw refused(reason);
        }
        return token;
    }

    /** Whether a token that was good is good still. */
    public boolean isGood(TokenInfo token) {
        return ended(token) == null;
    }

    /**
     * Whether a token that was good is revoked, or its principal is not active any more; its end
     * does not count. For what was opened by it and may outlive it.
     */
    public boolean isRevoked(TokenInfo token) {
        return revoked(token) != null;
    }

    private @Nullable String ended(TokenInfo token) {
        return token.expiresAt().isAfter(clock.instant())
                ? revoked(token)
                : "the token has expired";
    }

    private @Nullable String revoked(TokenInfo token) {
        if (revocations.isRevoked(token.id())
                || revocations.isRevoked(token.session())
                || token.generation() != revocations.generation(token.principal().id())) {
            return "the token is revoked";
        }
        var known = principals.find(token.principal().id());
        return known.isPresent() && known.get().active() ? null : "its principal is not active";
    }

    /** Checks form, signature and issuer, and reads what it says. */
    private TokenInfo parse(String token) {
        if (token.length() > LENGTH_MAX) {
            throw refused("the token is longer than %d characters".formatted(LENGTH_MAX));
        }
        try {
            return info(signed.read(token));
        } catch (ParseException | JOSEException | IllegalArgumentException e) {
            throw refused("it is not an access token");
        }
    }

    private TokenInfo info(JWTClaimsSet claims) throws ParseException {
        if (!issuer.get().equals(claims.getIssuer())) {
            throw refused("another issuer made it");
        }
        var id = UUID.fromString(claims.getSubject());
        var known = principals.find(id).orElseThrow(() -> refused("its principal is gone"));
        @Nullable String session = claims.getStringClaim(SESSION);
        @Nullable Object details = claims.getClaim(DETAILS);
        return new TokenInfo(
                known.principal(),
                claims.getJWTID(),
                session == null ? "" : session,
                claims.getLongClaim(GENERATION),
                claims.getIssueTime().toInstant(),
                claims.getExpirationTime().toInstant(),
                audience(claims.getAudience()),
                Set.of(claims.getStringClaim("scope").split(" ")),
                details == null ? List.of() : AuthorizationDetail.ofClaim(details));
    }

    private static Audience audience(List<String> claims) {
        for (var audience : Audience.values()) {
            if (claims.equals(List.of(audience.claim()))) {
                return audience;
            }
        }
        throw refused("it is for somebody else");
    }

    /** Ends a token now, and with it what was made from it or from the same session. */
    public void revoke(Caller caller, TokenInfo token) {
        revoke(caller, token.principal().id(), token.family());
    }

    /** Ends a token by its id, or a session by its own. */
    void revoke(Caller caller, UUID principal, String id) {
        // What it gave out may live for longer than it does.
        if (!revocations.revoke(id, clock.instant().plus(TTL_MAX))) {
            revocations.revokeAll(principal);
        }
        changes.changed();
        var parameters = new LinkedHashMap<String, String>();
        parameters.put("token_id", id);
        parameters.put("principal", principal.toString());
        audit.record(AuditEvent.done(caller, "accounts", "revokeOAuthToken", parameters));
    }

    /** Ends all tokens of the principal now. */
    public void revokeAll(Caller caller, UUID principal) {
        revocations.revokeAll(principal);
        changes.changed();
        audit.record(
                AuditEvent.done(
                        caller,
                        "accounts",
                        "revokeAllOAuthTokens",
                        Map.of("principal", principal.toString())));
    }

    /**
     * Calls the listener after tokens were revoked or principals changed, on a thread of its own,
     * several changes at once; until closed. What is held open is then asked of {@link #isGood}.
     */
    public AutoCloseable onRevoked(Runnable listener) {
        return changes.listen(listener);
    }

    /** The public keys, as a JSON Web Key Set. */
    public Map<String, Object> publicKeys() {
        return keys.published();
    }

    /** How many signatures were checked since the start. */
    long signaturesChecked() {
        return signed.checked();
    }

    /** Signs with a new key from now on; tokens that stand stay good. */
    public void rotateKeys() {
        keys.rotate();
    }

    private PrincipalInfo active(UUID id) {
        return principals
                .find(id)
                .filter(PrincipalInfo::active)
                .orElseThrow(() -> refused("the principal is not active"));
    }

    static LakemillException refused(String problem) {
        return new LakemillException(
                ErrorCode.UNAUTHENTICATED,
                problem,
                "get a token: './lakemill login', './lakemill token', or POST /oidc/v1/token");
    }
}
