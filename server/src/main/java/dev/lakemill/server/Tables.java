package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.TableLayout;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The Delta tables of this node, opened once, and the feeds of those that take rows.
 *
 * <p>A table stands at {@code tables/catalog/schema/table} of the data folder; the catalog keeps
 * the location, and a table found in the catalog is opened where it says.
 */
final class Tables implements AutoCloseable {
    /** Properties of a catalog table: columns with commas between. */
    private static final String PARTITIONED_BY = "lakemill.partitionedBy";

    private static final String CLUSTERED_BY = "lakemill.clusteredBy";

    /**
     * A view is replaced every few seconds, so its old files go soon; recovery and syncs look back
     * a few rounds only.
     */
    static final DeltaConfig OUTPUT =
            new DeltaConfig(
                    DeltaConfig.DEFAULT.fileBytesTarget(),
                    DeltaConfig.DEFAULT.checkpointEvery(),
                    Duration.ofHours(1),
                    Duration.ofMinutes(10));

    private final Path folder;
    private final Catalog catalog;
    private final String logApplication;
    private final long feedBytesMax;
    private final BufferAllocator allocator;
    private final Map<TableName, DeltaTable> tables = new ConcurrentHashMap<>();
    private final Map<TableName, TableFeed> feeds = new ConcurrentHashMap<>();

    /**
     * @param logApplication the Delta application of the log's positions
     */
    Tables(
            Path folder,
            Catalog catalog,
            String logApplication,
            long feedBytesMax,
            BufferAllocator allocator) {
        this.folder = folder;
        this.catalog = catalog;
        this.logApplication = logApplication;
        this.feedBytesMax = feedBytesMax;
        this.allocator = allocator;
    }

    /** The Delta application of the log's positions. */
    String logApplication() {
        return logApplication;
    }

    /** Every table that takes rows, as the catalog knows it. */
    List<CatalogTable> ingested() {
        return catalog.list().stream().filter(t -> t.kind() == TableKind.INGESTED).toList();
    }

    /** Where the tables that take rows stand. */
    Set<Path> ingestedFolders() {
        return ingested().stream()
                .filter(t -> t.location().startsWith("file:"))
                .map(t -> Path.of(URI.create(t.location())))
                .collect(Collectors.toSet());
    }

    /**
     * Makes sure that the table is in the catalog and in Delta as declared; says whether it is new.
     *
     * @throws LakemillException FAILED_PRECONDITION when it is there with another schema; columns
     *     and wider types that producers brought are none
     */
    boolean ensure(
            TableName name,
            TableKind kind,
            TableSchema schema,
            String comment,
            Map<String, String> properties) {
        var known = catalog.find(name).orElse(null);
        var container = Securable.catalog(name.catalog());
        var first = catalog.securables().find(container).isEmpty();
        var table =
                known == null
                        ? catalog.create(
                                name, kind, schema, location(name, kind), comment, properties)
                        : unchanged(known, kind, schema);
        if (first) {
            openToAdmins(container);
        }
        if (kind != TableKind.SYNCED) {
            open(table);
        }
        return known == null;
    }

    /**
     * A catalog that nobody has made or granted yet is the metastore admins' to begin with; who
     * wants less makes it first, and grants on it what is needed.
     */
    private void openToAdmins(Securable made) {
        var all = Set.of(Privilege.ALL_PRIVILEGES);
        catalog.grants()
                .change(
                        catalog.system(),
                        made,
                        List.of(new GrantChange(Principals.ADMINS, all, Set.of())));
    }

