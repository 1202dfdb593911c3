package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Health, metrics, status, live tables and pages over HTTP.
 *
 * <p>Handlers are blocking code: each request that does work gets a virtual thread, through {@link
 * #blocking}. Only {@code /livez} and static files are answered on the event loop.
 */
final class HttpServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(HttpServer.class);
    private static final int REQUEST_BYTES_MAX = 1 << 20;

    /** What the routes ask of the rest of the process. */
    record Parts(
            Supplier<NodeStatus> status,
            Supplier<List<String>> notReady,
            Metrics metrics,
            LiveTables live,
            Node node) {}

    /** A route's body: it may block and throw. */
    private interface Blocking {
        void handle(RoutingContext context) throws Exception;
    }

    private final Parts parts;
    private final ObjectMapper json = new ObjectMapper();
    private final Vertx vertx;
    private final io.vertx.core.http.HttpServer server;

    private HttpServer(Parts parts, String host, int port) throws InterruptedException {
        this.parts = parts;
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
        router.get("/livez").handler(context -> context.end("ok\n"));
        router.get("/readyz").handler(blocking(this::ready));
        router.get("/metrics").handler(blocking(this::metrics));
        router.get("/api/status").handler(blocking(c -> send(c, 200, parts.status().get())));
        router.get("/api/pipelines/:name/audit").handler(blocking(this::audit));
        router.get("/api/live").handler(blocking(this::live));
        router.route("/api/*").handler(blocking(HttpServer::unknown));
        StaticPages.mount(router, parts.node().config().apps());
        return router;
    }

    private void ready(RoutingContext context) {
        var reasons = parts.notReady().get();
        context.response()
                .setStatusCode(reasons.isEmpty() ? 200 : 503)
                .putHeader("content-type", "text/plain; charset=utf-8")
                .end(reasons.isEmpty() ? "ready\n" : String.join("\n", reasons) + "\n");
    }

    private void metrics(RoutingContext context) {
        context.response()
                .putHeader("content-type", Metrics.CONTENT_TYPE)
                .end(parts.metrics().text());
    }

    /** Compares every view of a pipeline with its query, now: how many rows differ. */
    private void audit(RoutingContext context) throws InterruptedException {
        var name = context.pathParam("name");
        var pipeline =
                parts.node()
                        .pipeline(name)
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "there is no pipeline '%s'".formatted(name),
                                                "GET /api/status lists the pipelines"));
        send(context, 200, Map.of("views", pipeline.audit()));
    }

    private void live(RoutingContext context) {
        parts.live().open(context.response(), context.queryParam("table"));
    }

    private static void unknown(RoutingContext context) {
        throw new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no " + context.request().method() + " " + context.request().path(),
                "GET /api/status tells what is here");
    }

    private io.vertx.core.Handler<RoutingContext> blocking(Blocking route) {
        return context ->
                Thread.startVirtualThread(
                        () -> {
                            try {
                                route.handle(context);
                            } catch (LakemillException e) {
                                fail(context, status(e.code()), e.code().name(), message(e));
                            } catch (Exception e) {
                                log.error("{} failed", context.request().path(), e);
                                fail(context, 500, ErrorCode.INTERNAL.name(), "see the log");
                            }
                        });
    }

    private void fail(RoutingContext context, int status, String code, String message) {
        if (!context.response().headWritten()) {
            send(context, status, Map.of("error_code", code, "message", message));
        }
    }

    private void send(RoutingContext context, int status, Object body) {
        try {
            context.response()
                    .setStatusCode(status)
                    .putHeader("content-type", "application/json")
                    .putHeader("cache-control", "no-store")
                    .end(json.writeValueAsString(body));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String message(LakemillException failure) {
        return failure.hint().isEmpty()
                ? failure.problem()
                : failure.problem() + "; hint: " + failure.hint();
    }

    private static int status(ErrorCode code) {
        return switch (code) {
            case INVALID_ARGUMENT -> 400;
            case UNAUTHENTICATED -> 401;
            case PERMISSION_DENIED -> 403;
            case NOT_FOUND -> 404;
            case ALREADY_EXISTS, FAILED_PRECONDITION -> 409;
            case RESOURCE_EXHAUSTED -> 429;
            case UNIMPLEMENTED -> 501;
            case UNAVAILABLE -> 503;
            case DATA_LOSS, INTERNAL -> 500;
        };
    }
}
