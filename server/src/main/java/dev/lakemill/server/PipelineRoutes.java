package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;

/**
 * {@code POST /api/pipelines/NAME/refresh}: deploys the text as it stands on the node's disk.
 * {@code {"full": true}} computes all streaming tables from the first row. For administrators and
 * the pipeline's owner.
 */
final class PipelineRoutes {
    private final Node node;

    private PipelineRoutes(Node node) {
        this.node = node;
    }

    static void mount(Routes routes, Node node) {
        var mine = new PipelineRoutes(node);
        routes.secured(
                HttpMethod.POST,
                "/api/pipelines/:name/refresh",
                (context, caller) -> mine.refresh(routes, context, caller));
    }

    private Object refresh(Routes routes, RoutingContext context, Caller caller) {
        var name = context.pathParam("name");
        var entry =
                node.config().pipelines().stream()
                        .filter(p -> p.name().equals(name))
                        .findFirst()
                        .orElseThrow(() -> unknown(name));
        var isOwner = caller.principal().name().equals(entry.owner());
        if (!isOwner && !node.catalog().principals().isAdmin(caller.principal().id())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "`%s` may not refresh pipeline '%s'".formatted(caller.principal().name(), name),
                    "its owner or an administrator can");
        }
        var full = routes.body(context).path("full").asBoolean(false);
        return Map.of("message", node.pipelines().deploy(entry, full));
    }

    private static LakemillException unknown(String name) {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no pipeline '%s'".formatted(name),
                "./lakemill pipeline status shows those that there are");
    }
}
