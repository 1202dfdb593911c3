package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.catalog.ViewDefinition;
import dev.lakemill.types.Securable;

/** Tables in Unity Catalog's TableInfo. */
final class TableShapes {
    private final Catalog catalog;
    private final Sight sight;

    TableShapes(Catalog catalog, Sight sight) {
        this.catalog = catalog;
        this.sight = sight;
    }

    /** Everything that clients dereference is there, whatever the table is. */
    ObjectNode info(Request request, CatalogTable table) {
        var securable = Securable.table(table.name());
        var info = catalog.securables().find(securable).orElseThrow();
        var node =
                Shapes.base(info)
                        .put("catalog_name", table.name().catalog())
                        .put("schema_name", table.name().schema())
                        .put("full_name", table.name().toString())
                        .put("table_id", table.id().toString())
                        .put("table_type", type(request, table))
                        .put("data_source_format", format(table))
                        .put("storage_location", location(request.caller(), table));
        var held = catalog.policies().on(table.name());
        node.set("columns", ColumnJson.infos(table.schema(), held.masks()));
        Shapes.properties(node, table.properties());
        held.filters().stream()
                .findFirst()
                .ifPresent(
                        filter -> {
                            var shown = node.putObject("row_filter");
                            shown.put("function_name", filter.function());
                            filter.columns().forEach(shown.putArray("input_column_names")::add);
                        });
        catalog.view(table.name()).ifPresent(view -> view(request, node, table, view));
        kind(node, table);
        return node;
    }

    /** Text and sources are told to those who may change them. */
    private void view(Request request, ObjectNode node, CatalogTable table, ViewDefinition view) {
        node.remove("storage_location");
        if (!sight.manages(request.caller(), Securable.table(table.name()))) {
            return;
        }
        node.put("view_definition", view.text());
        var dependencies = node.putObject("view_dependencies").putArray("dependencies");
        view.sources()
                .forEach(
                        source ->
                                dependencies
                                        .addObject()
                                        .putObject("table")
                                        .put("table_full_name", source.toString()));
    }

    ObjectNode summary(Request request, CatalogTable table) {
        var node =
                Shapes.JSON
                        .objectNode()
                        .put("full_name", table.name().toString())
                        .put("table_type", type(request, table));
        kind(node, table);
        return node;
    }

    /** A URI that no engine opens stands for one that the caller may not have. */
    String location(Caller caller, CatalogTable table) {
        return sight.tellsLocation(caller, table)
                ? table.location()
                : "lakemill://withheld/" + table.id();
    }

    private static void kind(ObjectNode node, CatalogTable table) {
        if (isPostgres(table)) {
            node.putObject("securable_kind_manifest")
                    .put("securable_kind", "TABLE_MANAGED_POSTGRESQL");
        }
    }

    private static String type(Request request, CatalogTable table) {
        return switch (table.kind()) {
            case INGESTED, QUARANTINE, EXTERNAL -> "EXTERNAL";
            case MANAGED -> "MANAGED";
            case STREAMING_TABLE ->
                    request.flag("read_streaming_table_as_managed") ? "MANAGED" : "STREAMING_TABLE";
            case MATERIALIZED_VIEW ->
                    request.flag("read_materialized_view_as_managed")
                            ? "MANAGED"
                            : "MATERIALIZED_VIEW";
            case SYNCED, STATE -> "FOREIGN";
            case VIEW -> "VIEW";
        };
    }

    private static String format(CatalogTable table) {
        if (Vending.isDelta(table)) {
            return "DELTA";
        }
        return isPostgres(table) ? "POSTGRESQL_FORMAT" : "UNKNOWN_DATA_SOURCE_FORMAT";
    }

    private static boolean isPostgres(CatalogTable table) {
        return table.kind() == TableKind.SYNCED || table.kind() == TableKind.STATE;
    }
}
