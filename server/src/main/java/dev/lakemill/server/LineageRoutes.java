package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.Lineage;
import dev.lakemill.catalog.Lineage.Direction;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageLink;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Lineage over REST: Databricks' lineage-tracking paths, and OpenLineage events in and out.
 *
 * <p>An answer names only what the caller may BROWSE, SELECT or EXECUTE, and never goes through
 * anything else. Who reports a flow into a table needs MODIFY on it.
 */
final class LineageRoutes {
    private static final int EVENTS_MAX = 1_000;
    private static final List<HttpMethod> BOTH = List.of(HttpMethod.GET, HttpMethod.POST);

    private final Routes routes;
    private final Catalog catalog;
    private final OpenLineage openLineage;
    private final Clock clock;

    private LineageRoutes(Routes routes, Catalog catalog, Clock clock) {
        this.routes = routes;
        this.catalog = catalog;
        this.openLineage = new OpenLineage(catalog);
        this.clock = clock;
    }

    static void mount(Routes routes, Catalog catalog, Clock clock) {
        var lineage = new LineageRoutes(routes, catalog, clock);
        for (var method : BOTH) {
            routes.secured(method, "/api/2.0/lineage-tracking/table-lineage", lineage::tables);
            routes.secured(method, "/api/2.0/lineage-tracking/column-lineage", lineage::columns);
        }
        routes.secured(HttpMethod.POST, "/api/v1/lineage", lineage::receive);
        routes.secured(HttpMethod.GET, "/api/v1/lineage/events", lineage::events);
    }

    private Object tables(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        var table = table(context, body, caller);
        var depth = number(context, body, "depth", 1, Lineage.DEPTH_MAX);
        var lineage = catalog.lineage();
        var visible = visibleTo(caller);
        var entities = !"false".equals(parameter(context, body, "include_entity_lineage"));
        return Map.of(
                "upstreams",
                items(
                        lineage.tables(table, Direction.UPSTREAM, depth, visible),
                        LineageLink::source,
                        entities),
                "downstreams",
                items(
                        lineage.tables(table, Direction.DOWNSTREAM, depth, visible),
                        LineageLink::target,
                        entities));
    }

    private Object columns(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        var table = table(context, body, caller);
        var column = required(context, body, "column_name");
        var depth = number(context, body, "depth", 1, Lineage.DEPTH_MAX);
        var lineage = catalog.lineage();
        var visible = visibleTo(caller);
        return Map.of(
                "upstream_cols",
                lineage.columns(table, column, Direction.UPSTREAM, depth, visible).stream()
                        .flatMap(l -> column(l.source(), l.sourceColumn(), l))
                        .distinct()
                        .toList(),
                "downstream_cols",
                lineage.columns(table, column, Direction.DOWNSTREAM, depth, visible).stream()
                        .flatMap(l -> column(l.target(), l.targetColumn(), l))
                        .distinct()
                        .toList());
    }

    private Object receive(RoutingContext context, Caller caller) {
        var flow =
                openLineage.read(routes.body(context), caller.principal().name(), clock.instant());
        for (var edge : flow.stream().flatMap(f -> f.edges().stream()).toList()) {
            if (edge.target() != null) {
                securable(edge.target())
                        .ifPresent(on -> catalog.access().require(caller, Privilege.MODIFY, on));
            }
            if (edge.source() != null) {
                requireVisible(edge.source(), caller);
            }
        }
        catalog.lineage().record(flow.stream().toList());
        return new Routes.Reply(201, Map.of(), null);
    }

    private Object events(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        var limit = number(context, body, "limit", 100, EVENTS_MAX);
        var place = place(parameter(context, body, "page_token"));
        var after = place.map(Place::time).orElse(instant(context, body, "after", Instant.EPOCH));
        var before = instant(context, body, "before", clock.instant());
        var events =
                catalog.lineage().events(after, place.map(Place::record).orElse(""), before, limit);
        var answer = new LinkedHashMap<String, Object>();
        answer.put("events", openLineage.write(events, visibleTo(caller)));
        if (events.size() == limit) {
            var last = events.getLast();
            answer.put("next_page_token", last.link().time() + "_" + last.recordId());
        }
        return answer;
    }

    /** Where a page begins. */
    private record Place(Instant time, String record) {}

    private static Optional<Place> place(String token) {
        if (token.isEmpty()) {
            return Optional.empty();
        }
        try {
            var bar = token.indexOf('_');
            var record = UUID.fromString(token.substring(bar + 1)).toString();
            return Optional.of(new Place(Instant.parse(token.substring(0, bar)), record));
        } catch (DateTimeParseException
                | IllegalArgumentException
                | StringIndexOutOfBoundsException e) {
            throw bad("'%s' is no page token".formatted(token), "send that of the page before", e);
        }
    }

    /** Databricks' form: what is next to a table, with the entities that made it flow. */
    private static List<Map<String, Object>> items(
            List<LineageLink> links,
            Function<LineageLink, @Nullable LineageNode> end,
            boolean entities) {
        var byPlace = new TreeMap<String, List<LineageLink>>();
        for (var link : links) {
            var node = end.apply(link);
            byPlace.computeIfAbsent(node == null ? "" : node.name(), _ -> new ArrayList<>())
                    .add(link);
        }
        var items = new ArrayList<Map<String, Object>>();
        for (var group : byPlace.values()) {
            var item = new LinkedHashMap<String, Object>();
            var node = end.apply(group.getFirst());
            if (node != null) {
                item.put(infoKey(node), info(node, group.getFirst()));
            }
            if (entities) {
                entities(item, group);
            }
            if (!item.isEmpty()) {
                items.add(item);
            }
        }
        return items;
    }

