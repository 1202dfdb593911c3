package dev.lakemill.identity;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.Resource;
import com.nimbusds.jose.util.ResourceRetriever;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.JWTParser;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.PrincipalKind;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The OpenID provider whose tokens are taken in exchange for ours.
 *
 * <p>The issuer must be equal to the last character, the audience must be there, and only signing
 * algorithms with public keys are taken. Its keys are fetched when first needed and cached; no
 * redirects are followed, and answers are limited in size and time.
 */
final class ExternalIssuer {
    private static final Set<JWSAlgorithm> ALGORITHMS =
            Set.of(
                    JWSAlgorithm.RS256,
                    JWSAlgorithm.RS384,
                    JWSAlgorithm.RS512,
                    JWSAlgorithm.PS256,
                    JWSAlgorithm.ES256,
                    JWSAlgorithm.ES384);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int ANSWER_BYTES_MAX = 256 << 10;

    private final ExternalIssuerConfig config;
    private final Catalog catalog;
    private final HttpClient http =
            HttpClient.newBuilder()
                    .connectTimeout(TIMEOUT)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .build();

    /** Made when first needed, so that the node starts while the provider is away. */
    private @Nullable DefaultJWTProcessor<SecurityContext> processor;

    ExternalIssuer(ExternalIssuerConfig config, Catalog catalog) {
        this.config = config;
        this.catalog = catalog;
    }

    /** Whether the token says that this provider made it; nothing is checked yet. */
    boolean issued(String token) {
        try {
            return config.issuer().equals(JWTParser.parse(token).getJWTClaimsSet().getIssuer());
        } catch (ParseException e) {
            return false;
        }
    }

    /** UNAUTHENTICATED when it is not good or names nobody here; UNAVAILABLE without its keys. */
    TokenExchange.Subject subject(String token, Peer peer) {
        try {
            var claims = processor().process(token, null);
            return new TokenExchange.Subject(
                    principal(claims, peer).principal(),
                    Audience.ALL,
                    claims.getExpirationTime().toInstant(),
                    "",
                    null);
        } catch (KeySourceException e) {
            throw away(e);
        } catch (BadJOSEException | JOSEException | ParseException e) {
            throw refused("the token of " + config.issuer() + " is not good");
        }
    }

    private PrincipalInfo principal(JWTClaimsSet claims, Peer peer) throws ParseException {
        @Nullable String name = claims.getStringClaim(config.nameClaim());
        if (name == null || name.isBlank()) {
            throw refused("the token has no claim " + config.nameClaim());
        }
        if (config.nameClaim().equals("email")
                && Boolean.FALSE.equals(claims.getBooleanClaim("email_verified"))) {
            throw refused("the e-mail address is not verified");
        }
        var known = catalog.principals().find(name);
        if (known.isEmpty() && config.createsUsers()) {
            return catalog.principals()
                    .create(
                            peer.caller(catalog.system().principal()),
                            PrincipalKind.USER,
                            name,
                            name,
                            claims.getSubject());
        }
        return known.filter(p -> isTheSame(p, claims.getSubject()))
                .orElseThrow(() -> refused("nobody here is called as the token says"));
    }

    /** A name at the provider is not enough to be a local account, an admin's above all. */
    private static boolean isTheSame(PrincipalInfo known, String subject) {
        var principal = known.principal();
        return known.active()
                && principal.kind() != PrincipalKind.GROUP
                && !principal.name().equalsIgnoreCase(Identity.ADMIN)
                && !principal.name().equalsIgnoreCase(Principals.SYSTEM)
                && (known.externalId().isEmpty() || known.externalId().equals(subject));
    }

    private synchronized DefaultJWTProcessor<SecurityContext> processor() {
        var made = processor;
        if (made == null) {
            made = new DefaultJWTProcessor<>();
            made.setJWSKeySelector(new JWSVerificationKeySelector<>(ALGORITHMS, keys()));
            // Access tokens say at+jwt, others JWT or nothing.
            made.setJWSTypeVerifier(
                    new DefaultJOSEObjectTypeVerifier<>(
                            JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
            made.setJWTClaimsSetVerifier(
                    new DefaultJWTClaimsVerifier<>(
                            config.audience(),
                            new JWTClaimsSet.Builder().issuer(config.issuer()).build(),
                            Set.of("sub", "exp", "iat")));
            processor = made;
        }
        return made;
    }

    private JWKSource<SecurityContext> keys() {
        try {
            var discovery =
                    new ObjectMapper()
                            .readTree(get(config.issuer() + "/.well-known/openid-configuration"));
            if (!discovery.path("issuer").asText().equals(config.issuer())) {
                throw refused("the discovery document names another issuer");
            }
            ResourceRetriever retriever =
                    url -> new Resource(get(url.toString()), "application/json");
            var url = URI.create(discovery.path("jwks_uri").asText()).toURL();
            requireSafe(url);
            return JWKSourceBuilder.create(url, retriever).retrying(true).build();
        } catch (IOException | IllegalArgumentException e) {
            throw away(e);
        }
    }

    private static void requireSafe(URL url) throws IOException {
        var host = url.getHost();
        var local = host.equals("127.0.0.1") || host.equals("localhost") || host.equals("[::1]");
        if (!url.getProtocol().equals("https") && !local) {
            throw new IOException("keys are fetched by https alone, not from " + url);
        }
    }

    private String get(String url) throws IOException {
        requireSafe(URI.create(url).toURL());
        var request = HttpRequest.newBuilder(URI.create(url)).timeout(TIMEOUT).build();
        try {
            var answer = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
            try (var body = answer.body()) {
                var bytes = body.readNBytes(ANSWER_BYTES_MAX + 1);
                if (answer.statusCode() != 200 || bytes.length > ANSWER_BYTES_MAX) {
                    throw new IOException(
                            "%s answered %d with %d bytes"
                                    .formatted(url, answer.statusCode(), bytes.length));
                }
                return new String(bytes, StandardCharsets.UTF_8);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private LakemillException away(Exception cause) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the keys of %s cannot be had (%s)".formatted(config.issuer(), cause.getMessage()),
                "see that the provider answers; then try again",
                cause);
    }

    private static LakemillException refused(String problem) {
        return new LakemillException(ErrorCode.UNAUTHENTICATED, problem, "log in there again");
    }
}
