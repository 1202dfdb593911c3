package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.server.Routes;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.util.HashMap;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** The Delta API of Unity Catalog, version 1.0: what Delta's own clients call. */
final class DeltaRoutes {
    private static final String TABLES = "/catalogs/:catalog/schemas/:schema/tables";
    private static final String TABLE = TABLES + "/:table";
    private static final List<String> ENDPOINTS =
            Stream.of(
                            "POST /catalogs/{catalog}/schemas/{schema}/staging-tables",
                            "POST /catalogs/{catalog}/schemas/{schema}/tables",
                            "GET /catalogs/{catalog}/schemas/{schema}/tables/{table}",
                            "POST /catalogs/{catalog}/schemas/{schema}/tables/{table}",
                            "DELETE /catalogs/{catalog}/schemas/{schema}/tables/{table}",
                            "HEAD /catalogs/{catalog}/schemas/{schema}/tables/{table}",
                            "POST /catalogs/{catalog}/schemas/{schema}/tables/{table}/rename",
                            "GET /catalogs/{catalog}/schemas/{schema}/tables/{table}/credentials",
                            "POST /catalogs/{catalog}/schemas/{schema}/tables/{table}/metrics",
                            "GET /staging-tables/{table_id}/credentials",
                            "GET /temporary-path-credentials")
                    .map(endpoint -> endpoint.replace(" /", " /v1/"))
                    .toList();

    private final Catalog catalog;
    private final Sight sight;
    private final Vending vending;
    private final ManagedTables managed;
    private final TableRoutes tables;

    DeltaRoutes(
            Catalog catalog,
            Sight sight,
            Vending vending,
            ManagedTables managed,
            TableRoutes tables) {
        this.catalog = catalog;
        this.sight = sight;
        this.vending = vending;
        this.managed = managed;
        this.tables = tables;
    }

    void mount(Routes routes) {
        var api = new Api(routes.withErrors(UnityErrors.DELTA), Api.UNITY + "/delta/v1");
        api.get("/config", this::config);
        api.post("/catalogs/:catalog/schemas/:schema/staging-tables", answering(this::stage));
        api.post(TABLES, answering(this::create));
        api.get(TABLE, answering(this::load));
        api.post(TABLE, answering(this::update));
        api.delete(TABLE, answering(this::delete));
        api.head(TABLE, answering(this::head));
        api.post(TABLE + "/rename", answering(this::rename));
        api.post(TABLE + "/metrics", answering(this::metrics));
        api.get(TABLE + "/credentials", answering(this::credentials));
        api.get("/staging-tables/:id/credentials", answering(this::stagingCredentials));
        api.get("/temporary-path-credentials", answering(this::pathCredentials));
    }

    private static Api.Route answering(Api.Route route) {
        return request -> {
            try {
                return route.answer(request);
            } catch (DeltaProblem problem) {
                return problem.reply();
            }
        };
    }

    private Object config(Request request) {
        sight.require(request.caller(), Securable.catalog(request.queried("catalog")));
        var versions = request.queried("protocol-versions").split(",", -1);
        if (Stream.of(versions).noneMatch(version -> version.strip().startsWith("1."))) {
            return new DeltaProblem(400, "BadRequestException", "only version 1.0 is spoken here")
                    .reply();
        }
        var answer = Shapes.JSON.objectNode();
        ENDPOINTS.forEach(answer.putArray("endpoints")::add);
        return answer.put("protocol-version", "1.0");
    }

    private Object stage(Request request) {
        var name =
                new TableName(
                        request.path("catalog"), request.path("schema"), request.text("name"));
        var staging = managed.stage(request.caller(), name);
        var answer =
                Shapes.JSON
                        .objectNode()
                        .put("table-id", staging.id().toString())
                        .put("table-type", "MANAGED")
                        .put("location", staging.location());
        answer.set("storage-credentials", storage(staging.location(), true));
        ManagedContract.ask(answer, staging.id());
        return answer;
    }

    private Object create(Request request) {
        var name =
                new TableName(
                        request.path("catalog"), request.path("schema"), request.text("name"));
        if (request.text("table-type").equals("MANAGED")) {
            return answer(managed.createDelta(request, name));
        }
        return answer(
                tables.register(
                        request,
                        name,
                        request.text("location"),
                        _ -> ColumnJson.readStruct(request.body().path("columns"))));
    }

    private Object load(Request request) {
        return answer(readable(request));
    }

    /** A Delta table whose place the caller may know. */
    private CatalogTable readable(Request request) {
        var table = delta(request);
        requireReadable(request.caller(), table);
        return table;
    }

    void requireReadable(Caller caller, CatalogTable table) {
        if (!sight.tellsLocation(caller, table)) {
            throw vending.withheld(table);
        }
    }

    private CatalogTable delta(Request request) {
        var table = sight.require(request.caller(), named(request));
        if (!Vending.isDelta(table)) {
            throw DeltaProblem.format(table.name() + " is not a Delta table");
        }
        return table;
    }

    private static TableName named(Request request) {
        return new TableName(
                request.path("catalog"), request.path("schema"), request.path("table"));
    }

