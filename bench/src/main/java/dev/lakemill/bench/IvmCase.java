package dev.lakemill.bench;

import dev.lakemill.feed.Changes;
import dev.lakemill.pipeline.MaintenanceChoice;
import dev.lakemill.pipeline.MaintenanceKind;
import dev.lakemill.pipeline.PipelineConfig;
import dev.lakemill.pipeline.PipelineTrial;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relation;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * One seeded case: a random schema, views over tables and views, batches with late and future rows
 * and a clock that goes on, batches that must not stand, and crashes.
 *
 * <p>After every batch each view must equal its query run anew, and what its readers made of its
 * changes must equal the view. After a crash, a new engine gets the state of an older batch and
 * repeats the batches since. At the end another engine, which only recomputes and cuts the same
 * rows into other batches, must have the same views.
 */
final class IvmCase implements AutoCloseable {
    private static final int BATCHES_MAX = 7;
    private static final int ROWS_MAX = 14;
    private static final int VIEW_ROWS_MAX = 100_000;
    private static final long MEMORY_BYTES = 256L << 20;

    private final Random random;
    private final BufferAllocator allocator;
    private final Path folder;
    private final List<Map.Entry<TableName, TableSchema>> sources = new ArrayList<>();
    private final List<Dataset.MaterializedView> views = new ArrayList<>();
    private final PipelinePlan plan;

    /** All rows that came, in order, by batch. */
    private final List<Batch> batches = new ArrayList<>();

    /** What a reader of the changes has. */
    private final Map<TableName, List<String>> replica = new TreeMap<>();

    private PipelineTrial trial;
    private Checkpoint checkpoint = new Checkpoint(0, Map.of());

    private record Batch(Instant now, Map<TableName, List<List<@Nullable String>>> rows) {}

    /** The views after so many batches. */
    private record Checkpoint(int batches, Map<TableName, Rows> views) {}

    /** A view that is not its query. */
    static final class Difference extends Exception {
        private static final long serialVersionUID = 1L;

        Difference(String message) {
            super(message);
        }
    }

