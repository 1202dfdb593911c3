package dev.lakemill.server.apps;

import dev.lakemill.catalog.Caller;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.server.Routes;
import dev.lakemill.types.LakemillException;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** REST of apps, in the shape of Databricks' {@code /api/2.0/apps}, and the way to the apps. */
public final class AppRoutes {
    private static final Logger log = LoggerFactory.getLogger(AppRoutes.class);
    private static final String ONE = Apps.API + "/:name";
    private static final int LOG_LINES_INITIAL = 200;
    private static final int LOG_LINES_MAX = 10_000;
    private static final long FOLLOW_LOOK_MS = 500;
    private static final int LOOKS_PER_HEARTBEAT = 30;

    /**
     * How the node knows who calls.
     *
     * @param session of a browser at the node
     * @param goodness whether the token that the request came with is good still
     */
    public record Logins(
            Routes.Authentication authentication,
            Function<RoutingContext, Optional<TokenInfo>> session,
            Function<RoutingContext, BooleanSupplier> goodness) {}

    private final Apps apps;
    private final AppJson json;
    private final Routes routes;
    private final Logins logins;

    private AppRoutes(Apps apps, Routes routes, Logins logins) {
        this.apps = apps;
        this.json = new AppJson(apps);
        this.routes = routes;
        this.logins = logins;
    }

    /** Before all other routes: hosts of apps are theirs alone. */
    public static void mount(Vertx vertx, Router router, Routes routes, Apps apps, Logins logins) {
        var gate = new AppGate(apps, logins.session());
        router.route().handler(new AppProxy(apps, gate, vertx)::handle);
        routes.open(
                HttpMethod.GET,
                "/login/app",
                context -> {
                    gate.handOver(context);
                    return new Routes.Answered();
                });
        new AppRoutes(apps, routes, logins).mount(router);
    }

    private void mount(Router router) {
        routes.secured(
                HttpMethod.GET,
                Apps.API,
                (_, caller) ->
                        Map.of("apps", apps.visible(caller).stream().map(json::of).toList()));
        routes.secured(HttpMethod.POST, Apps.API, this::create);
        routes.secured(HttpMethod.GET, ONE, (c, caller) -> json.of(visible(c, caller)));
        routes.secured(
                HttpMethod.DELETE,
                ONE,
                (c, caller) -> {
                    apps.delete(caller, managed(c, caller));
                    return Map.of();
                });
        routes.secured(
                HttpMethod.POST,
                ONE + "/start",
                (c, caller) -> {
                    var app = managed(c, caller);
                    apps.start(caller, app);
                    return json.of(app);
                });
        routes.secured(
                HttpMethod.POST,
                ONE + "/stop",
                (c, caller) -> {
                    var app = managed(c, caller);
                    apps.stop(caller, app);
                    return json.of(app);
                });
        routes.secured(HttpMethod.POST, ONE + "/rollback", this::rollback);
        routes.secured(HttpMethod.GET, ONE + "/deployments", this::versions);
        routes.secured(HttpMethod.GET, ONE + "/deployments/:deployment", this::version);
        routes.secured(HttpMethod.GET, ONE + "/logs", this::logs);
        router.post(ONE + "/deployments").handler(this::deploy);
    }

    private HostedApp visible(RoutingContext context, Caller caller) {
        return apps.require(caller, context.pathParam("name"));
    }

    private HostedApp managed(RoutingContext context, Caller caller) {
        return apps.manage(caller, context.pathParam("name"));
    }

    private Object create(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        return json.of(
                apps.create(
                        caller, body.path("name").asText(""), body.path("description").asText("")));
    }

    private Object rollback(RoutingContext context, Caller caller) {
        var app = managed(context, caller);
        var version = routes.body(context).path("version");
        if (!version.isInt()) {
            throw Problems.invalid("version is missing", "send {\"version\": 3}");
        }
        return json.of(app, apps.rollback(caller, app, version.asInt()));
    }

    private Object versions(RoutingContext context, Caller caller) {
        var app = managed(context, caller);
        return Map.of(
                "app_deployments",
                apps.versions(app).stream().map(version -> json.of(app, version)).toList());
    }

