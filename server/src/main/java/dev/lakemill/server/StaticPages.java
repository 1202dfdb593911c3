package dev.lakemill.server;

import io.vertx.core.Handler;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.FileSystemAccess;
import io.vertx.ext.web.handler.StaticHandler;
import java.util.List;

/**
 * The console at {@code /} and each app at {@code /apps/name/}: files with a hash in their name are
 * kept by browsers for ever, all others are asked for again; unknown paths get the index page.
 */
final class StaticPages {
    private static final String POLICY =
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
                    + " frame-ancestors 'self'; base-uri 'self'; form-action 'self'";

    /** In the console's jar. Vert.x looks in the working folder first: this is in none. */
    private static final String CONSOLE = "META-INF/lakemill/console";

    private StaticPages() {}

    static void mount(Router router, List<Config.App> apps) {
        router.route().handler(StaticPages::headers);
        for (var app : apps) {
            var path = "/apps/" + app.name();
            router.get(path).handler(StaticPages::addSlash);
            var files =
                    StaticHandler.create(
                                    FileSystemAccess.ROOT, app.folder().toAbsolutePath().toString())
                            .setCachingEnabled(false);
            router.get(path + "/*").handler(files);
            router.get(path + "/*").handler(index(path + "/"));
        }
        router.get("/*").handler(StaticHandler.create(CONSOLE).setCachingEnabled(false));
        router.get("/*").handler(index("/"));
    }

    private static void headers(RoutingContext context) {
        var path = context.request().path();
        context.response()
                .putHeader("content-security-policy", POLICY)
                .putHeader("x-content-type-options", "nosniff")
                .putHeader("referrer-policy", "same-origin")
                .putHeader(
                        "cache-control",
                        path.contains("/assets/")
                                ? "public, max-age=31536000, immutable"
                                : "no-cache");
        context.next();
    }

    private static void addSlash(RoutingContext context) {
        if (context.request().path().endsWith("/")) {
            context.next();
        } else {
            context.redirect(context.request().path() + "/");
        }
    }

    /** A single-page application answers any of its paths with its index, but not lost files. */
    private static Handler<RoutingContext> index(String path) {
        return context -> {
            var asked = context.request().path();
            var file = asked.substring(asked.lastIndexOf('/') + 1).contains(".");
            if (file || asked.equals(path) || asked.equals(path + "index.html")) {
                context.response()
                        .setStatusCode(404)
                        .putHeader("content-type", "text/plain; charset=utf-8")
                        .end(
                                asked.equals(path)
                                        ? "The pages are not built; './lakemill up' builds them.\n"
                                        : "There is no " + asked + "\n");
            } else {
                context.reroute(path + "index.html");
            }
        };
    }
}
