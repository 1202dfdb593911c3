package dev.lakemill.server.rest;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.List;
import java.util.UUID;

/** Unity Catalog's temporary credentials; those of models stand with the models. */
final class CredentialRoutes {
    private final Catalog catalog;
    private final Sight sight;
    private final Vending vending;
    private final ManagedTables managed;

    CredentialRoutes(Catalog catalog, Sight sight, Vending vending, ManagedTables managed) {
        this.catalog = catalog;
        this.sight = sight;
        this.vending = vending;
        this.managed = managed;
    }

    void mount(Routes routes) {
        var tables = Api.unity(routes, "TABLE");
        tables.post("/temporary-table-credentials", this::table);
        Api.unity(routes, "VOLUME").post("/temporary-volume-credentials", this::volume);
        Api.unity(routes, "").post("/temporary-path-credentials", this::path);
    }

    private Object table(Request request) {
        var id = request.id("table_id");
        var write = Operation.of(request.text("operation")).write();
        if (managed.isStaged(id)) {
            return credentials(managed.staged(request.caller(), id).location());
        }
        var table = byId(request, id);
        if (!Vending.isDelta(table)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s has no Delta files".formatted(table.name()),
                    "read it with SQL");
        }
        vending.requireTable(request.caller(), table, write);
        return credentials(table.location());
    }

    private CatalogTable byId(Request request, UUID id) {
        return catalog.find(id)
                .filter(t -> sight.sees(request.caller(), Securable.table(t.name())))
                .orElseThrow(() -> Sight.missing(SecurableType.TABLE, id.toString()));
    }

    private Object volume(Request request) {
        var volume = sight.require(request.caller(), request.id("volume_id"), SecurableType.VOLUME);
        var write = Operation.of(request.text("operation")).write();
        vending.requireVolume(request.caller(), volume, write);
        return credentials(volume.location());
    }

    private Object path(Request request) {
        var url = Locations.normal(request.text("url"));
        var operation = request.text("operation");
        vending.requirePath(
                request.caller(),
                url,
                operation.equals("PATH_CREATE_TABLE")
                        ? List.of(Privilege.CREATE_EXTERNAL_TABLE)
                        : Operation.onPath(Operation.of(operation).write()));
        return credentials(url);
    }

    static Object credentials(String location) {
        return Shapes.JSON
                .objectNode()
                .put("url", Operation.requireFile(location))
                .put("expiration_time", Operation.expiration());
    }
}
