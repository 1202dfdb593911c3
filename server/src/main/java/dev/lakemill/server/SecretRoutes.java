package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.identity.ClientSecret;
import dev.lakemill.identity.Identity;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Secrets of service principals, tokens for scripts, and login links: Databricks' paths where it
 * has them.
 */
final class SecretRoutes {
    private static final String SECRETS =
            "/api/2.0/accounts/servicePrincipals/:id/credentials/secrets";
    private static final Duration SECRET_TTL = Duration.ofDays(365);
    private static final Duration LINK_TTL = Duration.ofDays(3);

    private final Routes routes;
    private final Identity identity;
    private final Principals principals;
    private final Supplier<String> publicUrl;

    private SecretRoutes(
            Routes routes, Identity identity, Principals principals, Supplier<String> publicUrl) {
        this.routes = routes;
        this.identity = identity;
        this.principals = principals;
        this.publicUrl = publicUrl;
    }

    static void mount(
            Routes routes, Identity identity, Principals principals, Supplier<String> publicUrl) {
        var mine = new SecretRoutes(routes, identity, principals, publicUrl);
        routes.secured(HttpMethod.POST, SECRETS, mine::createSecret);
        routes.secured(HttpMethod.GET, SECRETS, mine::listSecrets);
        routes.secured(HttpMethod.DELETE, SECRETS + "/:secret", mine::deleteSecret);
        routes.secured(HttpMethod.POST, "/api/2.0/token/create", mine::createToken);
        routes.secured(
                HttpMethod.GET, "/api/2.0/token/list", (_, caller) -> mine.listTokens(caller));
        routes.secured(HttpMethod.POST, "/api/2.0/token/delete", mine::deleteToken);
        routes.secured(HttpMethod.POST, "/api/2.0/identity/login-links", mine::createLink);
        routes.secured(HttpMethod.POST, "/api/2.0/identity/password", mine::changePassword);
        routes.secured(HttpMethod.POST, "/api/2.0/identity/revoke-tokens", mine::revokeTokens);
    }

    private Object createSecret(RoutingContext context, Caller caller) {
        var life = routes.body(context).path("lifetime").asText(SECRET_TTL.toSeconds() + "s");
        var made = identity.secrets().create(caller, servicePrincipal(context), seconds(life));
        var answer = told(made.secret());
        answer.put("secret", made.text());
        return answer;
    }

    /** As protobuf's durations are written in JSON: {@code 3600s}. */
    private static Duration seconds(String text) {
        try {
            return Duration.ofSeconds(Long.parseLong(text.replaceFirst("s$", "")));
        } catch (NumberFormatException e) {
            throw bad("lifetime is '%s'".formatted(text), "write seconds, for example 3600s");
        }
    }

    private static Map<String, Object> told(ClientSecret secret) {
        var told = new LinkedHashMap<String, Object>();
        told.put("id", secret.id());
        told.put("status", "ACTIVE");
        told.put("create_time", secret.createdAt().toString());
        told.put("expire_time", secret.expiresAt().toString());
        return told;
    }

    private Object listSecrets(RoutingContext context, Caller caller) {
        var secrets = identity.secrets().list(caller, servicePrincipal(context));
        return Map.of("secrets", secrets.stream().map(SecretRoutes::told).toList());
    }

    private Object deleteSecret(RoutingContext context, Caller caller) {
        identity.secrets().delete(caller, servicePrincipal(context), context.pathParam("secret"));
        return Map.of();
    }

    private UUID servicePrincipal(RoutingContext context) {
        return named(context.pathParam("id")).principal().id();
    }

    /** By id or by name. */
    private PrincipalInfo named(String text) {
        try {
            var found = principals.find(UUID.fromString(text));
            if (found.isPresent()) {
                return found.get();
            }
        } catch (IllegalArgumentException _) {
            // It is a name, then.
        }
        return principals
                .find(text)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no principal '%s'".formatted(text),
                                        "'./lakemill principal list' shows those that there are"));
    }

    private Object createToken(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        var life = Duration.ofSeconds(body.path("lifetime_seconds").asLong(3_600));
        var comment = body.path("comment").asText("");
        var issued = identity.personalTokens().create(caller, comment, life);
        return Map.of(
                "token_value",
                issued.text(),
                "token_info",
                told(
                        issued.info().id(),
                        comment,
                        issued.info().issuedAt().toEpochMilli(),
                        issued.info().expiresAt().toEpochMilli()));
    }

    private static Map<String, Object> told(
            String id, String comment, long createdMs, long expiresMs) {
        return Map.of(
                "token_id",
                id,
                "comment",
                comment,
                "creation_time",
                createdMs,
                "expiry_time",
                expiresMs);
    }

    private Object listTokens(Caller caller) {
        List<Map<String, Object>> infos =
                identity.personalTokens().list(caller).stream()
                        .map(
                                t ->
                                        told(
                                                t.id(),
                                                t.comment(),
                                                t.createdAt().toEpochMilli(),
                                                t.expiresAt().toEpochMilli()))
                        .toList();
        return Map.of("token_infos", infos);
    }

    private Object deleteToken(RoutingContext context, Caller caller) {
        identity.personalTokens().delete(caller, text(routes.body(context), "token_id"));
        return Map.of();
    }

    /** A link that logs a user in once and lets them choose a password. */
    private Object createLink(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        var user = named(body.path("user").asText(caller.principal().name())).principal();
        var target = LoginPages.target(body.path("return_to").asText("/"));
        var code = identity.passwords().newCode(caller, user.id(), LINK_TTL);
        return Map.of("url", link(publicUrl.get(), code, target));
    }

    static String link(String publicUrl, String code, String target) {
        return "%s/login/code?code=%s&return_to=%s"
                .formatted(publicUrl, code, URLEncoder.encode(target, StandardCharsets.UTF_8));
    }

    private Object changePassword(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        identity.passwords()
                .change(
                        caller.principal(),
                        text(body, "old_password"),
                        text(body, "new_password"),
                        HttpAuthentication.peer(context));
        return Map.of();
    }

    /** Ends every token and session: of the caller, or for admins of the principal named. */
    private Object revokeTokens(RoutingContext context, Caller caller) {
        var name = routes.body(context).path("principal").asText(caller.principal().name());
        var who = named(name).principal();
        if (!who.id().equals(caller.principal().id())
                && !principals.isAdmin(caller.principal().id())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "only metastore admins may end the tokens of others",
                    "ask a member of the group " + Principals.ADMINS);
        }
        identity.tokens().revokeAll(caller, who.id());
        return Map.of();
    }

    private static String text(JsonNode body, String name) {
        var text = body.path(name).asText("");
        if (text.isEmpty()) {
            throw bad("%s is missing".formatted(name), "send a JSON object with " + name);
        }
        return text;
    }

    private static LakemillException bad(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }
}
