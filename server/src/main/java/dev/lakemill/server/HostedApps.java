package dev.lakemill.server;

import dev.lakemill.identity.Identity;
import dev.lakemill.server.apps.AppRoutes;
import dev.lakemill.server.apps.AppUsage;
import dev.lakemill.server.apps.Apps;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Gives the apps of a node what they stand on. */
final class HostedApps {
    private static final List<String> APP = List.of("app");

    private HostedApps() {}

    static Apps open(Node node, Identity identity, Supplier<String> publicUrl) {
        var config = node.config();
        return Apps.open(
                new Apps.Parts(
                        config.data(),
                        node.catalog(),
                        identity,
                        node.postgres().owner(),
                        publicUrl,
                        () -> node.door().address(),
                        node.postgres().database(),
                        config.text(Setting.HOSTING_DOMAIN),
                        config.number(Setting.HOSTING_UID_FIRST),
                        config.apps().stream().map(Config.App::name).collect(Collectors.toSet())));
    }

    /** What is measured of them. */
    static void measure(Apps apps, Metrics metrics) {
        metrics.gauges(
                "lakemill_app_running",
                "1 when the app works, 0 when it should and does not",
                APP,
                sink ->
                        apps.usage().stream()
                                .filter(AppUsage::isStarted)
                                .forEach(app -> sink.value(app.isRunning() ? 1 : 0, app.name())));
        metrics.counters(
                "lakemill_app_restarts",
                "times that the version which runs was started again because it had ended",
                APP,
                sink -> apps.usage().forEach(app -> sink.value(app.restarts(), app.name())));
        metrics.gauges(
                "lakemill_app_memory_bytes",
                "of all of the app's processes",
                APP,
                sink -> apps.usage().forEach(app -> sink.value(app.memoryBytes(), app.name())));
    }

    static void mount(
            Vertx vertx,
            Router router,
            Routes routes,
            Node node,
            HttpAuthentication authentication) {
        var tokens = authentication.tokens();
        AppRoutes.mount(
                vertx,
                router,
                routes,
                node.apps(),
                new AppRoutes.Logins(
                        authentication,
                        authentication::session,
                        context -> {
                            var token = authentication.token(context);
                            return () -> tokens.isGood(token);
                        }));
    }
}
