package dev.lakemill.server.models;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.gateway.Gateway;
import dev.lakemill.agents.gateway.ModelUsage;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Principals;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;

/**
 * What models were used for, and what is left of each limit: metastore admins see everybody's,
 * others their own.
 */
public final class UsageRoutes {
    private static final String BASE = "/api/2.0/ai-gateway";
    private static final int DAYS_USUAL = 7;
    private static final int DAYS_MAX = 365;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final Gateway gateway;
    private final Principals principals;

    private UsageRoutes(Gateway gateway, Principals principals) {
        this.gateway = gateway;
        this.principals = principals;
    }

    public static void mount(Routes routes, Gateway gateway, Principals principals) {
        var mine = new UsageRoutes(gateway, principals);
        routes.secured(HttpMethod.GET, BASE + "/usage", mine::usage);
        routes.secured(HttpMethod.GET, BASE + "/budgets", (_, caller) -> mine.budgets(caller));
    }

    private Object usage(RoutingContext context, Caller caller) {
        var isAdmin = principals.isAdmin(caller.principal().id());
        var answer = NODES.objectNode().put("all_principals", isAdmin);
        var rows = answer.putArray("usage");
        for (var day : gateway.usage().byDay(caller, isAdmin, days(context))) {
            rows.addObject()
                    .put("day", day.day().toString())
                    .put("endpoint", day.endpoint())
                    .put("requester", day.requester())
                    .put("calls", day.calls())
                    .put("failed", day.failed())
                    .put("templates", day.templates())
                    .put("input_tokens", day.inputTokens())
                    .put("output_tokens", day.outputTokens())
                    .put("cost_usd", day.costMicros() / 1e6);
        }
        return answer;
    }

    private static int days(RoutingContext context) {
        var text = context.request().getParam("days");
        if (text == null) {
            return DAYS_USUAL;
        }
        if (!text.matches("[0-9]{1,3}")
                || Integer.parseInt(text) < 1
                || Integer.parseInt(text) > DAYS_MAX) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "days is '%s'".formatted(text),
                    "ask for 1 to %d days".formatted(DAYS_MAX));
        }
        return Integer.parseInt(text);
    }

    private Object budgets(Caller caller) {
        var isAdmin = principals.isAdmin(caller.principal().id());
        var answer = NODES.objectNode();
        var rows = answer.putArray("budgets");
        for (var budget : gateway.budgets(caller, isAdmin)) {
            rows.add(shape(budget));
        }
        return answer;
    }

    private static ObjectNode shape(ModelUsage.Budget budget) {
        var used = budget.used();
        var most = budget.most();
        var shape =
                NODES.objectNode()
                        .put("endpoint", budget.endpoint())
                        .put("principal", budget.principal())
                        .put("period", budget.period())
                        .put("resets_at", budget.resetsAt().toString())
                        .put("calls", used.calls())
                        .put("tokens", used.tokens())
                        .put("cost_usd", used.costMicros() / 1e6);
        limit(shape, "calls_max", most.calls(), 1);
        limit(shape, "tokens_max", most.tokens(), 1);
        limit(shape, "cost_usd_max", most.costMicros(), 1e6);
        return shape;
    }

    /** Null where there is no limit. */
    private static void limit(ObjectNode shape, String field, long most, double divisor) {
        if (most == Long.MAX_VALUE) {
            shape.putNull(field);
        } else if (divisor == 1) {
            shape.put(field, most);
        } else {
            shape.put(field, most / divisor);
        }
    }
}
