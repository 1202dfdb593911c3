package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.Map;
import java.util.function.Function;

/** Catalogs and schemas. */
final class ContainerRoutes {
    private final Catalog catalog;
    private final Sight sight;

    ContainerRoutes(Catalog catalog, Sight sight) {
        this.catalog = catalog;
        this.sight = sight;
    }

    void mount(Routes routes) {
        var catalogs = Api.unity(routes, "CATALOG");
        catalogs.post("/catalogs", this::createCatalog);
        catalogs.get("/catalogs", this::listCatalogs);
        catalogs.get("/catalogs/:name", r -> get(r, SecurableType.CATALOG, Shapes::catalog));
        catalogs.patch("/catalogs/:name", r -> patch(r, SecurableType.CATALOG, Shapes::catalog));
        catalogs.delete("/catalogs/:name", r -> delete(r, SecurableType.CATALOG));
        var schemas = Api.unity(routes, "SCHEMA");
        schemas.post("/schemas", this::createSchema);
        schemas.get("/schemas", this::listSchemas);
        schemas.get("/schemas/:name", r -> get(r, SecurableType.SCHEMA, Shapes::schema));
        schemas.patch("/schemas/:name", r -> patch(r, SecurableType.SCHEMA, Shapes::schema));
        schemas.delete("/schemas/:name", r -> delete(r, SecurableType.SCHEMA));
    }

    private Object createCatalog(Request request) {
        return Shapes.catalog(create(request, Securable.catalog(request.text("name"))));
    }

    private Object createSchema(Request request) {
        var parent = Securable.catalog(request.text("catalog_name"));
        sight.require(request.caller(), parent);
        return Shapes.schema(
                create(request, Securable.schema(parent.name(), request.text("name"))));
    }

    private SecurableInfo create(Request request, Securable securable) {
        if (request.optional("storage_root").isPresent()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "storage_root cannot be chosen: managed data lies in the node's data folder",
                    "leave it out, or make external tables where you want them");
        }
        return catalog.securables()
                .create(
                        request.caller(),
                        securable,
                        request.optional("comment").orElse(""),
                        request.pairs("properties").orElse(Map.of()),
                        "");
    }

    private Object listCatalogs(Request request) {
        var seen = sight.list(request.caller(), Securable.METASTORE, SecurableType.CATALOG);
        return Page.of(request, "catalogs", seen, Request::key, Shapes::catalog);
    }

    private Object listSchemas(Request request) {
        var parent = Securable.catalog(request.queried("catalog_name"));
        sight.require(request.caller(), parent);
        var seen = sight.list(request.caller(), parent, SecurableType.SCHEMA);
        return Page.of(request, "schemas", seen, Request::key, Shapes::schema);
    }

    private Object get(
            Request request, SecurableType type, Function<SecurableInfo, JsonNode> shape) {
        return shape.apply(sight.require(request.caller(), request.securable(type, "name")));
    }

    private Object patch(
            Request request, SecurableType type, Function<SecurableInfo, JsonNode> shape) {
        var named = sight.require(request.caller(), request.securable(type, "name")).securable();
        return shape.apply(new Patch(catalog, request).apply(named));
    }

    private Object delete(Request request, SecurableType type) {
        var named = sight.require(request.caller(), request.securable(type, "name")).securable();
        catalog.securables().drop(request.caller(), named, request.flag("force"));
        return Api.EMPTY;
    }
}
