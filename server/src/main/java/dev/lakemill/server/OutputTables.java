package dev.lakemill.server;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.TableLayout;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.pipeline.Rebuild;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.TableOptions;
import dev.lakemill.types.Column;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * The tables of one pipeline: those of the catalog, and private ones, which stand in the pipeline's
 * folder and are in no catalog, so that nobody else can read them.
 */
final class OutputTables implements AutoCloseable {
    /** Properties of a catalog table: which pipeline writes it, and what a synced table copies. */
    static final String PIPELINE = "pipeline";

    static final String SOURCE = "source";

    private final String name;
    private final PipelineHost.Parts parts;
    private final Map<Path, DeltaTable> own = new ConcurrentHashMap<>();
    private volatile Set<TableName> hidden = Set.of();
    private volatile Map<TableName, TableLayout> layouts = Map.of();

    /** Tables whose columns and rows are replaced together, until {@link #adopt}. */
    private volatile Set<TableName> kept = Set.of();

    OutputTables(String name, PipelineHost.Parts parts) {
        this.name = name;
        this.parts = parts;
    }

    /**
     * Makes tables as the plan has them; views with other columns are made again. A table that a
     * swap is to give its content gets its columns with that, see {@link #adopt}.
     */
    void prepare(PipelinePlan plan) {
        keep(plan, Rebuild.swapping(parts.folder()));
        var changed = changed(plan, false);
        if (!changed.isEmpty()) {
            remake(plan, changed);
            Rebuild.viewsAnew(parts.folder());
        }
        declare(plan);
    }

    /**
     * Leaves tables with other columns as they are.
     *
     * @param swapping whose rows and columns are about to be replaced in one commit
     */
    private void keep(PipelinePlan plan, Set<TableName> swapping) {
        kept =
                PipelineOutputs.of(plan).stream()
                        .filter(output -> swapping.contains(output.name()))
                        .filter(output -> isThere(plan, output))
                        .map(PipelineOutputs.Output::name)
                        .collect(Collectors.toUnmodifiableSet());
    }

    /** Whether an output's table needs no more than other columns. */
    private boolean isThere(PipelinePlan plan, PipelineOutputs.Output output) {
        var layout = layout(plan, output);
        return options(plan, output.name()).isPrivate()
                ? DeltaTable.exists(hiddenAt(output.name()))
                        && !moved(hiddenAt(output.name()), output, layout)
                : parts.tables().isThere(output.name(), output.kind())
                        && !parts.tables().moved(output.name(), layout);
    }

    /** The kept tables have their new columns: the catalog is told. */
    void adopt(PipelinePlan plan) {
        var names = kept;
        kept = Set.of();
        for (var output : PipelineOutputs.of(plan)) {
            if (names.contains(output.name()) && !options(plan, output.name()).isPrivate()) {
                parts.tables().adopt(output.name(), output.schema());
            }
        }
        if (!names.isEmpty()) {
            declare(plan);
        }
    }

    /** Makes the tables that producers write to, before the outputs. */
    void ensureIngested(PipelinePlan plan) {
        for (var dataset : plan.datasets()) {
            if (dataset instanceof Dataset.IngestedTable table) {
                parts.tables()
                        .ensure(
                                table.name(),
                                TableKind.INGESTED,
                                table.schema(),
                                table.comment(),
                                Map.of());
            }
        }
    }

    /** Enters the plan's tables in the catalog, and makes those that are not there. */
    private void declare(PipelinePlan plan) {
        parts.rights().check(plan);
        for (var dataset : plan.datasets()) {
            if (dataset instanceof Dataset.IngestedTable table) {
                ensure(
                        new PipelineOutputs.Output(
                                table.name(), TableKind.INGESTED, table.schema(), table.comment()),
                        Map.of());
            }
        }
        var unseen = new LinkedHashSet<TableName>();
        layouts =
                PipelineOutputs.of(plan).stream()
                        .collect(
                                Collectors.toMap(
                                        PipelineOutputs.Output::name, o -> layout(plan, o)));
        for (var output : PipelineOutputs.of(plan)) {
            var options = options(plan, output.name());
            if (options.isPrivate()) {
                unseen.add(output.name());
                if (kept.contains(output.name())) {
                    continue;
                }
                var table = open(hiddenAt(output.name()), output);
                if (table.snapshot().partitionedBy().isEmpty()) {
                    table.cluster(layout(plan, output).clusteredBy());
                }
                continue;
            }
            if (kept.contains(output.name())) {
                continue;
            }
            var properties = new HashMap<>(options.properties());
            properties.put(PIPELINE, name);
            properties.putAll(Tables.properties(layout(plan, output)));
            ensure(output, properties);
            parts.tables().cluster(output.name(), layout(plan, output));
        }
        hidden = unseen;
        for (var synced : plan.syncedTables()) {
            ensure(
                    new PipelineOutputs.Output(
                            synced.name(),
                            TableKind.SYNCED,
                            RunningPipeline.schema(plan, synced.source()),
                            ""),
                    Map.of(PIPELINE, name, SOURCE, synced.source().toString()));
        }
    }

    /**
     * The outputs whose table has other columns than the plan gives.
     *
     * @param grows whether tables that only get columns are left out, see {@link #widen}
     * @return names of streaming and quarantine tables, and of views
     */
    Set<TableName> changed(PipelinePlan plan, boolean grows) {
        var changed = new LinkedHashSet<TableName>();
        for (var output : PipelineOutputs.of(plan)) {
            var layout = layout(plan, output);
            var differs =
                    options(plan, output.name()).isPrivate()
                            ? differs(hiddenAt(output.name()), output)
                            : parts.tables().differs(output.name(), output.kind(), output.schema());
            var moved =
                    options(plan, output.name()).isPrivate()
                            ? moved(hiddenAt(output.name()), output, layout)
                            : parts.tables().moved(output.name(), layout);
            if (kept.contains(output.name())) {
                continue;
            }
            if (moved || (differs && !(grows && isWider(output)))) {
                changed.add(output.name());
            }
        }
        return changed;
    }

