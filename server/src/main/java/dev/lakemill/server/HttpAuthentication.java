package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.identity.Audience;
import dev.lakemill.identity.Peer;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.identity.TokenRequest;
import dev.lakemill.identity.Tokens;
import dev.lakemill.server.apps.AppScopes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Says who calls over HTTP: by a token in the header {@code Authorization}, or by the cookie of a
 * browser that logged in.
 *
 * <p>A cookie goes along with whatever another site makes the browser send. So it counts for
 * requests that change something only when the browser says that our own page sent them ({@code
 * Sec-Fetch-Site}, or {@code Origin} from older ones).
 */
final class HttpAuthentication implements Routes.Authentication {
    private static final Set<HttpMethod> SAFE =
            Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);
    private static final String SQL = "/api/2.0/sql/statements";
    private static final String UNITY = "/api/2.1/unity-catalog/";
    private static final Pattern CLAIMABLE =
            Pattern.compile(
                    "temporary-[a-z-]+-credentials|delta/preview/commits"
                            + "|delta/v1/catalogs/[^/]+/schemas/[^/]+/tables/[^/]+(/metrics)?");
    private static final String TOKEN = "lakemill.token";
    private static final String PEER = "lakemill.peer";

    private final Tokens tokens;
    private final Supplier<String> publicUrl;

    HttpAuthentication(Tokens tokens, Supplier<String> publicUrl) {
        this.tokens = tokens;
        this.publicUrl = publicUrl;
    }

    @Override
    public Caller caller(RoutingContext context) {
        var token = token(context);
        return peer(context).caller(token.principal()).within(token.claim());
    }

    /** On a thread of its own: the audit may have to wait for its disk. */
    @Override
    public void turnedAway(RoutingContext context, int status, String problem) {
        var peer = peer(context);
        var path = context.request().path();
        Thread.startVirtualThread(() -> tokens.turnedAway(peer, path, status, problem));
    }

    Tokens tokens() {
        return tokens;
    }

    /**
     * The token that the request came with; UNAUTHENTICATED when there is none that is good still:
     * between the request's head and the end of its body it may have been revoked.
     */
    TokenInfo token(RoutingContext context) {
        try {
            TokenInfo known = context.get(TOKEN);
            if (known != null) {
                return tokens.requireGood(known, peer(context));
            }
            var token = verified(context);
            context.put(TOKEN, token);
            return token;
        } catch (LakemillException e) {
            if (e.code() == ErrorCode.UNAUTHENTICATED) {
                context.response().putHeader("www-authenticate", challenge(context));
            }
            throw e;
        }
    }

    /** With what a token dies that is made for whoever was let in here; empty for nobody. */
    static String family(RoutingContext context) {
        TokenInfo known = context.get(TOKEN);
        return known == null ? "" : known.family();
    }

    /** MCP's clients find our authorization server by what stands here (RFC 9728). */
    private String challenge(RoutingContext context) {
        var path = context.request().path();
        var bearer = "Bearer realm=\"lakemill\"";
        return path.startsWith(McpRoutes.BASE)
                ? bearer
                        + ", resource_metadata=\"%s\""
                                .formatted(publicUrl.get() + McpRoutes.METADATA + path)
                : bearer;
    }

    private TokenInfo verified(RoutingContext context) {
        var header = context.request().getHeader("authorization");
        if (header == null) {
            var cookie = cookie(context);
            if (cookie == null) {
                throw new LakemillException(
                        ErrorCode.UNAUTHENTICATED,
                        "the request says not who calls",
                        "send 'Authorization: Bearer TOKEN'; './lakemill token' prints one");
            }
            if (!SAFE.contains(context.request().method())) {
                requireOwnPage(context);
            }
            return tokens.verify(cookie, Audience.BROWSER, peer(context));
        }
        if (!header.regionMatches(true, 0, "Bearer ", 0, 7)) {
            throw new LakemillException(
                    ErrorCode.UNAUTHENTICATED,
                    "the header Authorization has another scheme than Bearer",
                    "get a token from POST /oidc/v1/token and send 'Authorization: Bearer TOKEN'");
        }
        var scopes = new HashSet<>(AppScopes.forPath(context.normalizedPath()));
        scopes.add(TokenRequest.ALL_APIS);
        var token =
                tokens.verify(header.substring(7).strip(), Audience.REST, scopes, peer(context));
        if (token.isNarrowed() && !asksForEachThing(context)) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "the token of `%s` is for %s, and this request is for more"
                            .formatted(token.principal().name(), token.claim()),
                    "get a token without authorization_details for it");
        }
        return token;
    }

    /**
     * Whether the route asks {@link dev.lakemill.catalog.Access} for each thing by the caller, and
     * so by its claim: reading the catalog, keys for files, commits to a table, and SQL.
     */
    private static boolean asksForEachThing(RoutingContext context) {
        var path = context.normalizedPath();
        return path.startsWith(SQL)
                || (path.startsWith(UNITY)
                        && !path.contains("/staging-tables/")
                        && (SAFE.contains(context.request().method())
                                || CLAIMABLE.matcher(path.substring(UNITY.length())).matches()));
    }

    /**
     * Lets those who are logged in on to the pages; sends browsers to the login, and others away.
     */
    void admitToPages(RoutingContext context) {
        try {
            token(context);
            context.next();
        } catch (LakemillException e) {
            var accepted = context.request().getHeader("accept");
            if (accepted != null && accepted.contains("text/html")) {
                var target = URLEncoder.encode(context.request().uri(), StandardCharsets.UTF_8);
                context.response()
                        .setStatusCode(303)
                        .putHeader("location", "/login?return_to=" + target)
                        .putHeader("cache-control", "no-store")
                        .end();
            } else {
                context.response()
                        .setStatusCode(401)
                        .putHeader("content-type", "text/plain; charset=utf-8")
                        .putHeader("cache-control", "no-store")
                        .end("Log in at /login\n");
            }
        }
    }

    /** Whether the other end is on this machine. */
    static boolean isLocal(RoutingContext context) {
        var address = peer(context).address();
        return address.startsWith("127.") || address.equals("0:0:0:0:0:0:0:1");
    }

    /** The session of the browser, if it is good. */
    Optional<TokenInfo> session(RoutingContext context) {
        var cookie = cookie(context);
        if (cookie == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(tokens.verify(cookie, Audience.BROWSER));
        } catch (LakemillException e) {
            return Optional.empty();
        }
    }

    /** PERMISSION_DENIED unless the browser says that a page of ours sent the request. */
    void requireOwnPage(RoutingContext context) {
        var site = context.request().getHeader("sec-fetch-site");
        var origin = context.request().getHeader("origin");
        var own =
                site == null
                        ? origin != null && origin.equals(origin(context))
                        : site.equals("same-origin");
        if (!own) {
            var problem = "another site's page sent this request, or nothing says which did";
            turnedAway(context, 403, problem);
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    problem,
                    "programs send a token in the header Authorization instead of a cookie");
        }
    }

    private String origin(RoutingContext context) {
        var scheme = URI.create(publicUrl.get()).getScheme();
        var authority = context.request().authority();
        return scheme + "://" + (authority == null ? "" : authority.toString());
    }

    private @Nullable String cookie(RoutingContext context) {
        var cookie = context.request().getCookie(cookieName(context));
        return cookie == null ? null : cookie.getValue();
    }

    /**
     * Cookies know no ports, and several nodes may run on one machine. Behind TLS no page of a
     * neighbouring host can set a cookie of a name that begins with __Host-.
     */
    private String cookieName(RoutingContext context) {
        var url = URI.create(publicUrl.get());
        var name = url.getPort() < 0 ? "lakemill" : "lakemill_" + url.getPort();
        return "https".equals(url.getScheme()) && !isHere(context) ? "__Host-" + name : name;
    }

    /** The header that gives a browser its session, and with an empty token takes it away. */
    Map<String, String> setCookie(RoutingContext context, String token, long seconds) {
        return Map.of(
                "set-cookie",
                "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s"
                        .formatted(
                                cookieName(context),
                                token,
                                seconds,
                                // Off this machine a browser keeps and sends it through TLS alone.
                                isHere(context) ? "" : "; Secure"));
    }

    private static boolean isHere(RoutingContext context) {
        var authority = context.request().authority();
        var host = authority == null ? "" : authority.host();
        return Set.of("127.0.0.1", "localhost", "[::1]").contains(host);
    }

    /** The other end, before it is known who that is; the same for all of one request. */
    static Peer peer(RoutingContext context) {
        Peer known = context.get(PEER);
        if (known != null) {
            return known;
        }
        var address = context.request().remoteAddress();
        var host = address == null ? null : address.hostAddress();
        var agent = context.request().getHeader("user-agent");
        var peer =
                new Peer(
                        "rest",
                        host == null ? "unknown" : host,
                        UUID.randomUUID().toString(),
                        agent == null ? "" : agent);
        context.put(PEER, peer);
        return peer;
    }
}
