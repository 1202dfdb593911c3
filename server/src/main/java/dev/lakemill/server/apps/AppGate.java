package dev.lakemill.server.apps;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Decision;
import dev.lakemill.identity.IssuedToken;
import dev.lakemill.identity.Peer;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Who comes in to an app: with a token in the header {@code Authorization}, or at the app's own
 * host with the cookie that a browser has for it alone.
 *
 * <p>A browser is sent to the node's login and back. It comes back with a code that is good once
 * and with the state that it left with, so that nobody can log it in as somebody else. Pages of
 * other origins, other apps among them, cannot use the cookie: they may link to the app, no more.
 */
final class AppGate {
    static final String OWN_PATHS = "/.lakemill/";
    private static final String LOGIN = OWN_PATHS + "login";
    private static final String LOGOUT = OWN_PATHS + "logout";
    private static final String SESSION = "lakemill_app";
    private static final String STATE = "lakemill_state";
    private static final long STATE_SECONDS = 600;
    private static final Set<HttpMethod> SAFE =
            Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);

    private final Apps apps;
    private final AppLogins logins;
    private final Function<RoutingContext, Optional<TokenInfo>> session;

    AppGate(Apps apps, Function<RoutingContext, Optional<TokenInfo>> session) {
        this.apps = apps;
        this.logins = new AppLogins(apps.parts().identity().tokens(), Clock.systemUTC());
        this.session = session;
    }

    AppLogins logins() {
        return logins;
    }

    static Peer peer(HttpServerRequest request) {
        var address = request.remoteAddress();
        var host = address == null ? null : address.hostAddress();
        var agent = request.getHeader("user-agent");
        return new Peer(
                "rest",
                host == null ? "unknown" : host,
                UUID.randomUUID().toString(),
                agent == null ? "" : agent);
    }

    /**
     * Who it is; null when the request was answered here.
     *
     * @param hosted whether the request is to the app's own host
     */
    @Nullable TokenInfo admit(HttpServerRequest request, HostedApp app, boolean hosted, Peer peer) {
        if (hosted && request.path().startsWith(OWN_PATHS)) {
            ownPath(request, app, peer);
            return null;
        }
        try {
            var token = token(request, app, hosted, peer);
            if (token == null) {
                sendAway(request, app, hosted);
                return null;
            }
            requireUse(app, token, peer);
            return token;
        } catch (LakemillException e) {
            if (e.code() == ErrorCode.UNAUTHENTICATED && isPage(request)) {
                sendAway(request, app, hosted);
            } else {
                AppAnswers.problem(
                        request.response(),
                        isPage(request),
                        AppAnswers.status(e),
                        e.code() == ErrorCode.UNAUTHENTICATED ? "Not logged in" : "No access",
                        e.problem() + ". " + e.hint());
            }
            return null;
        }
    }

    private @Nullable TokenInfo token(
            HttpServerRequest request, HostedApp app, boolean hosted, Peer peer) {
        var header = request.getHeader("authorization");
        if (header != null && header.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return logins.verifyBearer(header.substring(7).strip(), peer);
        }
        if (!hosted) {
            return null;
        }
        var cookie = request.getCookie(cookieName(SESSION));
        if (cookie == null) {
            return null;
        }
        requireOwnPage(request, app, peer);
        return logins.verifyCookie(app, cookie.getValue(), peer);
    }

    /** Whether who came in may still be there. Answered from memory. */
    boolean mayStay(HostedApp app, TokenInfo token, Peer peer) {
        return logins.isGood(token) && mayUse(app, caller(token, peer));
    }

    private static Caller caller(TokenInfo token, Peer peer) {
        return peer.caller(token.principal()).within(token.claim());
    }

    private boolean mayUse(HostedApp app, Caller caller) {
        var access = apps.parts().catalog().access();
        return access.decide(caller, Privilege.EXECUTE, app.securable())
                instanceof Decision.Allowed;
    }

    private void requireUse(HostedApp app, TokenInfo token, Peer peer) {
        var caller = caller(token, peer);
        if (!mayUse(app, caller)) {
            apps.refused(caller, "useApp", app, Map.of(), 403, "no EXECUTE on the app");
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "%s may not use the app %s".formatted(token.principal().name(), app.name()),
                    "its owner can run GRANT EXECUTE ON APP `%s` TO `%s`"
                            .formatted(app.name(), token.principal().name()));
        }
    }

    /** PERMISSION_DENIED for what a page of another origin sent along with the cookie. */
    private void requireOwnPage(HttpServerRequest request, HostedApp app, Peer peer) {
        var site = request.getHeader("sec-fetch-site");
        var origin = request.getHeader("origin");
        var own = AppHosts.url(apps.parts(), app.name());
        var socket = request.getHeader("upgrade") != null;
        boolean good;
        if (socket || (site == null && !SAFE.contains(request.method()))) {
            good = own.equalsIgnoreCase(origin);
        } else if (site == null || site.equals("same-origin")) {
            good = true;
        } else if (site.equals("none")) {
            good = SAFE.contains(request.method());
        } else {
            good =
                    SAFE.contains(request.method())
                            && "navigate".equals(request.getHeader("sec-fetch-mode"))
                            && "document".equals(request.getHeader("sec-fetch-dest"));
        }
        if (!good) {
            var problem = "a page of another site sent this request";
            apps.refused(peer.stranger(), "useApp", app, Map.of(), 403, problem);
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    problem,
                    "programs send a token in the header Authorization instead of a cookie");
        }
    }

    private static boolean isPage(HttpServerRequest request) {
        var accepted = request.getHeader("accept");
        return accepted != null
                && accepted.contains("text/html")
                && request.method().equals(HttpMethod.GET)
                && request.getHeader("upgrade") == null;
    }

    /** Browsers to the login, programs away. */
    private void sendAway(HttpServerRequest request, HostedApp app, boolean hosted) {
        var parts = apps.parts();
        if (!isPage(request)) {
            request.response().putHeader("www-authenticate", "Bearer realm=\"lakemill\"");
            AppAnswers.problem(
                    request.response(),
                    false,
                    401,
                    "Not logged in",
                    "send 'Authorization: Bearer TOKEN'"
                            + (hosted ? "" : "; browsers use " + AppHosts.url(parts, app.name())));
            return;
        }
        if (!hosted) {
            toHost(request, app);
            return;
        }
        var state = AppRuns.random();
        var target =
                "%s/login/app?name=%s&state=%s&return_to=%s"
                        .formatted(
                                parts.publicUrl().get(), app.name(), state, encoded(request.uri()));
        request.response().putHeader("set-cookie", cookie(STATE, state, STATE_SECONDS));
        redirect(request, target);
    }

    /** From the path of an app to its host, where its pages are no danger to others. */
    private void toHost(HttpServerRequest request, HostedApp app) {
        if (AppHosts.domain(apps.parts()).isEmpty()) {
            AppAnswers.problem(
                    request.response(),
                    true,
                    503,
                    "This app needs a host name",
                    "The node is reached by an address, and apps have hosts of their own. Set"
                            + " hosting.domain to a domain whose subdomains lead to the node.");
            return;
        }
        var uri = request.uri();
        var rest = uri.substring(Math.min(uri.length(), ("/apps/" + app.name()).length()));
        redirect(
                request,
                AppHosts.url(apps.parts(), app.name())
                        + (rest.startsWith("/") ? rest : "/" + rest));
    }

    private void ownPath(HttpServerRequest request, HostedApp app, Peer peer) {
        var response = request.response();
        if (request.path().equals(LOGOUT) && request.method().equals(HttpMethod.POST)) {
            response.putHeader("set-cookie", cookie(SESSION, "", 0));
            redirect(request, apps.parts().publicUrl().get() + "/login");
            return;
        }
        if (!request.path().equals(LOGIN) || !request.method().equals(HttpMethod.GET)) {
            AppAnswers.problem(response, isPage(request), 404, "Not found", request.path());
            return;
        }
        var state = request.getCookie(cookieName(STATE));
        var issued =
                state != null && state.getValue().equals(request.getParam("state"))
                        ? logins.redeem(app, request.getParam("code"), peer)
                        : Optional.<IssuedToken>empty();
        if (issued.isEmpty()) {
            AppAnswers.problem(
                    response,
                    true,
                    401,
                    "This login has ended",
                    "It was used, took too long, or began in another window. Open "
                            + AppHosts.url(apps.parts(), app.name())
                            + " again.");
            return;
        }
        response.headers()
                .add(
                        "set-cookie",
                        cookie(SESSION, issued.get().text(), AppLogins.COOKIE_TTL.toSeconds()))
                .add("set-cookie", cookie(STATE, "", 0));
        redirect(request, target(request.getParam("return_to")));
    }

    /**
     * The node's side: {@code /login/app}, where a browser with a session of the node gets a code
     * for the app, if its user may use it.
     */
    void handOver(RoutingContext context) {
        var request = context.request();
        var name = request.getParam("name");
        var app = name == null ? Optional.<HostedApp>empty() : apps.find(name);
        var known = session.apply(context);
        if (known.isEmpty()) {
            redirect(request, "/login?return_to=" + encoded(request.uri()));
            return;
        }
        try {
            var mine = app.orElseThrow(() -> Problems.missing(String.valueOf(name)));
            var peer = peer(request);
            requireUse(mine, known.get(), peer);
            var state = request.getParam("state");
            redirect(
                    request,
                    "%s%s?code=%s&state=%s&return_to=%s"
                            .formatted(
                                    AppHosts.url(apps.parts(), mine.name()),
                                    LOGIN,
                                    logins.newCode(mine, known.get()),
                                    encoded(state == null ? "" : state),
                                    encoded(target(request.getParam("return_to")))));
        } catch (LakemillException e) {
            AppAnswers.problem(
                    request.response(),
                    true,
                    AppAnswers.status(e),
                    "No access",
                    e.problem() + ". " + e.hint());
        }
    }

    private static void redirect(HttpServerRequest request, String location) {
        request.response()
                .setStatusCode(303)
                .putHeader("location", location)
                .putHeader("cache-control", "no-store")
                .putHeader("referrer-policy", "no-referrer")
                .end();
    }

    private String cookie(String base, String value, long seconds) {
        return "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s"
                .formatted(cookieName(base), value, seconds, secure());
    }

    /**
     * Cookies know no ports, and several nodes may run on one machine. Behind TLS no neighbouring
     * host can set a cookie of a name that begins with __Host-.
     */
    private String cookieName(String base) {
        var port = URI.create(apps.parts().publicUrl().get()).getPort();
        var name = port < 0 ? base : base + "_" + port;
        return secure().isEmpty() ? name : "__Host-" + name;
    }

    private String secure() {
        return apps.parts().publicUrl().get().startsWith("https:") ? "; Secure" : "";
    }

    /** Only places at this host. */
    private static String target(@Nullable String path) {
        return path != null
                        && path.startsWith("/")
                        && !path.startsWith("//")
                        && path.chars().noneMatch(c -> c == '\\' || c <= 0x20)
                ? path
                : "/";
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
