package dev.lakemill.server.apps;

import dev.lakemill.identity.Peer;
import dev.lakemill.identity.TokenInfo;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.http.StreamResetException;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.RoutingContext;
import io.vertx.httpproxy.Body;
import io.vertx.httpproxy.HttpProxy;
import io.vertx.httpproxy.ProxyContext;
import io.vertx.httpproxy.ProxyInterceptor;
import io.vertx.httpproxy.ProxyOptions;
import io.vertx.httpproxy.ProxyResponse;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to the apps: {@code NAME.host} for browsers, and {@code /apps/NAME/} for programs, which
 * come with a token.
 *
 * <p>What says who calls is taken off each request and said anew; streams and WebSockets go through
 * unbuffered for as long as both ends like, and end with the token that opened them, or when it may
 * no longer use the app.
 */
final class AppProxy {
    private static final Logger log = LoggerFactory.getLogger(AppProxy.class);
    private static final int CONNECTIONS_MAX = 512;
    private static final int CONNECT_MS_MAX = 5_000;
    private static final long CHECKED_EVERY_MS = 500;
    private static final String OURS = "lakemill";

    /** The key under which {@code HttpAuthentication} finds who was let in here. */
    private static final String TOKEN = "lakemill.token";

    /** A request that was let in. */
    private record Visit(
            RoutingContext context,
            HostedApp app,
            HostedApp.Running running,
            boolean hosted,
            TokenInfo token,
            @Nullable String userToken,
            Peer peer) {}

    private final Apps apps;
    private final AppGate gate;
    private final HttpClient client;
    private final Map<HttpServerRequest, Visit> open = new ConcurrentHashMap<>();

    AppProxy(Apps apps, AppGate gate, Vertx vertx) {
        this.apps = apps;
        this.gate = gate;
        this.client =
                vertx.createHttpClient(
                        new HttpClientOptions()
                                .setConnectTimeout(CONNECT_MS_MAX)
                                .setProtocolVersion(HttpVersion.HTTP_1_1)
                                .setMaxHeaderSize(64 << 10)
                                .setDecompressionSupported(false),
                        new PoolOptions().setHttp1MaxSize(CONNECTIONS_MAX));
        vertx.setPeriodic(CHECKED_EVERY_MS, _ -> endOpen());
    }

    /** Takes what is for an app; all else goes on. */
    void handle(RoutingContext context) {
        var request = context.request();
        var authority = request.authority();
        var hosted = AppHosts.app(apps.parts(), authority == null ? null : authority.host());
        var name = hosted == null ? ofPath(request.path()) : hosted;
        var app = name == null ? null : apps.find(name).orElse(null);
        if (app == null) {
            if (hosted == null) {
                context.next();
            } else {
                AppAnswers.problem(request.response(), true, 404, "There is no such app", hosted);
            }
            return;
        }
        if (!isWellEncoded(context)) {
            fail(request, 400, "Bad request", "The path is not well encoded.");
            return;
        }
        request.pause();
        var peer = AppGate.peer(request);
        var here = context.vertx().getOrCreateContext();
        Thread.startVirtualThread(
                () -> {
                    try {
                        var visit = admit(context, app, hosted != null, peer);
                        here.runOnContext(
                                _ -> {
                                    if (visit == null) {
                                        request.resume();
                                    } else {
                                        serve(visit);
                                    }
                                });
                    } catch (RuntimeException e) {
                        log.error("{} {} failed", request.method(), request.path(), e);
                        here.runOnContext(
                                _ -> fail(request, 500, "This is a defect", "See the node's log."));
                    }
                });
    }

