package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.server.Routes;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.Map;

/**
 * Managed tables as Delta before 4.3 and DuckDB 1.5.0 to 1.5.3 use them: the same commits by other
 * names, with underscores.
 */
final class LegacyCommitRoutes {
    private static final Map<String, String> COMMIT_FIELDS =
            Map.of(
                    "version", "version",
                    "timestamp", "timestamp",
                    "file_name", "file-name",
                    "file_size", "file-size",
                    "file_modification_timestamp", "file-modification-timestamp");

    private final Catalog catalog;
    private final Sight sight;
    private final ManagedTables managed;
    private final DeltaRoutes delta;

    LegacyCommitRoutes(Catalog catalog, Sight sight, ManagedTables managed, DeltaRoutes delta) {
        this.catalog = catalog;
        this.sight = sight;
        this.managed = managed;
        this.delta = delta;
    }

    void mount(Routes routes) {
        var api = Api.unity(routes, "TABLE");
        api.post("/staging-tables", this::stage);
        api.get("/delta/preview/commits", this::commits);
        api.post("/delta/preview/commits", this::commit);
    }

    private Object stage(Request request) {
        var staging = managed.stage(request.caller(), TableName.parse(request.fullName("name")));
        return Shapes.JSON
                .objectNode()
                .put("id", staging.id().toString())
                .put("name", request.text("name"))
                .put("catalog_name", request.text("catalog_name"))
                .put("schema_name", request.text("schema_name"))
                .put("staging_location", staging.location());
    }

    private CatalogTable table(Request request) {
        var id = request.id("table_id");
        return catalog.find(id)
                .filter(table -> table.kind() == TableKind.MANAGED)
                .filter(t -> sight.sees(request.caller(), Securable.table(t.name())))
                .orElseThrow(() -> Sight.missing(SecurableType.TABLE, id.toString()));
    }

    private Object commits(Request request) {
        var table = table(request);
        delta.requireReadable(request.caller(), table);
        var state = managed.state(table);
        var start = request.number("start_version");
        var end = request.body().path("end_version").asLong(Long.MAX_VALUE);
        var answer = Shapes.JSON.objectNode();
        var commits = answer.putArray("commits");
        for (var commit : CommitRules.pending(state)) {
            var version = commit.path("version").asLong();
            if (version >= start && version <= end) {
                var shown = commits.addObject();
                COMMIT_FIELDS.forEach((field, of) -> shown.set(field, commit.path(of)));
            }
        }
        return answer.put("latest_table_version", state.latestVersion());
    }

    private Object commit(Request request) {
        try {
            delta.commit(request, table(request), translated(request));
            return Api.EMPTY;
        } catch (DeltaProblem problem) {
            return problem.legacyReply();
        }
    }

    private static JsonNode translated(Request request) {
        var body = Shapes.JSON.objectNode();
        body.putArray("requirements")
                .addObject()
                .put("type", "assert-table-uuid")
                .put("uuid", request.text("table_id"));
        var updates = body.putArray("updates");
        var info = request.body().path("commit_info");
        if (info.isObject()) {
            var commit = updates.addObject().put("action", "add-commit").putObject("commit");
            COMMIT_FIELDS.forEach((field, as) -> commit.set(as, info.path(field)));
        }
        var backfilled = request.body().path("latest_backfilled_version");
        if (backfilled.isNumber()) {
            updates.addObject()
                    .put("action", "set-latest-backfilled-version")
                    .set("latest-published-version", backfilled);
        }
        var metadata = request.body().path("metadata");
        if (metadata.path("schema").path("columns").isArray()) {
            updates.addObject()
                    .put("action", "set-columns")
                    .set(
                            "columns",
                            ColumnJson.struct(
                                    ColumnJson.readInfos(metadata.path("schema").path("columns"))));
        }
        if (metadata.path("properties").path("properties") instanceof ObjectNode properties) {
            updates.addObject().put("action", "set-properties").set("updates", properties);
        }
        if (metadata.path("description").isTextual()) {
            updates.addObject()
                    .put("action", "set-table-comment")
                    .set("comment", metadata.path("description"));
        }
        return body;
    }
}