    private boolean differs(Path hiddenTable, PipelineOutputs.Output output) {
        return DeltaTable.exists(hiddenTable)
                && !Tables.sameColumns(open(hiddenTable, output).schema(), output.schema());
    }

    private boolean moved(Path hiddenTable, PipelineOutputs.Output output, TableLayout layout) {
        return DeltaTable.exists(hiddenTable)
                && !open(hiddenTable, output)
                        .snapshot()
                        .partitionedBy()
                        .equals(layout.partitionedBy());
    }

    private static TableLayout layout(PipelinePlan plan, PipelineOutputs.Output output) {
        if (output.kind() == TableKind.QUARANTINE) {
            return TableLayout.NONE;
        }
        var options = options(plan, output.name());
        return new TableLayout(options.partitionedBy(), options.clusteredBy());
    }

    /** Gives tables the columns that files brought; the rows that they have are NULL there. */
    void widen(PipelinePlan plan) {
        for (var output : PipelineOutputs.of(plan)) {
            if (!isWider(output)) {
                continue;
            }
            if (options(plan, output.name()).isPrivate()) {
                open(hiddenAt(output.name()), output).widen(output.schema());
            } else {
                parts.tables().widen(output.name(), output.schema());
            }
        }
    }

    /** Whether a table of rows that came once differs by new columns alone. */
    private boolean isWider(PipelineOutputs.Output output) {
        var hiddenTable = hiddenAt(output.name());
        if (output.kind() == TableKind.MATERIALIZED_VIEW) {
            return false;
        }
        if (DeltaTable.exists(hiddenTable)) {
            return isWider(open(hiddenTable, output).schema(), output.schema());
        }
        return parts.tables()
                .columns(output.name())
                .filter(present -> isWider(present, output.schema()))
                .isPresent();
    }

    private static boolean isWider(TableSchema present, TableSchema wanted) {
        return present.size() < wanted.size()
                && present.columns().stream().allMatch(column -> isSame(column, wanted))
                && wanted.columns().stream()
                        .allMatch(w -> w.nullable() || present.indexOf(w.name()).isPresent());
    }

    private static boolean isSame(Column column, TableSchema wanted) {
        return wanted.columns().stream()
                .anyMatch(
                        w ->
                                w.name().equals(column.name())
                                        && w.type().equals(column.type())
                                        && w.nullable() == column.nullable());
    }

    /** Empties tables and gives them the columns that the plan says. */
    private void remake(PipelinePlan plan, Set<TableName> tables) {
        for (var output : PipelineOutputs.of(plan)) {
            if (tables.contains(output.name())) {
                var at = hiddenAt(output.name());
                var opened = own.remove(at);
                if (opened != null) {
                    opened.close();
                }
                Tables.deleteFiles(at);
                parts.tables()
                        .remake(
                                output.name(),
                                output.kind(),
                                output.schema(),
                                layout(plan, output));
            }
        }
    }

    DeltaTable output(PipelineOutputs.Output output) {
        return hidden.contains(output.name())
                ? open(hiddenAt(output.name()), output)
                : parts.tables().delta(output.name());
    }

    /** The table that holds the new content of an output while it is computed. */
    DeltaTable staged(PipelineOutputs.Output output) {
        return open(Rebuild.staging(parts.folder()).resolve(output.name().toString()), output);
    }

    /** Closes what {@link #staged} opened. */
    void closeStaged() {
        var staging = Rebuild.staging(parts.folder());
        own.entrySet()
                .removeIf(
                        entry -> {
                            var isStaged = entry.getKey().startsWith(staging);
                            if (isStaged) {
                                entry.getValue().close();
                            }
                            return isStaged;
                        });
    }

    @Override
    public void close() {
        own.values().forEach(DeltaTable::close);
        own.clear();
    }

    /** Of a dataset, or of the one whose rows a quarantine table sets aside. */
    static TableOptions options(PipelinePlan plan, TableName table) {
        for (var dataset : plan.datasets()) {
            var isIts =
                    dataset.name().equals(table)
                            || table.toString().equals(dataset.name() + "_quarantine");
            if (isIts) {
                return switch (dataset) {
                    case Dataset.IngestedTable _, Dataset.FileTable _ -> TableOptions.NONE;
                    case Dataset.StreamingTable streaming -> streaming.options();
                    case Dataset.MaterializedView view -> view.options();
                };
            }
        }
        return TableOptions.NONE;
    }

    private Path hiddenAt(TableName table) {
        return parts.folder().resolve("private").resolve(table.toString());
    }

    private DeltaTable open(Path at, PipelineOutputs.Output output) {
        return own.computeIfAbsent(
                at,
                _ ->
                        DeltaTable.exists(at)
                                ? DeltaTable.open(
                                        at, Tables.OUTPUT, parts.allocator(), Clock.systemUTC())
                                : DeltaTable.create(
                                        at,
                                        output.schema(),
                                        Tables.OUTPUT.with(
                                                layouts.getOrDefault(
                                                        output.name(), TableLayout.NONE)),
                                        parts.allocator(),
                                        Clock.systemUTC()));
    }

    private void ensure(PipelineOutputs.Output output, Map<String, String> properties) {
        var made =
                parts.tables()
                        .ensure(
                                output.name(),
                                output.kind(),
                                output.schema(),
                                output.comment(),
                                properties);
        if (made) {
            parts.rights().own(output.name());
        }
    }
}
