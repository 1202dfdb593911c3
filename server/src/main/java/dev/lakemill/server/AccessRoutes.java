package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Decision;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Explains decisions: {@code GET /api/2.0/access/decision?principal=…&privilege=…
 * &securable_type=…&full_name=…}. One may ask about oneself; who manages a securable, about
 * anybody.
 *
 * <p>The answer has {@code allowed}; when that is false, also {@code missing_privilege}, {@code
 * securable_type} and {@code full_name} of what lacks, and {@code grantors}.
 */
final class AccessRoutes {
    private final Catalog catalog;

    private AccessRoutes(Catalog catalog) {
        this.catalog = catalog;
    }

    static void mount(Routes routes, Catalog catalog) {
        var mine = new AccessRoutes(catalog);
        routes.secured(HttpMethod.GET, "/api/2.0/access/decision", mine::decision);
    }

    private Object decision(RoutingContext context, Caller caller) {
        var on = securable(context);
        var principal = principal(context, caller);
        if (!principal.equals(caller.principal())
                && !catalog.access().mayManage(caller.principal().id(), on)) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "`%s` may not ask what others may do to %s"
                            .formatted(caller.principal().name(), on),
                    "ask who manages it, or leave the parameter principal out");
        }
        var privilege = Privilege.parse(parameter(context, "privilege"));
        if (privilege == Privilege.MANAGE) {
            return Map.of("allowed", catalog.access().mayManage(principal.id(), on));
        }
        return switch (catalog.access().decide(principal.id(), privilege, on)) {
            case Decision.Allowed _ -> Map.of("allowed", true);
            case Decision.Denied denied ->
                    Map.of(
                            "allowed",
                            false,
                            "missing_privilege",
                            denied.missing(),
                            "securable_type",
                            denied.on().type(),
                            "full_name",
                            denied.on().name(),
                            "grantors",
                            denied.grantors());
        };
    }

    private Principal principal(RoutingContext context, Caller caller) {
        List<String> names = context.queryParam("principal");
        if (names.isEmpty()) {
            return caller.principal();
        }
        return catalog.principals()
                .find(names.getFirst())
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no principal `%s`".formatted(names.getFirst()),
                                        "./lakemill principal list shows those that there are"))
                .principal();
    }

    private static Securable securable(RoutingContext context) {
        var type = parameter(context, "securable_type").toUpperCase(Locale.ROOT);
        try {
            return new Securable(SecurableType.valueOf(type), parameter(context, "full_name"));
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no type of securable".formatted(type),
                    "use one of " + List.of(SecurableType.values()),
                    e);
        }
    }

    private static String parameter(RoutingContext context, String name) {
        var values = context.queryParam(name);
        if (values.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the parameter %s is missing".formatted(name),
                    "give privilege, securable_type and full_name");
        }
        return values.getFirst();
    }
}