    /** Joins of joins of what joins made, which no memory holds. */
    static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooLarge(@Nullable Throwable cause) {
            super("more rows than memory holds", cause);
        }
    }

    IvmCase(long seed, BufferAllocator allocator, Path folder) {
        this.random = new Random(seed);
        this.allocator = allocator;
        this.folder = folder;
        this.plan = plan();
        this.trial = trial(MaintenanceChoice.INCREMENTAL);
    }

    /**
     * Runs the case.
     *
     * @return how many views are kept in each way
     */
    Map<MaintenanceKind, Integer> run() throws Difference {
        try {
            return runAll();
        } catch (LakemillException e) {
            throw isTooLarge(e) ? new TooLarge(e) : e;
        }
    }

    private Map<MaintenanceKind, Integer> runAll() throws Difference {
        var count = 2 + random.nextInt(BATCHES_MAX - 1);
        var now = now(0);
        for (int i = 0; i < count; i++) {
            now = now.plus(random.nextInt(4_000_000), ChronoUnit.MICROS);
            var batch = new Batch(now, rows());
            run(batch);
            check("batch " + batches.size());
            if (random.nextInt(5) == 0) {
                keep();
            }
            if (random.nextInt(4) == 0) {
                crash();
                check("the repetition of batch " + batches.size());
            }
        }
        otherCuts();
        var kinds = new EnumMap<MaintenanceKind, Integer>(MaintenanceKind.class);
        trial.views()
                .values()
                .forEach(view -> view.kinds().forEach(k -> kinds.merge(k, 1, Integer::sum)));
        return kinds;
    }

    private static Instant now(long micros) {
        return Instant.EPOCH.plus(RandomRows.EPOCH_MICROS + micros, ChronoUnit.MICROS);
    }

    private Map<TableName, List<List<@Nullable String>>> rows() {
        var rows = new LinkedHashMap<TableName, List<List<@Nullable String>>>();
        for (var source : sources) {
            var fresh = new ArrayList<List<@Nullable String>>();
            for (int i = random.nextInt(3) == 0 ? 0 : random.nextInt(ROWS_MAX); i > 0; i--) {
                fresh.add(RandomRows.row(random, source.getValue()));
            }
            rows.put(source.getKey(), fresh);
        }
        return rows;
    }

    /** A batch that must not stand leaves no trace, and comes again without its rows. */
    private void run(Batch batch) throws Difference {
        Map<TableName, Changes> changes;
        try {
            changes = run(trial, batch);
            batches.add(batch);
        } catch (LakemillException e) {
            if (isTooLarge(e)) {
                throw new TooLarge(e);
            }
            if (!e.problem().contains("out of range")
                    && !e.problem().contains("Overflow")
                    && !e.problem().contains("Out of Range")) {
                throw new Difference("a batch was refused: " + e.getMessage());
            }
            return;
        }
        for (var changed : changes.entrySet()) {
            try (var change = changed.getValue()) {
                refuseTooLarge(change.inserted());
                var rows = replica.computeIfAbsent(changed.getKey(), _ -> new ArrayList<>());
                for (var gone : RandomRows.texts(change.deleted())) {
                    if (!rows.remove(gone)) {
                        throw new Difference(
                                "%s lost %s, which it did not have"
                                        .formatted(changed.getKey(), gone));
                    }
                }
                rows.addAll(RandomRows.texts(change.inserted()));
            }
        }
    }

    private static void refuseTooLarge(Rows rows) {
        if (rows.count() > VIEW_ROWS_MAX) {
            throw new TooLarge(null);
        }
    }

    private static boolean isTooLarge(LakemillException e) {
        return e.problem().contains("Out of Memory");
    }

    private Map<TableName, Changes> run(PipelineTrial in, Batch batch) {
        var rows = new LinkedHashMap<TableName, Rows>();
        try {
            for (var source : sources) {
                rows.put(
                        source.getKey(),
                        RandomRows.rows(
                                allocator,
                                source.getValue(),
                                batch.rows().getOrDefault(source.getKey(), List.of())));
            }
            return in.run(batch.now(), rows);
        } finally {
            rows.values().forEach(Rows::close);
        }
    }

    private void check(String when) throws Difference {
        for (var audit : trial.audit()) {
            if (!audit.equal()) {
                throw new Difference(
                        "%s after %s: %s %s"
                                .formatted(
                                        audit.view(),
                                        when,
                                        audit,
                                        trial.views().get(audit.view())));
            }
        }
        var content = contents(trial);
        for (var view : views) {
            var told = new ArrayList<>(replica.getOrDefault(view.name(), List.of()));
            told.sort(null);
            if (!told.equals(content.get(view.name()))) {
                throw new Difference(
                        "%s after %s: its readers have %s, and it is %s"
                                .formatted(view.name(), when, told, content.get(view.name())));
            }
        }
    }

    private Map<TableName, List<String>> contents(PipelineTrial of) {
        var contents = new TreeMap<TableName, List<String>>();
        for (var view : views) {
            try (var rows = of.content(view.name())) {
                refuseTooLarge(rows);
                contents.put(view.name(), RandomRows.texts(rows).stream().sorted().toList());
            }
        }
        return contents;
    }

    /** The state that a later crash leaves. */
    private void keep() {
        var kept = new LinkedHashMap<TableName, Rows>();
        views.forEach(view -> kept.put(view.name(), trial.content(view.name())));
        checkpoint.views().values().forEach(Rows::close);
        checkpoint = new Checkpoint(batches.size(), kept);
    }

    private void crash() {
        trial.close();
        trial = trial(MaintenanceChoice.INCREMENTAL);
        if (checkpoint.batches() > 0) {
            var content = new LinkedHashMap<TableName, Rows>(checkpoint.views());
            for (var source : sources) {
                content.put(source.getKey(), until(source, checkpoint.batches()));
            }
            trial.resume(content, batches.get(checkpoint.batches() - 1).now());
            sources.forEach(
                    source -> {
                        var rows = content.get(source.getKey());
                        if (rows != null) {
                            rows.close();
                        }
                    });
        }
        for (var batch : batches.subList(checkpoint.batches(), batches.size())) {
            run(trial, batch).values().forEach(Changes::close);
        }
    }

    private Rows until(Map.Entry<TableName, TableSchema> source, int count) {
        var rows = new ArrayList<List<@Nullable String>>();
        batches.subList(0, count)
                .forEach(b -> rows.addAll(b.rows().getOrDefault(source.getKey(), List.of())));
        return RandomRows.rows(allocator, source.getValue(), rows);
    }

    private void otherCuts() throws Difference {
        if (batches.isEmpty()) {
            return;
        }
        var last = batches.getLast().now();
        try (var other = trial(MaintenanceChoice.RECOMPUTE)) {
            for (var part : recut()) {
                run(other, new Batch(last, part)).values().forEach(Changes::close);
            }
            if (!contents(other).equals(contents(trial))) {
                throw new Difference(
                        "with other batches the views are %s instead of %s"
                                .formatted(contents(other), contents(trial)));
            }
        } catch (LakemillException e) {
            if (isTooLarge(e)) {
                throw new TooLarge(e);
            }
            throw new Difference("with other batches: " + e.getMessage());
        }
    }

    /** All rows, in few batches whose bounds are different for each source. */
    private List<Map<TableName, List<List<@Nullable String>>>> recut() {
        var parts = new ArrayList<Map<TableName, List<List<@Nullable String>>>>();
        for (var source : sources) {
            var all = new ArrayList<List<@Nullable String>>();
            batches.forEach(b -> all.addAll(b.rows().getOrDefault(source.getKey(), List.of())));
            var cut = random.nextInt(all.size() + 1);
            parts.add(Map.of(source.getKey(), all.subList(0, cut)));
            parts.add(Map.of(source.getKey(), all.subList(cut, all.size())));
        }
        return parts;
    }

    private PipelineTrial trial(MaintenanceChoice choice) {
        var usual = PipelineConfig.DEFAULT;
        var trial =
                new PipelineTrial(
                        plan,
                        new PipelineConfig(
                                usual.batches(),
                                usual.rounds(),
                                new PipelineConfig.Duck(MEMORY_BYTES, MEMORY_BYTES, 1),
                                new PipelineConfig.Views(choice, usual.views().auditInterval())),
                        folder,
                        allocator);
        trial.tidyEvery(1);
        return trial;
    }

    private PipelinePlan plan() {
        var datasets = new ArrayList<Dataset>();
        var known = new ArrayList<Map.Entry<TableName, TableSchema>>();
        for (int i = 0; i < 2 + random.nextInt(2); i++) {
            var table = Map.entry(TableName.parse("c.b.t" + i), schema());
            sources.add(table);
            known.add(table);
            datasets.add(
                    new Dataset.IngestedTable(
                            table.getKey(), table.getValue(), "", RandomQuery.PLACE));
        }
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            var query = new RandomQuery(random, List.copyOf(known)).make();
            var view =
                    new Dataset.MaterializedView(
                            TableName.parse("c.g.v" + i),
                            schema(query),
                            "",
                            List.of(),
                            query,
                            RandomQuery.PLACE);
            views.add(view);
            known.add(Map.entry(view.name(), view.schema()));
            datasets.add(view);
        }
        return new PipelinePlan("case", datasets, List.of(), "hash");
    }

    private TableSchema schema() {
        List<DataType> types =
                List.of(
                        Primitive.LONG,
                        Primitive.STRING,
                        Primitive.INTEGER,
                        Primitive.TIMESTAMP,
                        Primitive.DOUBLE,
                        new Decimal(10, 2),
                        Primitive.BOOLEAN);
        var columns = new ArrayList<Column>();
        columns.add(Column.nullable("c0", Primitive.LONG));
        columns.add(Column.nullable("c1", Primitive.STRING));
        columns.add(Column.nullable("c2", Primitive.TIMESTAMP));
        for (int i = random.nextInt(4); i > 0; i--) {
            columns.add(
                    Column.nullable("c" + columns.size(), types.get(random.nextInt(types.size()))));
        }
        return new TableSchema(columns);
    }

    private static TableSchema schema(Relation query) {
        return new TableSchema(
                query.output().stream().map(a -> Column.nullable(a.name(), a.type())).toList());
    }

    @Override
    public void close() {
        trial.close();
        checkpoint.views().values().forEach(Rows::close);
    }
}
