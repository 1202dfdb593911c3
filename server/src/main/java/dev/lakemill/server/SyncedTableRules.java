package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.sync.SyncMode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** What may be synced by whom under which name, and its lineage. */
final class SyncedTableRules {
    private final Catalog catalog;
    private final SyncSources sources;
    private final Supplier<List<SyncedTables.Defined>> defined;

    /**
     * @param defined all that there are
     */
    SyncedTableRules(SyncSources sources, Supplier<List<SyncedTables.Defined>> defined) {
        this.catalog = sources.catalog();
        this.sources = sources;
        this.defined = defined;
    }

    /** A table or view that the caller may copy in the definition's mode. */
    CatalogTable source(Caller caller, SyncedTableDefinition wanted) {
        var name = wanted.source();
        var securable = Securable.table(name);
        var table =
                catalog.find(name)
                        .filter(t -> new Visible(catalog, caller).sees(Securable.table(t.name())))
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "there is no table %s, or you may not see it"
                                                        .formatted(name),
                                                "SHOW TABLES IN lists what you see"));
        catalog.access().require(caller, Privilege.SELECT, securable);
        if (catalog.view(table.name()).isPresent()) {
            view(table, wanted.mode());
            return table;
        }
        if (!table.location().startsWith("file:")) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s is a %s and has no Delta table that this node reads"
                            .formatted(table.name(), table.kind()),
                    "sync a table, a streaming table, a materialized view or a view of the lake");
        }
        var held = policies(catalog, table.name());
        if (held.isPresent()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    held.get(),
                    "set them on the synced table instead, or on a table that a pipeline makes");
        }
        return table;
    }

    /** What keeps a table from being copied. */
    static Optional<String> policies(Catalog catalog, TableName table) {
        var held = catalog.policies().on(table).told();
        return held.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "%s is under %s, which its copy would not have"
                                .formatted(table, String.join(" and ", held)));
    }

    private void view(CatalogTable view, SyncMode mode) {
        if (ViewSource.usesNow(sources.view(view.name()).plan()) && mode != SyncMode.SNAPSHOT) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s changes with the time, while a %s copy changes with the tables"
                            .formatted(view.name(), mode),
                    "use mode = 'snapshot', which evaluates it at each REFRESH SYNCED TABLE");
        }
    }

    /** FAILED_PRECONDITION while a table, or its captured copy, is copied into Postgres. */
    static void requireNoCopy(Catalog catalog, TableName table) {
        for (var copy : catalog.list()) {
            var source = SyncedTableDefinition.of(copy).map(SyncedTableDefinition::source);
            if (source.filter(s -> isSame(s, table)).isPresent()) {
                throw copied(table, "", copy);
            }
            var from = source.flatMap(s -> catalog.policies().on(s).capturedFrom());
            if (from.filter(t -> isSame(t.name(), table)).isPresent()) {
                throw copied(table, " by way of " + source.orElseThrow(), copy);
            }
        }
    }

    private static boolean isSame(TableName one, TableName other) {
        return one.toString().equalsIgnoreCase(other.toString());
    }

    private static LakemillException copied(TableName table, String way, CatalogTable copy) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "%s is copied%s into %s, which would not have the policy"
                        .formatted(table, way, copy.name()),
                "drop that synced table first");
    }

    /** With the source's name as the catalog writes it. */
    static SyncedTableDefinition named(SyncedTableDefinition wanted, TableName source) {
        return wanted.withSource(source);
    }

    /** Postgres has one name for tables of the same schema in several catalogs. */
    void requireFree(TableName name, SyncedTableDefinition definition) {
        requireOneMode(name, definition);
        for (var table : catalog.list()) {
            if (table.location().equals(location(name))
                    && !table.name().toString().equalsIgnoreCase(name.toString())) {
                throw new LakemillException(
                        ErrorCode.ALREADY_EXISTS,
                        "%s is %s in Postgres already".formatted(table.name(), location(name)),
                        "take another schema or name");
            }
        }
        var schema = Securable.schema(name.catalog(), name.schema());
        if (!definition.createSchema() && catalog.securables().find(schema).isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no schema %s".formatted(schema.name()),
                    "make it, or set create_database_objects_if_missing");
        }
    }

    void requireOneMode(TableName name, SyncedTableDefinition definition) {
        for (var other : defined.get()) {
            if (!other.table().name().equals(name)
                    && other.group().equals(definition.groupOf(name))
                    && other.definition().mode() != definition.mode()) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "%s of the group '%s' is %s, and %s would be %s"
                                .formatted(
                                        other.table().name(),
                                        definition.group(),
                                        other.definition().mode(),
                                        name,
                                        definition.mode()),
                        "tables of a group change together, in one mode");
            }
        }
    }

    static String location(TableName name) {
        return "postgres:%s.%s".formatted(name.schema(), name.table()).toLowerCase(Locale.ROOT);
    }

    private LineageNode node(TableName source) {
        return catalog.view(source).isPresent()
                ? new LineageNode(LineageNode.Type.VIEW, source.toString())
                : LineageNode.table(source);
    }

    /** The edge from the source, for today. */
    void recordLineage(SyncedTables.Defined defined) {
        var now = Clock.systemUTC().instant();
        var owner =
                catalog.securables()
                        .find(Securable.table(defined.table().name()))
                        .map(info -> info.owner().name())
                        .orElse("");
        var columns =
                defined.table().schema().columns().stream()
                        .map(c -> new LineageFlow.Columns(c.name(), c.name()))
                        .toList();
        var edge =
                new LineageFlow.Edge(
                        node(defined.definition().source()),
                        LineageNode.table(defined.table().name()),
                        columns,
                        0);
        var entity =
                new LineageEntity(
                        LineageEntity.Type.SYNC, defined.group(), defined.table().id().toString());
        catalog.lineage()
                .record(
                        List.of(
                                new LineageFlow(
                                        entity,
                                        owner,
                                        now.truncatedTo(ChronoUnit.DAYS),
                                        now,
                                        List.of(edge))));
    }
}
