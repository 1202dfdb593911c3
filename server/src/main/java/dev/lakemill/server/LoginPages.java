package dev.lakemill.server;

import dev.lakemill.identity.AuthorizationRequest;
import dev.lakemill.identity.Identity;
import dev.lakemill.identity.OAuth;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where people log in, choose their first password, and agree that a client acts for them.
 *
 * <p>Each page is plain HTML and works without scripts. Every form is taken from our own pages
 * alone.
 */
final class LoginPages {
    /** What sends a browser on to the host of an app. */
    private static final List<String> TO_APPS = List.of("/login/app?", "/apps/");

    private final Identity identity;
    private final HttpAuthentication authentication;

    private LoginPages(Identity identity, HttpAuthentication authentication) {
        this.identity = identity;
        this.authentication = authentication;
    }

    static void mount(Routes routes, Identity identity, HttpAuthentication authentication) {
        var pages = new LoginPages(identity, authentication);
        routes.open(HttpMethod.GET, "/login", pages::showLogin);
        routes.open(HttpMethod.POST, "/login", own(pages, pages::login));
        routes.open(HttpMethod.GET, "/login/code", pages::showCode);
        routes.open(HttpMethod.POST, "/login/code", own(pages, pages::redeem));
        routes.open(HttpMethod.POST, "/logout", own(pages, pages::logout));
        routes.open(HttpMethod.GET, "/oidc/v1/authorize", pages::showConsent);
        routes.open(HttpMethod.POST, "/oidc/v1/authorize", own(pages, pages::consent));
    }

    private static Routes.Open own(LoginPages pages, Routes.Open route) {
        return context -> {
            pages.authentication.requireOwnPage(context);
            return route.handle(context);
        };
    }

    private Object showLogin(RoutingContext context) {
        var target = target(context.request().getParam("return_to"));
        return authentication.session(context).isPresent()
                ? seeOther(target)
                : LoginHtml.login(200, "", "", target);
    }

    private Object login(RoutingContext context) {
        var form = OAuthRoutes.form(context);
        var target = target(form.get("return_to"));
        var name = form.getOrDefault("name", "");
        try {
            var user =
                    identity.passwords()
                            .login(
                                    name,
                                    form.getOrDefault("password", ""),
                                    HttpAuthentication.peer(context));
            return loggedIn(context, user, target);
        } catch (LakemillException e) {
            return switch (e.code()) {
                case UNAUTHENTICATED ->
                        LoginHtml.login(401, "Name or password is not right.", name, target);
                case RESOURCE_EXHAUSTED -> LoginHtml.login(429, sentence(e), name, target);
                case UNAVAILABLE -> LoginHtml.login(503, sentence(e), name, target);
                default -> throw e;
            };
        }
    }

    private Object showCode(RoutingContext context) {
        var code = parameter(context, "code");
        var target = target(context.request().getParam("return_to"));
        return identity.passwords()
                .peek(code, HttpAuthentication.peer(context))
                .map(user -> code(200, "", user, code, target))
                .orElseGet(LoginPages::usedUp);
    }

    private Routes.Reply code(
            int status, String problem, Principal user, String code, String target) {
        var first = !identity.passwords().exists(user.id());
        return LoginHtml.code(
                status, problem, user.name(), first, Map.of("code", code, "return_to", target));
    }

    private static Routes.Reply usedUp() {
        return LoginHtml.message(
                401,
                "This link does not work any more",
                "It was used, replaced by a newer one, or has expired. Log in with your password,"
                        + " or ask an admin for another link.");
    }

    private Object redeem(RoutingContext context) {
        var form = OAuthRoutes.form(context);
        var code = form.getOrDefault("code", "");
        var target = target(form.get("return_to"));
        var password = form.getOrDefault("password", "");
        var peer = HttpAuthentication.peer(context);
        try {
            var user =
                    identity.passwords().redeem(code, password.isEmpty() ? null : password, peer);
            return loggedIn(context, user, target);
        } catch (LakemillException e) {
            return switch (e.code()) {
                case UNAUTHENTICATED -> usedUp();
                case INVALID_ARGUMENT ->
                        identity.passwords()
                                .peek(code, peer)
                                .map(user -> code(400, sentence(e), user, code, target))
                                .orElseGet(LoginPages::usedUp);
                default -> throw e;
            };
        }
    }

    private Object loggedIn(RoutingContext context, Principal user, String target) {
        var session = identity.browserSession(user, HttpAuthentication.peer(context));
        var headers =
                new HashMap<>(
                        authentication.setCookie(
                                context, session.text(), Identity.BROWSER_TTL.toSeconds()));
        if (TO_APPS.stream().anyMatch(target::startsWith)) {
            return LoginHtml.onward(headers, target);
        }
        headers.put("location", target);
        return new Routes.Reply(303, headers, null);
    }

    private Object logout(RoutingContext context) {
        authentication
                .session(context)
                .ifPresent(
                        token ->
                                identity.tokens()
                                        .revoke(
                                                HttpAuthentication.peer(context)
                                                        .caller(token.principal()),
                                                token));
        var headers = new HashMap<>(authentication.setCookie(context, "", 0));
        headers.put("location", "/login");
        return new Routes.Reply(303, headers, null);
    }

    private Object showConsent(RoutingContext context) {
        var parameters = new LinkedHashMap<String, String>();
        context.queryParams().forEach(parameters::put);
        var session = authentication.session(context);
        return switch (identity.oauth().authorize(parameters)) {
            case OAuth.Authorization.Redirects(String location) -> seeOther(location);
            case OAuth.Authorization.Asks(AuthorizationRequest request) ->
                    session.isPresent()
                            ? LoginHtml.consent(
                                    request.clientId(),
                                    session.get().principal().name(),
                                    parameters)
                            : seeOther("/login?return_to=" + encoded(context.request().uri()));
        };
    }

    private Object consent(RoutingContext context) {
        var form = OAuthRoutes.form(context);
        var person = authentication.session(context);
        if (person.isEmpty()) {
            return seeOther("/login");
        }
        return switch (identity.oauth().authorize(form)) {
            case OAuth.Authorization.Redirects(String location) -> seeOther(location);
            case OAuth.Authorization.Asks(AuthorizationRequest request) ->
                    seeOther(
                            "allow".equals(form.get("decision"))
                                    ? identity.oauth()
                                            .agree(
                                                    request,
                                                    person.get().principal(),
                                                    HttpAuthentication.peer(context))
                                    : identity.oauth().deny(request));
        };
    }

    private static Routes.Reply seeOther(String location) {
        return new Routes.Reply(303, Map.of("location", location), null);
    }

    private static String parameter(RoutingContext context, String name) {
        var value = context.request().getParam(name);
        if (value == null) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT, "the link is not whole", "copy all of it");
        }
        return value;
    }

    /** Only places on this server: a path, never {@code //host} or what browsers take for it. */
    static String target(@Nullable String path) {
        return path != null
                        && path.startsWith("/")
                        && !path.startsWith("//")
                        && path.chars().noneMatch(c -> c == '\\' || c < 0x20)
                ? path
                : "/";
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String sentence(LakemillException failure) {
        var text = String.valueOf(failure.getMessage());
        return Character.toUpperCase(text.charAt(0)) + text.substring(1) + ".";
    }
}
