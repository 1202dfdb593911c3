package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Principals;
import dev.lakemill.identity.Identity;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.server.models.GatewayRoutes;
import dev.lakemill.server.models.UsageRoutes;
import dev.lakemill.server.rest.UnityApi;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.sql.DataSource;

/**
 * Health, metrics, login, REST and pages over HTTP.
 *
 * <p>Nothing but health and login is open. Only {@code /livez} and static files are answered on the
 * event loop; the others are blocking code, see {@link Routes}.
 */
final class HttpServer implements AutoCloseable {
    private static final int REQUEST_BYTES_MAX = 1 << 20;
    private static final List<HttpMethod> METHODS =
            List.of(
                    HttpMethod.GET,
                    HttpMethod.POST,
                    HttpMethod.PUT,
                    HttpMethod.PATCH,
                    HttpMethod.DELETE);

    /** What the routes ask of the rest of the process. */
    record Parts(
            Supplier<NodeStatus> status,
            Supplier<List<String>> notReady,
            Metrics metrics,
            LiveTables live,
            Identity identity,
            Supplier<String> publicUrl,
            DataSource database,
            Node node) {}

    private static final long STREAMS_CHECKED_EVERY_MS = 500;

    private final Parts parts;
    private final HttpAuthentication authentication;
    private final Map<HttpServerResponse, TokenInfo> openStreams = new ConcurrentHashMap<>();
    private final Vertx vertx;
    private final io.vertx.core.http.HttpServer server;

    private HttpServer(Parts parts, String host, int port) throws InterruptedException {
        this.parts = parts;
        this.authentication = new HttpAuthentication(parts.identity().tokens(), parts.publicUrl());
        this.vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2).setWorkerPoolSize(2));
        var options =
                new HttpServerOptions()
                        .setCompressionSupported(true)
                        .setMaxFormAttributeSize(REQUEST_BYTES_MAX);
        try {
            this.server =
                    vertx.createHttpServer(options)
                            .requestHandler(router())
                            .listen(port, host)
                            .toCompletionStage()
                            .toCompletableFuture()
                            .get(10, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException
                | java.util.concurrent.TimeoutException e) {
            vertx.close();
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "cannot listen for HTTP on %s:%d (%s)".formatted(host, port, reason(e)),
                    "end what uses the port, or set http.port (LAKEMILL_HTTP_PORT) to another",
                    e);
        }
    }

    static HttpServer start(Parts parts, String host, int port) throws InterruptedException {
        return new HttpServer(parts, host, port);
    }

    int port() {
        return server.actualPort();
    }

    @Override
    public void close() {
        parts.live().close();
        vertx.close();
    }

    private static String reason(Exception failure) {
        var cause = failure.getCause() == null ? failure : failure.getCause();
        return String.valueOf(cause.getMessage());
    }

    private Router router() {
        var router = Router.router(vertx);
        var identity = parts.identity();
        var routes = new Routes(router, authentication, parts.node()::carrying);
        var catalog = parts.node().catalog();
        HostedApps.mount(vertx, router, routes, parts.node(), authentication);
        router.get("/livez").handler(context -> context.end("ok\n"));
        routes.open(HttpMethod.GET, "/readyz", _ -> ready());
        routes.open(HttpMethod.GET, "/metrics", this::metrics);
        OAuthRoutes.mount(routes, identity, authentication);
        LoginPages.mount(routes, identity, authentication);
        SecretRoutes.mount(routes, identity, catalog.principals(), parts.publicUrl());
        ScimRoutes.mount(routes, catalog.principals());
        DatabaseCredentialRoutes.mount(routes, parts.node().databaseTokens(), Clock.systemUTC());
        AuditRoutes.mount(routes, catalog, parts.database());
        BackupRoutes.mount(routes, catalog, parts.node());
        ImportRoutes.mount(routes, catalog, parts.node());
        LineageRoutes.mount(routes, catalog, Clock.systemUTC());
        SqlRoutes.mount(routes, parts.node().sql().statements());
        AccessRoutes.mount(routes, catalog);
        InsertRoutes.mount(
                routes, parts.node().ingest(), new TokenProducers(identity.tokens(), catalog));
        PipelineRoutes.mount(routes, parts.node());
        SyncedTableRoutes.mount(routes, catalog, parts.node().synced());
        parts.node().agents().mount(routes, catalog);
        UnityApi.mount(routes, parts.node().unity());
        GatewayRoutes.mount(routes, parts.node().gateway(), parts.node().models());
        UsageRoutes.mount(routes, parts.node().gateway(), catalog.principals());
        McpRoutes.mount(routes, parts.node(), parts.publicUrl());
        routes.secured(HttpMethod.GET, "/api/status", (_, caller) -> status(caller));
        routes.secured(HttpMethod.GET, "/api/pipelines/:name/audit", this::audit);
        routes.secured(HttpMethod.GET, "/api/live", this::live);
        for (var method : METHODS) {
            routes.secured(method, "/api/*", (context, _) -> unknown(context));
        }
        router.route().handler(authentication::admitToPages);
        StaticPages.mount(router, parts.node().config().apps());
        vertx.setPeriodic(STREAMS_CHECKED_EVERY_MS, _ -> endStreams());
        return router;
    }

    /** Of the tables, those that the caller may see. */
    private Object status(Caller caller) {
        var visible = new Visible(parts.node().catalog(), caller);
        return parts.status()
                .get()
                .of(table -> visible.sees(Securable.table(TableName.parse(table))));
    }

    private Object ready() {
        var reasons = parts.notReady().get();
        return new Routes.Reply(
                reasons.isEmpty() ? 200 : 503,
                Map.of("content-type", "text/plain; charset=utf-8"),
                reasons.isEmpty() ? "ready\n" : String.join("\n", reasons) + "\n");
    }

    /** Open to this machine, where collectors run; others need a token. */
    private Object metrics(RoutingContext context) {
        if (!HttpAuthentication.isLocal(context)) {
            authentication.token(context);
        }
        return new Routes.Reply(
                200, Map.of("content-type", Metrics.CONTENT_TYPE), parts.metrics().text());
    }

    /** Compares every view of a pipeline with its query, now: how many rows differ. */
    private Object audit(RoutingContext context, Caller caller) throws InterruptedException {
        requireAdmin(caller);
        var name = context.pathParam("name");
        var pipeline =
                parts.node()
                        .pipelines()
                        .named(name)
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "there is no pipeline '%s'".formatted(name),
                                                "GET /api/status lists the pipelines"));
        return Map.of("views", pipeline.audit());
    }

    private void requireAdmin(Caller caller) {
        if (!parts.node().catalog().principals().isAdmin(caller.principal().id())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "only metastore admins may audit a pipeline, which reads all of its rows",
                    "ask a member of the group " + Principals.ADMINS);
        }
    }

    private Object live(RoutingContext context, Caller caller) {
        var token = authentication.token(context);
        parts.live().open(caller, context.response(), context.queryParam("table"));
        openStreams.put(context.response(), token);
        return new Routes.Answered();
    }

    /** A stream of events ends with the token that opened it. */
    private void endStreams() {
        openStreams.forEach(
                (response, token) -> {
                    if (response.ended() || response.closed()) {
                        openStreams.remove(response);
                    } else if (!parts.identity().tokens().isGood(token)) {
                        response.end();
                    }
                });
    }

    private static Object unknown(RoutingContext context) {
        throw new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no " + context.request().method() + " " + context.request().path(),
                "GET /api/status tells what is here");
    }
}
