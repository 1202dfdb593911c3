package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Grant;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Grants, given, taken and shown.
 *
 * <p>Open-source clients write {@code USE CATALOG}, Databricks' write {@code USE_CATALOG}: each is
 * answered in the spelling of its request or, where a request has none, of its User-Agent.
 */
final class PermissionRoutes {
    private final Catalog catalog;
    private final Sight sight;

    PermissionRoutes(Catalog catalog, Sight sight) {
        this.catalog = catalog;
        this.sight = sight;
    }

    void mount(Routes routes) {
        var api = Api.unity(routes, "");
        api.get("/permissions/:type/:name", this::get);
        api.patch("/permissions/:type/:name", this::patch);
        api.get("/effective-permissions/:type/:name", this::effective);
    }

    private Object get(Request request) {
        var info = named(request);
        return list(request, shown(request, info, catalog.grants().on(info.securable())));
    }

    private Object patch(Request request) {
        var info = named(request);
        var changes = new ArrayList<GrantChange>();
        for (var change : request.body().path("changes")) {
            changes.add(
                    new GrantChange(
                            change.path("principal").asText(),
                            privileges(change.path("add")),
                            privileges(change.path("remove"))));
        }
        if (changes.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "there are no changes",
                    "send {\"changes\": [{\"principal\": …, \"add\": […], \"remove\": […]}]}");
        }
        catalog.grants().change(request.caller(), info.securable(), changes);
        return list(request, shown(request, info, catalog.grants().on(info.securable())));
    }

    private static Set<Privilege> privileges(JsonNode names) {
        var privileges = new HashSet<Privilege>();
        names.forEach(name -> privileges.add(Privilege.parse(name.asText())));
        return privileges;
    }

    private Object effective(Request request) {
        var info = named(request);
        var spelling = spelling(request);
        var answer = Shapes.JSON.objectNode();
        var assignments = answer.putArray("privilege_assignments");
        byPrincipal(shown(request, info, catalog.grants().effective(info.securable())))
                .forEach(
                        (principal, grants) -> {
                            var array = assignment(assignments.addObject(), principal);
                            for (var grant : grants) {
                                var node = array.addObject();
                                node.put("privilege", spelling.apply(grant.privilege()));
                                if (!grant.on().equals(info.securable())) {
                                    node.put("inherited_from_type", grant.on().type().name());
                                    node.put("inherited_from_name", grant.on().name());
                                }
                            }
                        });
        return answer;
    }

    private SecurableInfo named(Request request) {
        var type = type(request.path("type"));
        if (type == SecurableType.METASTORE) {
            return catalog.securables().find(Securable.METASTORE).orElseThrow();
        }
        return sight.require(request.caller(), request.securable(type, "name"));
    }

    /** Both of Unity Catalog's and Databricks' names; {@code credential} has two of them. */
    static SecurableType type(String text) {
        var name = text.toUpperCase(Locale.ROOT).replace('-', '_');
        if (name.equals("STORAGE_CREDENTIAL")) {
            return SecurableType.CREDENTIAL;
        }
        try {
            return SecurableType.valueOf(name);
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is not a kind of securable".formatted(text),
                    "for example catalog, schema, table, volume, function, registered_model",
                    e);
        }
    }

    /** Who manages the securable sees all of its grants; others see those that are for them. */
    private List<Grant> shown(Request request, SecurableInfo info, List<Grant> grants) {
        var all = sight.manages(request.caller(), info.securable());
        var mine = identities(request.caller());
        var wanted = request.query("principal");
        return grants.stream()
                .filter(grant -> all || mine.contains(grant.principal()))
                .filter(
                        grant ->
                                wanted.isEmpty()
                                        || grant.principal().name().equalsIgnoreCase(wanted.get()))
                .toList();
    }

    private Set<Principal> identities(Caller caller) {
        var identities = new HashSet<>(catalog.principals().groupsOf(caller.principal().id()));
        identities.add(caller.principal());
        return identities;
    }

    private static ObjectNode list(Request request, List<Grant> grants) {
        var spelling = spelling(request);
        var answer = Shapes.JSON.objectNode();
        var assignments = answer.putArray("privilege_assignments");
        byPrincipal(grants)
                .forEach(
                        (principal, own) -> {
                            var array = assignment(assignments.addObject(), principal);
                            own.forEach(grant -> array.add(spelling.apply(grant.privilege())));
                        });
        return answer;
    }

    private static ArrayNode assignment(ObjectNode node, String principal) {
        return node.put("principal", principal).putArray("privileges");
    }

    private static Map<String, List<Grant>> byPrincipal(List<Grant> grants) {
        var found = new LinkedHashMap<String, List<Grant>>();
        grants.forEach(
                grant ->
                        found.computeIfAbsent(grant.principal().name(), _ -> new ArrayList<>())
                                .add(grant));
        return found;
    }

    private static Function<Privilege, String> spelling(Request request) {
        for (var change : request.body().path("changes")) {
            for (var field : List.of("add", "remove")) {
                for (var name : change.path(field)) {
                    if (name.asText().contains("_")) {
                        return Privilege::name;
                    }
                    if (name.asText().contains(" ")) {
                        return Privilege::sql;
                    }
                }
            }
        }
        var agent = request.context().request().getHeader("user-agent");
        var databricks = agent != null && agent.toLowerCase(Locale.ROOT).contains("databricks");
        return databricks ? Privilege::name : Privilege::sql;
    }
}
