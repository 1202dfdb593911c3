package dev.lakemill.server.rest;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Tables of every kind; external Delta tables can be registered, described and taken out. */
final class TableRoutes {
    private final Catalog catalog;
    private final Sight sight;
    private final Vending vending;
    private final Locations locations;
    private final TableShapes shapes;
    private final DeltaFiles files;
    private final ManagedTables managed;

    TableRoutes(
            UnityApi.Parts parts,
            Sight sight,
            Vending vending,
            Locations locations,
            ManagedTables managed) {
        this.catalog = parts.catalog();
        this.sight = sight;
        this.vending = vending;
        this.locations = locations;
        this.shapes = new TableShapes(catalog, sight);
        this.files = parts.files();
        this.managed = managed;
    }

    void mount(Routes routes) {
        var tables = Api.unity(routes, "TABLE");
        tables.post("/tables", this::create);
        tables.get("/tables", this::list);
        tables.get("/tables/:name", this::get);
        tables.patch("/tables/:name", this::patch);
        tables.delete("/tables/:name", this::delete);
        tables.get("/tables/:name/exists", this::exists);
        tables.get("/table-summaries", this::summaries);
    }

    private Object get(Request request) {
        return shapes.info(request, sight.require(request.caller(), request.table("name")));
    }

    private Object exists(Request request) {
        var there =
                catalog.find(request.table("name"))
                        .filter(t -> sight.sees(request.caller(), Securable.table(t.name())))
                        .isPresent();
        return Shapes.JSON.objectNode().put("table_exists", there);
    }

    private Object list(Request request) {
        var schema =
                Securable.schema(request.queried("catalog_name"), request.queried("schema_name"));
        sight.require(request.caller(), schema);
        var tables =
                seen(request).stream()
                        .filter(t -> schema.name().equalsIgnoreCase(container(t.name())))
                        .toList();
        return Page.of(
                request, "tables", tables, TableRoutes::key, table -> shapes.info(request, table));
    }

    private Object summaries(Request request) {
        var of = Securable.catalog(request.queried("catalog_name"));
        sight.require(request.caller(), of);
        var schemas = new Like(request.query("schema_name_pattern").orElse("%"));
        var names = new Like(request.query("table_name_pattern").orElse("%"));
        var tables =
                seen(request).stream()
                        .filter(t -> t.name().catalog().equalsIgnoreCase(of.name()))
                        .filter(t -> schemas.matches(t.name().schema()))
                        .filter(t -> names.matches(t.name().table()))
                        .toList();
        return Page.of(
                request,
                "tables",
                tables,
                TableRoutes::key,
                table -> shapes.summary(request, table));
    }

    private List<CatalogTable> seen(Request request) {
        return catalog.list().stream()
                .filter(t -> sight.sees(request.caller(), Securable.table(t.name())))
                .toList();
    }

    private Object create(Request request) {
        var name = TableName.parse(request.fullName("name"));
        var type = request.text("table_type").toUpperCase(Locale.ROOT);
        if (type.equals("MANAGED")) {
            return shapes.info(request, managed.create(request, name));
        }
        if (!type.equals("EXTERNAL")) {
            throw refused(
                    "%s cannot be made here".formatted(type),
                    type.equals("VIEW")
                            ? "CREATE VIEW in SQL makes views"
                            : "pipelines make those");
        }
        var format = request.optional("data_source_format").orElse("DELTA");
        if (!format.equalsIgnoreCase("DELTA")) {
            throw refused("tables of %s files are not supported".formatted(format), "use DELTA");
        }
        return shapes.info(
                request,
                register(
                        request,
                        name,
                        request.text("storage_location"),
                        location -> columns(request, location)));
    }

    /** Puts a Delta table into the catalog that lies somewhere already, or will. */
    CatalogTable register(
            Request request, TableName name, String url, Function<String, TableSchema> columns) {
        var schema = Securable.schema(name.catalog(), name.schema());
        sight.require(request.caller(), schema);
        catalog.access().require(request.caller(), Privilege.CREATE_TABLE, schema);
        var location = Locations.normal(url);
        return locations.claim(
                () -> {
                    vending.requireNew(request.caller(), location, Privilege.CREATE_EXTERNAL_TABLE);
                    return catalog.create(
                            request.caller(),
                            name,
                            TableKind.EXTERNAL,
                            columns.apply(location),
                            location,
                            request.optional("comment").orElse(""),
                            request.pairs("properties").orElse(Map.of()));
                });
    }

    /** Those of the request, or else those that the Delta table has. */
    private TableSchema columns(Request request, String location) {
        var given = request.body().path("columns");
        if (given.isArray() && !given.isEmpty()) {
            return ColumnJson.readInfos(given);
        }
        return files.schema(location);
    }

    private Object patch(Request request) {
        var table = sight.require(request.caller(), request.table("name"));
        var securable = Securable.table(table.name());
        if (request.optional("new_name").isPresent()) {
            requireUnderHand(table, "renamed");
        }
        if (request.pairs("properties").isPresent()) {
            requireUnderHand(table, "given other properties");
        }
        new Patch(catalog, request).apply(securable);
        return shapes.info(request, byId(table).orElseThrow());
    }

    private Optional<CatalogTable> byId(CatalogTable table) {
        return catalog.find(table.id());
    }

    private Object delete(Request request) {
        drop(request, request.table("name"));
        return Api.EMPTY;
    }

    /** Takes the table out of the catalog; the files of external tables stay where they are. */
    void drop(Request request, TableName name) {
        var table = sight.require(request.caller(), name);
        requireUnderHand(table, "dropped");
        catalog.securables().drop(request.caller(), Securable.table(table.name()), false);
        managed.forget(table);
    }

    /** Of what the node writes, and of what lies in Postgres, the catalog's row is not all. */
    static void requireUnderHand(CatalogTable table, String what) {
        if (table.kind().fed()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s cannot be %s: this node writes it".formatted(table.name(), what),
                    "change the pipeline's SQL that declares it");
        }
        if (table.kind() == TableKind.STATE) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s cannot be %s here: it lies in Postgres".formatted(table.name(), what),
                    "use SQL on Postgres");
        }
    }

    private static String key(CatalogTable table) {
        return table.name().toString();
    }

    private static String container(TableName name) {
        return name.catalog() + "." + name.schema();
    }

    private static LakemillException refused(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }
}
