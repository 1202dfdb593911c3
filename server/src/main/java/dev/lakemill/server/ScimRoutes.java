package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * SCIM 2 (RFC 7643, 7644): users, groups and service principals, under Databricks' path and Unity
 * Catalog's. Admins alone use it; {@code Me} is for everybody.
 *
 * <p>What can be changed is the display name, the external id, whether it is active, and a group's
 * members. Names are what grants and Postgres roles go by, and stay.
 */
final class ScimRoutes {
    private static final List<String> BASES =
            List.of("/api/2.0/preview/scim/v2", "/api/1.0/unity-control/scim2");
    private static final Map<String, PrincipalKind> KINDS =
            Map.of(
                    "Users", PrincipalKind.USER,
                    "Groups", PrincipalKind.GROUP,
                    "ServicePrincipals", PrincipalKind.SERVICE_PRINCIPAL);
    private static final int PAGE_MAX = 1_000;
    private static final int PAGE_INITIAL = 100;

    private final Routes routes;
    private final Principals principals;
    private final ScimJson json;

    private ScimRoutes(Routes routes, Principals principals) {
        this.routes = routes;
        this.principals = principals;
        this.json = new ScimJson(principals);
    }

    static void mount(Routes plain, Principals principals) {
        var routes = plain.withErrors(ScimJson::error);
        var scim = new ScimRoutes(routes, principals);
        for (var base : BASES) {
            routes.secured(HttpMethod.GET, base + "/Me", (_, caller) -> scim.me(caller));
            KINDS.forEach((name, kind) -> scim.mount(base + "/" + name, kind));
        }
    }

    /** A route of admins, on a principal that exists. */
    private interface OnOne {
        Object handle(RoutingContext context, Caller caller, PrincipalInfo one);
    }

    private void mount(String path, PrincipalKind kind) {
        routes.secured(HttpMethod.GET, path, (c, caller) -> list(c, caller, kind));
        routes.secured(HttpMethod.POST, path, (c, caller) -> create(c, caller, kind));
        one(HttpMethod.GET, path, kind, (_, _, one) -> json.of(one));
        one(HttpMethod.PUT, path, kind, this::replace);
        one(HttpMethod.PATCH, path, kind, this::patch);
        one(
                HttpMethod.DELETE,
                path,
                kind,
                (_, caller, one) -> {
                    principals.delete(caller, one.principal().id());
                    return new Routes.Reply(204, Map.of(), null);
                });
    }

    private void one(HttpMethod method, String path, PrincipalKind kind, OnOne route) {
        routes.secured(
                method,
                path + "/:id",
                (context, caller) -> {
                    requireAdmin(caller);
                    return route.handle(context, caller, find(context.pathParam("id"), kind));
                });
    }

    private Object me(Caller caller) {
        return json.of(principals.find(caller.principal().id()).orElseThrow());
    }

    private Object list(RoutingContext context, Caller caller, PrincipalKind kind) {
        requireAdmin(caller);
        var filter = ScimFilter.parse(context.request().getParam("filter"));
        var start = Math.max(1, number(context, "startIndex", 1));
        var count = Math.min(PAGE_MAX, number(context, "count", PAGE_INITIAL));
        var found = principals.list(kind).stream().filter(filter).toList();
        var page = found.stream().skip(start - 1L).limit(count).map(json::of).toList();
        var answer = new LinkedHashMap<String, Object>();
        answer.put("schemas", List.of("urn:ietf:params:scim:api:messages:2.0:ListResponse"));
        answer.put("totalResults", found.size());
        answer.put("startIndex", start);
        answer.put("itemsPerPage", page.size());
        answer.put("Resources", page);
        return answer;
    }

    private static int number(RoutingContext context, String name, int initial) {
        var text = context.request().getParam(name);
        try {
            return text == null ? initial : Math.max(0, Integer.parseInt(text));
        } catch (NumberFormatException e) {
            throw bad("%s is '%s'".formatted(name, text), "send a whole number");
        }
    }

    private Object create(RoutingContext context, Caller caller, PrincipalKind kind) {
        requireAdmin(caller);
        var body = routes.body(context);
        var name = ScimJson.name(kind, body);
        var display = body.path("displayName").asText(name);
        var principal = new Principal(UUID.randomUUID(), kind, name);
        var wanted =
                new PrincipalInfo(
                        principal, display.isEmpty() ? name : display, "", true, Instant.EPOCH);
        var draft = new ScimDraft(principals, wanted);
        draft.replace(body);
        var info = draft.create(caller);
        return new Routes.Reply(201, Map.of(), json.of(info));
    }

    private Object replace(RoutingContext context, Caller caller, PrincipalInfo one) {
        var draft = new ScimDraft(principals, one);
        draft.replace(routes.body(context));
        return json.of(draft.apply(caller));
    }

    private Object patch(RoutingContext context, Caller caller, PrincipalInfo one) {
        var draft = new ScimDraft(principals, one);
        JsonNode operations = routes.body(context).path("Operations");
        if (!operations.isArray() || operations.isEmpty()) {
            throw bad("there are no Operations", "send a PatchOp message (RFC 7644, 3.5.2)");
        }
        operations.forEach(draft::patch);
        return json.of(draft.apply(caller));
    }

    private PrincipalInfo find(String id, PrincipalKind kind) {
        try {
            var found = principals.find(UUID.fromString(id));
            if (found.isPresent() && found.get().principal().kind() == kind) {
                return found.get();
            }
        } catch (IllegalArgumentException _) {
            // Told below, as any other id that is none.
        }
        throw new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no %s %s".formatted(kind, id.length() > 64 ? "of this id" : id),
                "list them to see their ids");
    }

    private void requireAdmin(Caller caller) {
        if (!principals.isAdmin(caller.principal().id())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "only metastore admins may see or change principals",
                    "ask a member of the group %s; GET …/Me tells who you are"
                            .formatted(Principals.ADMINS));
        }
    }

    private static LakemillException bad(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }
}