    /** The open Delta table of a name that {@link #ensure} or the catalog knows. */
    DeltaTable delta(TableName name) {
        var open = tables.get(name);
        if (open != null) {
            return open;
        }
        return open(
                catalog.find(name)
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "there is no table " + name,
                                                "declare it in a pipeline's SQL")));
    }

    /** Whether the table is there with other columns, or as something else. */
    boolean differs(TableName name, TableKind kind, TableSchema schema) {
        return catalog.find(name)
                .filter(known -> known.kind() != kind || !sameColumns(known.schema(), schema))
                .isPresent();
    }

    boolean isThere(TableName name, TableKind kind) {
        return catalog.find(name).filter(known -> known.kind() == kind).isPresent();
    }

    /** Tells the catalog of the columns that a table has got. */
    void adopt(TableName name, TableSchema schema) {
        catalog.find(name)
                .filter(known -> !sameColumns(known.schema(), schema))
                .ifPresent(
                        known -> catalog.update(name, schema, known.comment(), known.properties()));
    }

    /** Whether the table is there with other partitions. */
    boolean moved(TableName name, TableLayout layout) {
        return catalog.find(name)
                .filter(
                        known ->
                                !layout(known.properties())
                                        .partitionedBy()
                                        .equals(layout.partitionedBy()))
                .isPresent();
    }

    /** Has an open table clustered as the layout says. */
    void cluster(TableName name, TableLayout layout) {
        if (!layout.partitionedBy().isEmpty()) {
            return;
        }
        delta(name).cluster(layout.clusteredBy());
        catalog.find(name)
                .filter(known -> !layout(known.properties()).equals(layout))
                .ifPresent(
                        known ->
                                catalog.update(
                                        name,
                                        known.schema(),
                                        known.comment(),
                                        properties(known.properties(), layout)));
    }

    /** What the catalog keeps of a layout. */
    static Map<String, String> properties(TableLayout layout) {
        return properties(Map.of(), layout);
    }

    private static Map<String, String> properties(Map<String, String> others, TableLayout layout) {
        var properties = new HashMap<>(others);
        put(properties, PARTITIONED_BY, layout.partitionedBy());
        put(properties, CLUSTERED_BY, layout.clusteredBy());
        return properties;
    }

    private static void put(Map<String, String> properties, String key, List<String> columns) {
        if (columns.isEmpty()) {
            properties.remove(key);
        } else {
            properties.put(key, String.join(",", columns));
        }
    }

    private static TableLayout layout(Map<String, String> properties) {
        return new TableLayout(
                columns(properties.get(PARTITIONED_BY)), columns(properties.get(CLUSTERED_BY)));
    }

    private static List<String> columns(@Nullable String joined) {
        return joined == null ? List.of() : List.of(joined.split(",", -1));
    }

    /** The columns that the catalog knows a table to have. */
    Optional<TableSchema> columns(TableName name) {
        return catalog.find(name).map(CatalogTable::schema);
    }

    /** Gives a table new columns, in which the rows that it has are NULL. */
    void widen(TableName name, TableSchema schema) {
        delta(name).widen(schema);
        catalog.find(name)
                .ifPresent(t -> catalog.update(name, schema, t.comment(), t.properties()));
    }

    /**
     * Empties a table and gives it other columns; its grants and tags stay. What it was before as
     * something else (a view, say) goes.
     */
    void remake(TableName name, TableKind kind, TableSchema schema, TableLayout layout) {
        var known = catalog.find(name).orElse(null);
        if (known == null) {
            return;
        }
        var open = tables.remove(name);
        if (open != null) {
            open.close();
        }
        if (known.location().startsWith("file:")) {
            deleteFiles(Path.of(URI.create(known.location())));
        }
        if (known.kind() == kind) {
            catalog.update(name, schema, known.comment(), properties(known.properties(), layout));
        } else {
            catalog.drop(name);
        }
    }

    static void deleteFiles(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (var files = Files.walk(folder)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "cannot delete " + folder, "check its permissions", e);
        }
    }

    /** The open Delta table, or null for a table without one. */
    @Nullable DeltaTable openDelta(TableName name) {
        return tables.get(name);
    }

    /** The feed of a table that takes rows. */
    TableFeed feed(TableName name) {
        return feeds.computeIfAbsent(
                name, n -> new TableFeed(n, delta(n), logApplication, feedBytesMax));
    }

    List<TableFeed> feeds() {
        return List.copyOf(feeds.values());
    }

    @Override
    public void close() {
        feeds.values().forEach(TableFeed::close);
        tables.values().forEach(DeltaTable::close);
    }

    private DeltaTable open(CatalogTable table) {
        return tables.computeIfAbsent(
                table.name(),
                _ -> {
                    var at = Path.of(URI.create(table.location()));
                    var config = table.kind() == TableKind.INGESTED ? DeltaConfig.DEFAULT : OUTPUT;
                    return DeltaTable.exists(at)
                            ? DeltaTable.open(at, config, allocator, Clock.systemUTC())
                            : DeltaTable.create(
                                    at,
                                    table.schema(),
                                    config.with(layout(table.properties())),
                                    allocator,
                                    Clock.systemUTC());
                });
    }

    private String location(TableName name, TableKind kind) {
        if (kind == TableKind.SYNCED) {
            var lower = name.toString().toLowerCase(Locale.ROOT);
            return "postgres:" + lower.substring(name.catalog().length() + 1);
        }
        return folder.resolve(name.catalog())
                .resolve(name.schema())
                .resolve(name.table())
                .toUri()
                .toString();
    }

    private static CatalogTable unchanged(CatalogTable known, TableKind kind, TableSchema schema) {
        if (known.kind() == kind
                && (sameColumns(known.schema(), schema) || isEvolved(known, schema))) {
            return known;
        }
        throw new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "%s is declared as %s %s, but exists as %s %s"
                        .formatted(
                                known.name(),
                                kind,
                                describe(schema),
                                known.kind(),
                                describe(known.schema())),
                "declare it under a new name, or declare it as it was");
    }

    /** Whether a table that got columns from its producers has those that are declared. */
    private static boolean isEvolved(CatalogTable known, TableSchema declared) {
        var before = known.properties().get(CatalogTable.DECLARED_COLUMNS);
        if (before == null) {
            return false;
        }
        var all = known.schema().columns();
        return all.subList(0, Integer.parseInt(before)).stream()
                        .allMatch(column -> declared.indexOf(column.name()).isPresent())
                && declared.columns().stream()
                        .allMatch(column -> all.stream().anyMatch(k -> isSameOrWider(k, column)));
    }

    private static boolean isSameOrWider(Column known, Column declared) {
        return known.name().equalsIgnoreCase(declared.name())
                && known.nullable() == declared.nullable()
                && (known.type().sql().equalsIgnoreCase(declared.type().sql())
                        || TypeWidening.isAllowed(declared.type(), known.type()));
    }

    static boolean sameColumns(TableSchema a, TableSchema b) {
        return describe(a).equals(describe(b));
    }

    private static String describe(TableSchema schema) {
        return schema.columns().stream()
                .map(c -> c.name() + " " + c.type().sql() + (c.nullable() ? "" : " NOT NULL"))
                .toList()
                .toString();
    }
}
