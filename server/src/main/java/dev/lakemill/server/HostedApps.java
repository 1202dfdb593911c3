package dev.lakemill.server;

import dev.lakemill.identity.Identity;
import dev.lakemill.server.apps.AppRoutes;
import dev.lakemill.server.apps.Apps;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Gives the apps of a node what they stand on. */
final class HostedApps {
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