    private ObjectNode answer(CatalogTable table) {
        return table.kind() == TableKind.MANAGED
                ? answer(table, managed.state(table))
                : external(table);
    }

    private ObjectNode external(CatalogTable table) {
        var answer = Shapes.JSON.objectNode();
        var etag = table.id() + "-" + Integer.toHexString(table.hashCode());
        var metadata = metadata(answer, table, etag, "EXTERNAL");
        metadata.set("columns", ColumnJson.struct(table.schema()));
        metadata.putArray("partition-columns");
        Shapes.properties(metadata, table.properties());
        answer.putArray("commits");
        return answer;
    }

    private ObjectNode answer(CatalogTable table, CommitStore.State state) {
        var answer = Shapes.JSON.objectNode();
        var metadata = metadata(answer, table, CommitRules.etag(state), "MANAGED");
        metadata.set("columns", state.metadata().path("columns"));
        var partitions = state.metadata().path("partition-columns");
        metadata.set(
                "partition-columns", partitions.isArray() ? partitions : Shapes.JSON.arrayNode());
        Shapes.properties(
                metadata,
                ManagedTables.shown(
                        state.metadata(), state.metadataVersion(), state.metadataTimestamp()));
        metadata.put("last-commit-version", state.metadataVersion());
        metadata.put("last-commit-timestamp-ms", state.metadataTimestamp());
        answer.set("commits", CommitRules.pending(state));
        return answer.put("latest-table-version", state.latestVersion());
    }

    private ObjectNode metadata(ObjectNode answer, CatalogTable table, String etag, String type) {
        var info = catalog.securables().find(Securable.table(table.name())).orElseThrow();
        return answer.putObject("metadata")
                .put("etag", etag)
                .put("table-type", type)
                .put("table-uuid", table.id().toString())
                .put("location", table.location())
                .put("created-time", info.createdAt().toEpochMilli())
                .put("updated-time", info.updatedAt().toEpochMilli());
    }

    private Object update(Request request) {
        var table = delta(request);
        return answer(table, commit(request, table, request.body()));
    }

    /** Needs SELECT and MODIFY, for whoever commits has read what the commit stands on. */
    CommitStore.State commit(Request request, CatalogTable table, JsonNode body) {
        var name = Securable.table(table.name());
        catalog.access().require(request.caller(), Privilege.SELECT, name);
        catalog.access().require(request.caller(), Privilege.MODIFY, name);
        if (table.kind() != TableKind.MANAGED) {
            throw DeltaProblem.invalid(
                    "%s is not managed: write its log, not the catalog".formatted(table.name()));
        }
        return managed.commit(request.caller(), table, new CommitRules(table.id(), body));
    }

    private Object delete(Request request) {
        tables.drop(request, named(request));
        return Api.NO_CONTENT;
    }

    private Object head(Request request) {
        sight.require(request.caller(), named(request));
        return Api.NO_CONTENT;
    }

    private Object rename(Request request) {
        var table = delta(request);
        TableRoutes.requireUnderHand(table, "renamed");
        catalog.securables()
                .rename(request.caller(), Securable.table(table.name()), request.text("new-name"));
        return Api.NO_CONTENT;
    }

    /** What a client says that its commit did goes into the audit log. */
    private Object metrics(Request request) {
        var table = delta(request);
        catalog.access().require(request.caller(), Privilege.MODIFY, Securable.table(table.name()));
        if (!request.id("table-id").equals(table.id())) {
            throw DeltaProblem.invalid("table-id is another table's");
        }
        var told = new HashMap<String, String>();
        request.body()
                .path("report")
                .path("commit-report")
                .properties()
                .forEach(
                        e -> {
                            if (e.getValue().isNumber()) {
                                told.put(e.getKey(), e.getValue().asText());
                            }
                        });
        managed.record(request.caller(), "reportDeltaMetrics", table.name(), told);
        return Api.NO_CONTENT;
    }

    private Object credentials(Request request) {
        var table = delta(request);
        var write = Operation.of(request.queried("operation")).write();
        vending.requireTable(request.caller(), table, write);
        return answer(table.location(), write);
    }

    private Object stagingCredentials(Request request) {
        try {
            var id = UUID.fromString(request.path("id"));
            return answer(managed.staged(request.caller(), id).location(), true);
        } catch (IllegalArgumentException _) {
            throw DeltaProblem.invalid("the id is not a UUID");
        }
    }

    private Object pathCredentials(Request request) {
        var url = Locations.normal(request.queried("location"));
        var write = Operation.of(request.queried("operation")).write();
        vending.requirePath(request.caller(), url, Operation.onPath(write));
        return answer(url, write);
    }

    private static Object answer(String location, boolean write) {
        var answer = Shapes.JSON.objectNode();
        answer.set("storage-credentials", storage(location, write));
        return answer;
    }

    private static JsonNode storage(String location, boolean write) {
        var credentials = Shapes.JSON.arrayNode();
        var credential =
                credentials
                        .addObject()
                        .put("prefix", Operation.requireFile(location))
                        .put("operation", write ? "READ_WRITE" : "READ")
                        .put("expiration-time-ms", Operation.expiration());
        credential.putObject("config");
        return credentials;
    }
}