    private static boolean isWellEncoded(RoutingContext context) {
        try {
            URLDecoder.decode(context.request().path(), StandardCharsets.UTF_8);
            return !context.normalizedPath().isEmpty();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static @Nullable String ofPath(String path) {
        if (!path.startsWith("/apps/")) {
            return null;
        }
        var end = path.indexOf('/', 6);
        return end < 0 ? path.substring(6) : path.substring(6, end);
    }

    /** On a thread of its own: tokens are checked, made and audited. Null when it was answered. */
    private @Nullable Visit admit(
            RoutingContext context, HostedApp app, boolean hosted, Peer peer) {
        var request = context.request();
        var token = gate.admit(request, app, hosted, peer);
        if (token == null) {
            return null;
        }
        var running = app.running();
        if (running == null) {
            unavailable(request, app);
            return null;
        }
        var scopes = running.manifest().scopes();
        var toNode = hosted && isForNode(running, context.normalizedPath());
        if (toNode && Collections.disjoint(scopes, AppScopes.forPath(context.normalizedPath()))) {
            AppAnswers.problem(
                    request.response(),
                    false,
                    403,
                    "No access",
                    "the app's user_api_scopes do not reach " + request.path());
            return null;
        }
        if (scopes.isEmpty()) {
            return new Visit(context, app, running, hosted, token, null, peer);
        }
        var issued = gate.logins().forUser(app, token, scopes, peer);
        if (toNode) {
            context.put(TOKEN, issued.info());
        }
        return new Visit(context, app, running, hosted, token, issued.text(), peer);
    }

    /** Pages of a static app have no server of their own: what they ask goes to the node's REST. */
    private static boolean isForNode(HostedApp.Running running, String path) {
        return running.site() != null
                && (path.startsWith("/api/") || path.startsWith("/serving-endpoints"));
    }

    private void unavailable(HttpServerRequest request, HostedApp app) {
        var status = app.status(true);
        request.response().putHeader("retry-after", "2");
        fail(
                request,
                503,
                "%s is not running".formatted(app.name()),
                "%s: %s".formatted(status.state(), status.message()));
    }

    private static void fail(HttpServerRequest request, int status, String title, String text) {
        var accepted = request.getHeader("accept");
        if (!request.response().headWritten() && !request.response().closed()) {
            request.response().putHeader("connection", "close");
        }
        AppAnswers.problem(
                request.response(),
                accepted != null && accepted.contains("text/html"),
                status,
                title,
                text);
    }

    private void serve(Visit visit) {
        var request = visit.context().request();
        var running = visit.running();
        if (visit.hosted() && isForNode(running, visit.context().normalizedPath())) {
            request.resume();
            visit.context().next();
            return;
        }
        var path = visit.hosted() ? request.path() : below(request.path(), visit.app());
        if (running.site() != null) {
            request.resume();
            running.site()
                    .serve(
                            request,
                            URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8));
            return;
        }
        forward(visit);
    }

    /** The rest of the path or URI; a slash at least. */
    private static String below(String path, HostedApp app) {
        var rest = path.substring(("/apps/" + app.name()).length());
        return rest.startsWith("/") ? rest : "/" + rest;
    }

    private void forward(Visit visit) {
        var request = visit.context().request();
        var process = visit.running().process();
        if (process == null || process.state() != AppProcess.State.RUNNING) {
            unavailable(request, visit.app());
            return;
        }
        var bytesMax = (long) visit.running().manifest().limits().bodyMbMax() << 20;
        if (length(request) > bytesMax) {
            tooLarge(visit, bytesMax);
            return;
        }
        open.put(request, visit);
        request.response().endHandler(_ -> open.remove(request));
        request.response().closeHandler(_ -> open.remove(request));
        var sent = new Sent();
        HttpProxy.reverseProxy(new ProxyOptions().setSupportWebSocket(true), client)
                .origin(_ -> origin(process.port(), sent))
                .addInterceptor(new Both(visit, sent, bytesMax), true)
                .handle(request);
    }

    private static long length(HttpServerRequest request) {
        try {
            var text = request.getHeader("content-length");
            return text == null ? 0 : Long.parseLong(text);
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    private void tooLarge(Visit visit, long bytesMax) {
        var caller = visit.peer().caller(visit.token().principal());
        var problem = "the request has more than %d bytes".formatted(bytesMax);
        apps.refused(caller, "useApp", visit.app(), Map.of(), 413, problem);
        fail(visit.context().request(), 413, "Too large", problem + " (body_mb_max).");
    }

    /** The request to the app, for what has to end it early. */
    private static final class Sent {
        private @Nullable HttpClientRequest request;
        private boolean tooLarge;

        void reset() {
            var current = request;
            if (current != null) {
                current.reset();
            }
        }
    }

    private Future<HttpClientRequest> origin(int port, Sent sent) {
        var options = new RequestOptions().setHost("127.0.0.1").setPort(port);
        return client.request(options)
                .onSuccess(
                        made -> {
                            made.exceptionHandler(_ -> {}); // the response tells it as well
                            sent.request = made;
                        });
    }

    /** What is done to each request and each response. */
    private final class Both implements ProxyInterceptor {
        private final Visit visit;
        private final Sent sent;
        private final long bytesMax;

        private Both(Visit visit, Sent sent, long bytesMax) {
            this.visit = visit;
            this.sent = sent;
            this.bytesMax = bytesMax;
        }

        @Override
        public Future<ProxyResponse> handleProxyRequest(ProxyContext context) {
            var request = visit.context().request();
            var proxied = context.request();
            AppHeaders.toApp(proxied.headers(), visitor());
            var authority = request.authority();
            if (authority != null) {
                proxied.setAuthority(HostAndPort.create(authority.host(), authority.port()));
            }
            if (!visit.hosted()) {
                proxied.setURI(below(request.uri(), visit.app()));
            }
            if (!context.isWebSocket()) {
                var counted =
                        new CountedBody(
                                request,
                                bytesMax,
                                () -> {
                                    sent.tooLarge = true;
                                    sent.reset();
                                });
                var length = request.getHeader("content-length");
                proxied.setBody(
                        length == null
                                ? Body.body(counted)
                                : Body.body(counted, Long.parseLong(length)));
            }
            var seconds = visit.running().manifest().limits().responseSecondsMax();
            return context.sendRequest().timeout(seconds, TimeUnit.SECONDS).recover(this::failed);
        }

        private AppHeaders.Visitor visitor() {
            var request = visit.context().request();
            var authority = request.authority();
            return new AppHeaders.Visitor(
                    visit.token().principal(),
                    visit.peer(),
                    authority == null ? "" : authority.toString(),
                    apps.parts().publicUrl().get().startsWith("https:") ? "https" : "http",
                    visit.hosted() ? "" : "/apps/" + visit.app().name(),
                    visit.userToken(),
                    visit.app().proxySecret());
        }

        /** Answers itself; the proxy hears no more of it. */
        private Future<ProxyResponse> failed(Throwable failure) {
            var request = visit.context().request();
            var name = visit.app().name();
            if (sent.tooLarge) {
                tooLarge(visit, bytesMax);
            } else if (failure instanceof TimeoutException) {
                sent.reset();
                fail(
                        request,
                        504,
                        name + " did not answer in time",
                        "It had %d seconds (response_seconds_max)."
                                .formatted(
                                        visit.running().manifest().limits().responseSecondsMax()));
            } else if (request.response().closed() || failure instanceof StreamResetException) {
                sent.reset(); // whoever asked has gone, which is no fault of the app's
            } else {
                visit.app().log().system("the proxy: " + Problems.text(failure));
                fail(
                        request,
                        502,
                        name + " broke off",
                        "It closed the connection before it answered. Its log may say why.");
            }
            return Promise.<ProxyResponse>promise().future();
        }

        @Override
        public Future<Void> handleProxyResponse(ProxyContext context) {
            AppHeaders.fromApp(context.response().headers(), visit.hosted());
            return context.sendResponse();
        }
    }

    /** Streams and sockets end with the token that opened them, and with the right to the app. */
    private void endOpen() {
        open.forEach(
                (request, visit) -> {
                    if (!gate.mayStay(visit.app(), visit.token(), visit.peer())) {
                        open.remove(request);
                        if (request.version() == HttpVersion.HTTP_2) {
                            request.response().reset();
                        } else {
                            request.connection().close();
                        }
                    }
                });
    }

    /** Whether a cookie's name is one of the node's. */
    static boolean isOurs(String cookie) {
        var name = cookie.strip().toLowerCase(Locale.ROOT);
        return name.startsWith(OURS)
                || name.startsWith("__host-" + OURS)
                || name.startsWith("__secure-" + OURS);
    }
}
