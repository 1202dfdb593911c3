package dev.lakemill.server.rest;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.server.Routes;
import dev.lakemill.types.Securable;
import io.vertx.core.http.HttpMethod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import javax.sql.DataSource;

/**
 * Unity Catalog's open REST API over the catalog: everything below {@code /api/2.1/unity-catalog},
 * as docs/reference/rest.md tells it and {@code openapi.yaml} says it exactly.
 */
public final class UnityApi {
    /** Where clients without a default schema begin. */
    private static final String DEFAULT_SCHEMA = "main";

    /**
     * What the API stands on.
     *
     * @param database where managed tables' commits are kept
     * @param data the node's own folder, in which managed data lies
     */
    public record Parts(
            Catalog catalog,
            DataSource database,
            Path data,
            DeltaFiles files,
            FunctionCompiler functions,
            ModelScorer models) {}

    private UnityApi() {}

    public static void mount(Routes routes, Parts parts) {
        var catalog = parts.catalog();
        var sight = new Sight(catalog);
        var locations = new Locations(catalog, parts.data());
        var vending = new Vending(catalog, locations);
        var store = new CommitStore(parts.database());
        var managed = new ManagedTables(catalog, sight, locations, store);
        var tables = new TableRoutes(parts, sight, vending, locations, managed);
        var delta = new DeltaRoutes(catalog, sight, vending, managed, tables);
        new ContainerRoutes(catalog, sight).mount(routes);
        tables.mount(routes);
        delta.mount(routes);
        new LegacyCommitRoutes(catalog, sight, managed, delta).mount(routes);
        new StorageRoutes(catalog, sight, vending, locations).mount(routes);
        new FunctionRoutes(catalog, sight, parts.functions()).mount(routes);
        new ModelRoutes(catalog, sight, vending, locations, parts.models()).mount(routes);
        new PermissionRoutes(catalog, sight).mount(routes);
        new TagRoutes(catalog, sight).mount(routes);
        new CredentialRoutes(catalog, sight, vending, managed).mount(routes);
        mountSettings(routes, catalog);
    }

    private static void mountSettings(Routes routes, Catalog catalog) {
        var plain = routes.withErrors(UnityErrors.unity(""));
        plain.secured(
                HttpMethod.GET,
                Api.UNITY + "/metastore_summary",
                (_, _) -> {
                    var id = catalog.securables().find(Securable.METASTORE).orElseThrow().id();
                    return Shapes.JSON
                            .objectNode()
                            .put("metastore_id", id.toString())
                            .put("name", "lakemill");
                });
        plain.secured(
                HttpMethod.GET,
                "/api/2.0/settings/types/default_namespace_ws/names/default",
                (_, _) -> {
                    var answer = Shapes.JSON.objectNode().put("setting_name", DEFAULT_SCHEMA);
                    answer.putObject("namespace").put("value", DEFAULT_SCHEMA);
                    return answer.put("etag", DEFAULT_SCHEMA);
                });
        var yaml = yaml();
        plain.open(
                HttpMethod.GET,
                Api.UNITY + "/openapi.yaml",
                _ -> new Routes.Reply(200, Map.of("content-type", "application/yaml"), yaml));
    }

    private static String yaml() {
        try (var stream = UnityApi.class.getResourceAsStream("openapi.yaml")) {
            if (stream == null) {
                throw new IllegalStateException("openapi.yaml is not beside " + UnityApi.class);
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
