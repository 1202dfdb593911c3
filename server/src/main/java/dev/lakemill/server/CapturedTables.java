package dev.lakemill.server;

import dev.lakemill.capture.Capture;
import dev.lakemill.capture.CaptureConfig;
import dev.lakemill.capture.Lake;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Captured state tables as tables of the catalog, beside the state table: {@code name_history} and
 * {@code name_current}, with the lineage from it.
 */
final class CapturedTables implements Lake {
    private static final String SOURCE = CatalogTable.CAPTURED_FROM;

    private final Map<String, String> catalogs;
    private final Catalog catalog;
    private final Tables tables;

    private CapturedTables(Map<String, String> catalogs, Catalog catalog, Tables tables) {
        this.catalogs = catalogs;
        this.catalog = catalog;
        this.tables = tables;
    }

    /** Begins where schemas are set; ends what an earlier setting began where none is. */
    static Optional<Capture> start(
            Config config,
            Postgres postgres,
            Catalog catalog,
            Tables tables,
            BufferAllocator allocator) {
        var catalogs = schemas(config);
        var settings = CaptureConfig.of(config.text(Setting.NODE), List.copyOf(catalogs.keySet()));
        if (catalogs.isEmpty()) {
            Capture.end(settings, postgres);
            return Optional.empty();
        }
        var lake = new CapturedTables(catalogs, catalog, tables);
        return Optional.of(Capture.start(settings, postgres, lake, allocator, Clock.systemUTC()));
    }

    /** The schemas of Postgres, with the catalog that each belongs to. */
    private static Map<String, String> schemas(Config config) {
        var schemas = new LinkedHashMap<String, String>();
        var text = config.text(Setting.CAPTURE_SCHEMAS).replaceAll("[\\[\\]]", " ").strip();
        for (var name : text.isEmpty() ? new String[0] : text.split("\\s*,\\s*")) {
            var parts = name.split("\\.", -1);
            if (parts.length != 2 || schemas.put(parts[1], parts[0]) != null) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "%s has '%s'".formatted(Setting.CAPTURE_SCHEMAS.key(), name),
                        "write catalog.schema for each schema, once, as in [shop.app, shop.billing]");
            }
        }
        return schemas;
    }

    @Override
    public DeltaTable open(String schema, String table, Part part, TableSchema columns) {
        var name = name(schema, table, part);
        if (catalog.find(name).isEmpty()) {
            var comment =
                    part == Part.HISTORY
                            ? "Every change of the state table %s.%s"
                            : "The state table %s.%s as it stands";
            tables.ensure(
                    name,
                    kind(part),
                    columns,
                    comment.formatted(schema, table),
                    Map.of(SOURCE, schema + "." + table));
        }
        var opened = tables.delta(name);
        // A failure may have come between a change of its columns and the catalog.
        tables.adopt(name, opened.schema());
        recordLineage(schema, table, name, opened.schema());
        return opened;
    }

    @Override
    public void changed(String schema, String table, Part part, TableSchema columns) {
        tables.adopt(name(schema, table, part), columns);
    }

    private static TableKind kind(Part part) {
        return part == Part.HISTORY ? TableKind.STREAMING_TABLE : TableKind.MATERIALIZED_VIEW;
    }

    /** A name that no other table has: with a number behind it where one has. */
    private TableName name(String schema, String table, Part part) {
        var base =
                table.replaceAll("[^A-Za-z0-9_]", "_").replaceFirst("^(?=[0-9])", "_")
                        + (part == Part.HISTORY ? "_history" : "_current");
        var source = schema + "." + table;
        for (int number = 1; ; number++) {
            var name =
                    new TableName(
                            catalogs.getOrDefault(schema, "main"),
                            schema.replaceAll("[^A-Za-z0-9_]", "_"),
                            number == 1 ? base : base + "_" + number);
            var known = catalog.find(name);
            if (known.isEmpty() || isOf(known.get(), source, part)) {
                return name;
            }
        }
    }

    private static boolean isOf(CatalogTable known, String source, Part part) {
        return source.equals(known.properties().get(SOURCE)) && known.kind() == kind(part);
    }

    private void recordLineage(String schema, String table, TableName to, TableSchema columns) {
        var from = new TableName(to.catalog(), to.schema(), table.replaceAll("[^A-Za-z0-9_]", "_"));
        var same = new ArrayList<LineageFlow.Columns>();
        for (Column column : columns.columns()) {
            if (!column.name().startsWith("_")) {
                same.add(new LineageFlow.Columns(column.name(), column.name()));
            }
        }
        var now = Clock.systemUTC().instant();
        var edge = new LineageFlow.Edge(LineageNode.table(from), LineageNode.table(to), same, 0);
        catalog.lineage()
                .record(
                        List.of(
                                new LineageFlow(
                                        new LineageEntity(
                                                LineageEntity.Type.SYNC,
                                                "capture " + schema + "." + table,
                                                ""),
                                        catalog.system().principal().name(),
                                        now.truncatedTo(ChronoUnit.DAYS),
                                        now,
                                        List.of(edge))));
    }
}