    private static String infoKey(LineageNode node) {
        return switch (node.type()) {
            case TABLE, STREAMING_TABLE, MATERIALIZED_VIEW, VIEW -> "tableInfo";
            case MODEL -> "modelInfo";
            case PATH -> "fileInfo";
        };
    }

    private static Map<String, Object> info(LineageNode node, LineageLink link) {
        var info = new LinkedHashMap<String, Object>();
        if (node.type() == LineageNode.Type.PATH) {
            info.put("path", node.name());
        } else {
            var parts = node.name().split("\\.", 3);
            info.put("name", parts[parts.length - 1]);
            info.put("catalog_name", parts[0]);
            info.put("schema_name", parts.length == 3 ? parts[1] : "");
            info.put("table_type", node.type().name());
        }
        info.put("lineage_timestamp", link.time().toString());
        info.put("depth", link.depth());
        return info;
    }

    private static void entities(Map<String, Object> item, List<LineageLink> links) {
        var byKey = new LinkedHashMap<String, List<Map<String, Object>>>();
        for (var link : links) {
            var entity = link.entity();
            var info = new LinkedHashMap<String, Object>();
            switch (entity.type()) {
                case PIPELINE -> info.put("pipeline_id", entity.id());
                case JOB -> info.put("job_id", entity.id());
                case STREAM, SYNC, APP, AGENT, DBSQL_QUERY -> {
                    info.put("entity_type", entity.type().name());
                    info.put("entity_id", entity.id());
                }
            }
            info.put("created_by", link.createdBy());
            info.put("lineage_timestamp", link.time().toString());
            byKey.computeIfAbsent(entityKey(entity), _ -> new ArrayList<>()).add(info);
        }
        item.putAll(byKey);
    }

    private static String entityKey(LineageEntity entity) {
        return switch (entity.type()) {
            case PIPELINE -> "pipelineInfos";
            case JOB -> "jobInfos";
            case STREAM, SYNC, APP, AGENT, DBSQL_QUERY -> "entityInfos";
        };
    }

    private static Stream<Map<String, Object>> column(
            @Nullable LineageNode node, String column, LineageLink link) {
        if (node == null) {
            return Stream.of();
        }
        var parts = node.name().split("\\.", 3);
        var info = new LinkedHashMap<String, Object>();
        info.put("name", column);
        info.put("catalog_name", parts.length == 3 ? parts[0] : "");
        info.put("schema_name", parts.length == 3 ? parts[1] : "");
        info.put("table_name", parts.length == 3 ? parts[2] : node.name());
        info.put("table_type", node.type().name());
        info.put("depth", link.depth());
        return Stream.of(info);
    }

    /** The table asked for, which the caller may know of. */
    private String table(RoutingContext context, JsonNode body, Caller caller) {
        var name = required(context, body, "table_name");
        var node = openLineage.node(name);
        requireVisible(node, caller);
        return node.name();
    }

    private Predicate<LineageNode> visibleTo(Caller caller) {
        var principal = caller.principal().id();
        return node -> securable(node).map(on -> sees(principal, on)).orElse(true);
    }

    /** What is gone is known to admins alone. */
    private boolean sees(UUID principal, Securable on) {
        if (catalog.securables().find(on).isEmpty()) {
            return catalog.principals().isAdmin(principal);
        }
        var access = catalog.access();
        return access.decide(principal, Privilege.BROWSE, on) instanceof Decision.Allowed
                || access.decide(principal, Privilege.SELECT, on) instanceof Decision.Allowed
                || access.decide(principal, Privilege.EXECUTE, on) instanceof Decision.Allowed;
    }

    private void requireVisible(LineageNode node, Caller caller) {
        if (!visibleTo(caller).test(node)) {
            var on = securable(node).orElseThrow(() -> unknown(node));
            catalog.access().require(caller, Privilege.BROWSE, on);
        }
    }

    /** What privileges on a place are granted on; none where the catalog knows none. */
    private static Optional<Securable> securable(LineageNode node) {
        return switch (node.type()) {
            case TABLE, STREAMING_TABLE, MATERIALIZED_VIEW, VIEW ->
                    Optional.of(Securable.table(TableName.parse(node.name())));
            case MODEL -> Optional.of(new Securable(SecurableType.REGISTERED_MODEL, node.name()));
            case PATH -> Optional.empty();
        };
    }

    private static LakemillException unknown(LineageNode node) {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no " + node.name(),
                "name a table as catalog.schema.table");
    }

    private static String required(RoutingContext context, JsonNode body, String name) {
        var text = parameter(context, body, name);
        if (text.isEmpty()) {
            throw bad(name + " is missing", "send it in the query or in the body", null);
        }
        return text;
    }

    /** From the query, or from the body, which Databricks' clients send with GET, too. */
    private static String parameter(RoutingContext context, JsonNode body, String name) {
        var query = context.queryParam(name);
        return query.isEmpty()
                ? body.path(name).asText("")
                : Objects.toString(query.getFirst(), "");
    }

    private static int number(
            RoutingContext context, JsonNode body, String name, int usual, int max) {
        var text = parameter(context, body, name);
        if (text.isEmpty()) {
            return usual;
        }
        try {
            var number = Integer.parseInt(text);
            if (number >= 1 && number <= max) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Told below, with the same words as a number out of bounds.
        }
        throw bad("%s is '%s'".formatted(name, text), "send a number from 1 to " + max, null);
    }

    private static Instant instant(
            RoutingContext context, JsonNode body, String name, Instant usual) {
        var text = parameter(context, body, name);
        try {
            return text.isEmpty() ? usual : Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw bad("%s is '%s'".formatted(name, text), "write 2026-03-01T10:00:00Z", e);
        }
    }

    private static LakemillException bad(String problem, String hint, @Nullable Exception cause) {
        return cause == null
                ? new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint)
                : new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint, cause);
    }
}
