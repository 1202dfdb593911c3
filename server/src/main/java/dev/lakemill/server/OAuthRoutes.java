package dev.lakemill.server;

import dev.lakemill.identity.Audience;
import dev.lakemill.identity.Identity;
import dev.lakemill.identity.OAuthAnswer;
import dev.lakemill.identity.OAuthCall;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** The endpoints of OAuth, under Databricks' paths, and Unity Catalog's name for one of them. */
final class OAuthRoutes {
    private final Identity identity;
    private final HttpAuthentication authentication;

    private OAuthRoutes(Identity identity, HttpAuthentication authentication) {
        this.identity = identity;
        this.authentication = authentication;
    }

    static void mount(Routes routes, Identity identity, HttpAuthentication authentication) {
        var mine = new OAuthRoutes(identity, authentication);
        var oauth = identity.oauth();
        routes.open(HttpMethod.POST, "/oidc/v1/token", c -> reply(oauth.token(call(c))));
        routes.open(HttpMethod.POST, "/oidc/v1/revoke", c -> reply(oauth.revoke(call(c))));
        routes.open(HttpMethod.POST, "/oidc/v1/introspect", c -> reply(oauth.introspect(call(c))));
        routes.open(HttpMethod.GET, "/oidc/jwks", _ -> identity.tokens().publicKeys());
        for (var path :
                new String[] {
                    "/.well-known/openid-configuration",
                    "/.well-known/oauth-authorization-server",
                    "/oidc/.well-known/openid-configuration",
                    "/oidc/.well-known/oauth-authorization-server"
                }) {
            routes.open(HttpMethod.GET, path, _ -> oauth.metadata());
        }
        routes.open(
                HttpMethod.POST, "/api/1.0/unity-control/auth/tokens", mine::unityCatalogTokens);
        routes.secured(
                HttpMethod.POST,
                "/api/1.0/unity-control/auth/logout",
                (context, caller) -> {
                    identity.tokens().revoke(caller, authentication.token(context));
                    return new Routes.Reply(
                            200, authentication.setCookie(context, "", 0), Map.of());
                });
    }

    /** Unity Catalog's token exchange; with {@code ?ext=cookie} a browser is logged in as well. */
    private Object unityCatalogTokens(RoutingContext context) {
        var answer = identity.oauth().token(call(context));
        if (answer.status() != 200 || !context.queryParam("ext").contains("cookie")) {
            return reply(answer);
        }
        authentication.requireOwnPage(context);
        var text = String.valueOf(answer.body().get("access_token"));
        var token = identity.tokens().verify(text, Audience.REST);
        return new Routes.Reply(200, cookie(context, token), answer.body());
    }

    private Map<String, String> cookie(RoutingContext context, TokenInfo token) {
        var session = identity.browserSession(token, HttpAuthentication.peer(context));
        var life = Duration.between(session.info().issuedAt(), session.info().expiresAt());
        return authentication.setCookie(context, session.text(), life.toSeconds());
    }

    private static Routes.Reply reply(OAuthAnswer answer) {
        return new Routes.Reply(answer.status(), answer.headers(), answer.body());
    }

    /** A form, each parameter once (RFC 6749, 3.2). */
    private static OAuthCall call(RoutingContext context) {
        return new OAuthCall(
                form(context),
                context.request().getHeader("authorization"),
                HttpAuthentication.peer(context));
    }

    static Map<String, String> form(RoutingContext context) {
        var form = new HashMap<String, String>();
        for (var entry : context.request().formAttributes()) {
            if (form.put(entry.getKey(), entry.getValue()) != null) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "a parameter of the form stands there twice",
                        "send each once");
            }
        }
        return form;
    }
}