    private Object version(RoutingContext context, Caller caller) {
        var app = managed(context, caller);
        var id = context.pathParam("deployment");
        return apps.versions(app).stream()
                .filter(version -> version.deployment().toString().equals(id))
                .findFirst()
                .map(version -> json.of(app, version))
                .orElseThrow(
                        () -> Problems.invalid("there is no such deployment", "list them first"));
    }

    /** A body of any size goes to disk, so this route reads it itself. */
    private void deploy(RoutingContext context) {
        var upload = new AppUpload(context.request(), context.vertx().getOrCreateContext());
        Thread.startVirtualThread(
                () -> {
                    try {
                        var caller = logins.authentication().caller(context);
                        answer(context, 200, received(context, caller, upload));
                    } catch (LakemillException e) {
                        refuse(context, upload, e);
                    } catch (InterruptedException _) {
                        Thread.currentThread().interrupt();
                    } catch (RuntimeException | IOException e) {
                        log.error("a deployment failed", e);
                        refuse(
                                context,
                                upload,
                                Problems.disk("a defect", new IOException("see the log")));
                    }
                });
    }

    private Object received(RoutingContext context, Caller caller, AppUpload upload)
            throws InterruptedException, IOException {
        var name = context.pathParam("name");
        if (String.valueOf(context.request().getHeader("content-type")).contains("json")) {
            throw Problems.invalid(
                    "the app's folder is missing",
                    "send it packed, as application/gzip or application/zip; './lakemill app deploy"
                            + " DIR' does");
        }
        var app = apps.find(name).isPresent() ? apps.manage(caller, name) : null;
        if (app == null) {
            app = apps.create(caller, name, "");
        }
        var file = apps.upload();
        try {
            upload.into(file, AppArchive.UPLOAD_BYTES_MAX);
            return json.of(app, apps.deploy(caller, app, file));
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static void refuse(
            RoutingContext context, AppUpload upload, LakemillException failure) {
        upload.discard();
        answer(
                context,
                AppAnswers.status(failure),
                Map.of("error_code", failure.code().name(), "message", failure.getMessage()));
    }

    private static void answer(RoutingContext context, int status, Object body) {
        if (context.response().headWritten() || context.response().closed()) {
            return;
        }
        context.response()
                .setStatusCode(status)
                .putHeader("content-type", "application/json")
                .putHeader("cache-control", "no-store")
                .end(AppJson.text(body));
    }

    /** {@code ?lines=N}, and {@code ?follow=true} for a stream of events. */
    private Object logs(RoutingContext context, Caller caller) throws InterruptedException {
        var app = managed(context, caller);
        var lines = lines(context.request().getParam("lines"));
        if (!"true".equals(context.request().getParam("follow"))) {
            return Map.of("lines", app.log().tail(lines));
        }
        var good = logins.goodness().apply(context);
        try (var follower = app.log().follow()) {
            var response = context.response();
            response.setChunked(true)
                    .putHeader("content-type", "text/event-stream")
                    .putHeader("cache-control", "no-store")
                    .putHeader("content-encoding", "identity");
            for (var line : app.log().tail(lines)) {
                response.write(event(line));
            }
            var silent = 0;
            while (!response.closed() && !response.ended() && good.getAsBoolean()) {
                var line = response.writeQueueFull() ? null : follower.poll(FOLLOW_LOOK_MS);
                if (line != null) {
                    response.write(event(line));
                } else if (response.writeQueueFull()) {
                    Thread.sleep(FOLLOW_LOOK_MS);
                } else if (++silent % LOOKS_PER_HEARTBEAT == 0) {
                    response.write(": still here\n\n");
                }
            }
            if (!response.closed() && !response.ended()) {
                response.end();
            }
        }
        return new Routes.Answered();
    }

    private static int lines(@org.jspecify.annotations.Nullable String text) {
        try {
            return text == null
                    ? LOG_LINES_INITIAL
                    : Math.clamp(Integer.parseInt(text), 0, LOG_LINES_MAX);
        } catch (NumberFormatException e) {
            throw Problems.invalid("lines is no number", "write ?lines=200");
        }
    }

    private static String event(String line) {
        return "data: " + line + "\n\n";
    }
}
