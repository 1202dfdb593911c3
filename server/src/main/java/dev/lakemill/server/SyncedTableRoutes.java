package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.sync.SourceStatus;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Synced tables over REST, with the paths, fields and states of Databricks' database API. */
final class SyncedTableRoutes {
    private static final String PATH = "/api/2.0/database/synced_tables";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Routes routes;
    private final Catalog catalog;
    private final SyncedTables tables;

    private SyncedTableRoutes(Routes routes, Catalog catalog, SyncedTables tables) {
        this.routes = routes;
        this.catalog = catalog;
        this.tables = tables;
    }

    static void mount(Routes routes, Catalog catalog, SyncedTables tables) {
        var mine = new SyncedTableRoutes(routes, catalog, tables);
        routes.secured(HttpMethod.POST, PATH, mine::create);
        routes.secured(HttpMethod.GET, PATH, (_, caller) -> mine.list(caller));
        routes.secured(
                HttpMethod.GET,
                "/api/2.0/database/instances/:instance/synced_tables",
                (_, caller) -> mine.list(caller));
        routes.secured(HttpMethod.GET, PATH + "/:name", mine::get);
        routes.secured(HttpMethod.PATCH, PATH + "/:name", mine::update);
        routes.secured(HttpMethod.DELETE, PATH + "/:name", mine::delete);
        routes.secured(HttpMethod.POST, PATH + "/:name/refresh", mine::refresh);
    }

    private Object create(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        var name = body.path("name").asText("");
        if (name.isEmpty() || !body.path("spec").isObject()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "name or spec is missing",
                    "send {\"name\": \"catalog.schema.table\", \"spec\": {…}}");
        }
        var definition = SyncedTableDefinition.of(body.path("spec"));
        return told(tables.create(caller, TableName.parse(name), definition));
    }

    private Object list(Caller caller) {
        var visible = new Visible(catalog, caller);
        var all = JSON.createArrayNode();
        tables.defined().stream()
                .filter(d -> visible.sees(Securable.table(d.table().name())))
                .forEach(d -> all.add(told(d)));
        return Map.of("synced_tables", all);
    }

    private Object get(RoutingContext context, Caller caller) {
        return told(tables.require(caller, name(context)));
    }

    /** What the body's spec says replaces what the table's says (null takes it away). */
    private Object update(RoutingContext context, Caller caller) {
        var before = tables.require(caller, name(context));
        var spec = before.definition().json();
        JsonNode changes = routes.body(context).path("spec");
        changes.properties().forEach(field -> spec.set(field.getKey(), field.getValue()));
        changes.properties().stream()
                .filter(field -> field.getValue().isNull())
                .forEach(field -> spec.remove(field.getKey()));
        return told(tables.alter(caller, name(context), SyncedTableDefinition.of(spec)));
    }

    private Object delete(RoutingContext context, Caller caller) {
        tables.drop(caller, name(context));
        return Map.of();
    }

    private Object refresh(RoutingContext context, Caller caller) {
        tables.refresh(caller, name(context));
        return told(tables.require(caller, name(context)));
    }

    private static TableName name(RoutingContext context) {
        return TableName.parse(context.pathParam("name"));
    }

    private ObjectNode told(SyncedTables.Defined defined) {
        var table = defined.table();
        var told = JSON.createObjectNode();
        told.put("name", table.name().toString());
        told.put("logical_database_name", "lakemill");
        told.put("table_serving_url", table.location());
        told.put("unity_catalog_provisioning_state", "ACTIVE");
        told.set("spec", defined.definition().json());
        var status = told.putObject("data_synchronization_status");
        tables.status(table.name())
                .ifPresentOrElse(
                        s -> put(status, s, defined.definition()),
                        () -> status.put("detailed_state", "SYNCED_TABLED_OFFLINE"));
        return told;
    }

    private static void put(
            ObjectNode json, SourceStatus status, SyncedTableDefinition definition) {
        json.put("detailed_state", "SYNCED_TABLE_" + status.state());
        json.put("message", status.problem());
        json.put("pipeline_id", status.name().toString());
        json.put("synced_row_count", status.table().rows());
        json.put("stale_ms", status.staleMillis());
        if (definition.freshnessSloMs() > 0) {
            json.put("freshness", definition.freshness(status));
        }
        var skipped = json.putObject("skipped_rows");
        status.table().skipped().forEach(skipped::put);
        var appliedAt = status.table().appliedAt();
        if (appliedAt != null) {
            json.put("last_processed_commit_version", status.version());
            var last = json.putObject("last_sync");
            put(last, "sync_start_time", status.startedAt());
            put(last, "sync_end_time", appliedAt);
            var delta = last.putObject("delta_table_sync_info");
            delta.put("delta_commit_version", status.version());
            put(delta, "delta_commit_timestamp", status.committedAt());
        }
        var progress = status.progress();
        if (progress != null) {
            var under =
                    json.putObject(
                                    appliedAt == null
                                            ? "provisioning_status"
                                            : "triggered_update_status")
                            .putObject(
                                    appliedAt == null
                                            ? "initial_pipeline_sync_progress"
                                            : "triggered_update_progress");
            under.put("synced_row_count", progress.rows());
            under.put("total_row_count", progress.rowsTotal());
            under.put("sync_progress_completion", progress.completion());
            under.put("estimated_completion_time_seconds", progress.secondsLeft());
        }
    }

    private static void put(ObjectNode json, String name, @Nullable Instant time) {
        if (time != null) {
            json.put(name, time.toString());
        }
    }
}
