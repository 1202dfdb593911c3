package dev.lakemill.pipeline;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.JavaFunction;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A plan as the engine runs it: the steps in an order in which each stands behind all it reads, and
 * what of each table must be at hand.
 */
final class Program {
    /** A table that only grows: a source, a streaming table or a quarantine table. */
    record Appended(TableName name, TableSchema schema) {}

    /**
     * A query's readings of a table.
     *
     * @param reader the dataset
     * @param conditions what a row must meet, for each reading; empty for all rows
     */
    record Reading(TableName reader, List<List<Retention.Condition>> conditions) {}

    private final String name;
    private final String planHash;
    private final List<Step> steps;
    private final List<JavaFunction> functions;
    private final List<PipelineOutputs.Output> outputs;
    private final Map<TableName, Set<String>> columnsRead = new HashMap<>();

    /** By tables that queries read as a whole; none where one of them reads all rows. */
    private final Map<TableName, List<Reading>> readings = new HashMap<>();

    private final Set<TableName> streamed = new HashSet<>();

    /** Of steps that call no function of a jar. */
    Program(String name, String planHash, List<Step> steps) {
        this(name, planHash, steps, List.of());
    }

    private Program(String name, String planHash, List<Step> steps, List<JavaFunction> functions) {
        this.name = name;
        this.planHash = planHash;
        this.steps = List.copyOf(steps);
        this.functions = List.copyOf(functions);
        this.outputs = PipelineOutputs.of(this.steps);
        for (var step : this.steps) {
            switch (step) {
                case Step.Source _ -> {}
                case Step.Stream stream -> add(stream);
                case Step.View view -> add(view);
            }
        }
    }

    /**
     * @throws LakemillException UNIMPLEMENTED, with the place in the pipeline's text, for what the
     *     engine cannot run
     */
    static Program of(PipelinePlan plan) {
        var program = new Program(plan.name(), plan.textHash(), stepsOf(plan), plan.functions());
        program.print();
        return program;
    }

    static List<Step> stepsOf(PipelinePlan plan) {
        return plan.datasets().stream().map(Program::step).toList();
    }

    String name() {
        return name;
    }

    /** Equal hash, equal plan. */
    String planHash() {
        return planHash;
    }

    List<Step> steps() {
        return steps;
    }

    List<PipelineOutputs.Output> outputs() {
        return outputs;
    }

    List<Step.Source> sources() {
        return only(Step.Source.class);
    }

    List<Step.Stream> streams() {
        return only(Step.Stream.class);
    }

    List<Step.View> views() {
        return only(Step.View.class);
    }

    /** Sources, streaming tables and quarantine tables. */
    List<Appended> appended() {
        var appended = new ArrayList<Appended>();
        for (var source : sources()) {
            appended.add(new Appended(source.name(), source.schema()));
        }
        for (var output : outputs) {
            if (output.kind() != TableKind.MATERIALIZED_VIEW) {
                appended.add(new Appended(output.name(), output.schema()));
            }
        }
        return appended;
    }

    /** The flows that run a single time. */
    List<String> once() {
        return streams().stream().flatMap(s -> s.once().stream()).map(Step.Once::flow).toList();
    }

    /** What the queries may call. */
    List<JavaFunction> functions() {
        return functions;
    }

    /** What the queries score with. */
    Set<ModelUse> models() {
        var found = new LinkedHashSet<ModelUse>();
        streams().forEach(stream -> found.addAll(stream.query().models()));
        views().forEach(view -> found.addAll(view.query().models()));
        return found;
    }

    /** Whether a view asks models' endpoints. */
    boolean asks() {
        return views().stream().anyMatch(view -> view.query().asks());
    }

    /** Whether time alone changes a view. */
    boolean usesNow() {
        return views().stream().anyMatch(view -> view.query().usesNow());
    }

    /** Whether a query reads the table's new rows. */
    boolean isStreamed(TableName table) {
        return streamed.contains(table);
    }

    /**
     * The columns of an appended table that queries read over all its rows, in the table's order;
     * empty when nothing reads it so.
     */
    List<String> columnsKept(Appended table) {
        var read = columnsRead.get(table.name());
        if (read == null) {
            return List.of();
        }
        var all = table.schema().columns().stream().map(column -> column.name()).toList();
        var kept = new ArrayList<>(all);
        kept.removeIf(column -> read.stream().noneMatch(column::equalsIgnoreCase));
        // count(*) alone reads no column, but the rows must be there to be counted.
        return kept.isEmpty() ? all.subList(0, 1) : kept;
    }

    /** The columns of a streaming table's UNIQUE rules, in the table's order. */
    static List<String> keyColumns(Step.Stream stream) {
        var keys = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        for (var rule : stream.rules()) {
            if (rule.test() instanceof Rule.Test.Unique(List<String> columns)) {
                keys.addAll(columns);
            }
        }
        return stream.schema().columns().stream().map(Column::name).filter(keys::contains).toList();
    }

    /** The queries that read a table as a whole; empty when one of them reads all its rows. */
    List<Reading> limitedReadings(TableName table) {
        var all = readings.getOrDefault(table, List.of());
        return all.stream().anyMatch(reading -> reading.conditions().isEmpty()) ? List.of() : all;
    }

    private static Step step(Dataset dataset) {
        return switch (dataset) {
            case Dataset.IngestedTable table ->
                    new Step.Source(table.name(), table.schema(), table.comment());
            case Dataset.FileTable table ->
                    new Step.Source(table.name(), table.schema(), table.comment());
            case Dataset.StreamingTable table ->
                    new Step.Stream(
                            table.name(),
                            table.schema(),
                            table.comment(),
                            new PlannedQuery(
                                    StreamOrder.carriedThrough(table.query(), table.name()), false),
                            table.expectations().stream().map(Program::rule).toList(),
                            table.once().stream().map(Program::once).toList());
            case Dataset.MaterializedView view ->
                    new Step.View(
                            view.name(),
                            view.schema(),
                            view.comment(),
                            new PlannedQuery(
                                    AnsweredRows.settled(WindowOrder.settled(view.query())),
                                    usesNow(view.expectations())),
                            view.expectations().stream().map(Program::rule).toList(),
                            view.options().refreshPolicy(),
                            view.options().triggerInterval());
        };
    }

    private static Step.Once once(Dataset.OnceFlow flow) {
        return new Step.Once(flow.name(), new PlannedQuery(flow.query(), false));
    }

    private static Rule rule(Expectation expectation) {
        var test =
                switch (expectation) {
                    case Expectation.Condition condition ->
                            new Rule.Test.Condition(now -> condition(condition, now));
                    case Expectation.Unique unique -> new Rule.Test.Unique(unique.columns());
                };
        return new Rule(
                expectation.name(),
                expectation.onViolation(),
                "%s EXPECT (%s) at %s"
                        .formatted(expectation.name(), expectation.text(), expectation.position()),
                test);
    }

    private static boolean usesNow(List<Expectation> expectations) {
        return expectations.stream()
                .anyMatch(
                        expectation ->
                                expectation instanceof Expectation.Condition condition
                                        && Relations.usesNow(condition.condition()));
    }

    private static String condition(Expectation.Condition expectation, String now) {
        return new DuckPrinter(Relation.Scan::toString, now).condition(expectation.condition());
    }

    /** Prints everything once, so that what cannot be printed is refused before the start. */
    private void print() {
        for (var stream : streams()) {
            print(stream.query(), stream.rules());
            stream.once().forEach(flow -> print(flow.query(), List.of()));
        }
        views().forEach(view -> print(view.query(), view.rules()));
    }

    private static void print(Query query, List<Rule> rules) {
        var now = Engine.literal(Instant.EPOCH);
        var _ = query.sql(Engine.ANY_TABLES, now);
        for (var rule : rules) {
            if (rule.test() instanceof Rule.Test.Condition condition) {
                var _ = condition.sql().apply(now);
            }
        }
    }

    private void add(Step.Stream stream) {
        streamed.addAll(stream.query().streamed());
        addRead(stream.name(), stream.query());
        stream.once().forEach(flow -> addRead(stream.name(), flow.query()));
    }

    private void add(Step.View view) {
        if (!view.query().streamed().isEmpty()) {
            throw refused(view, "reads a STREAM", "declare it as a streaming table");
        }
        for (var rule : view.rules()) {
            if (rule.test() instanceof Rule.Test.Unique
                    || rule.onViolation() == OnViolation.QUARANTINE) {
                throw refused(
                        view,
                        "has the expectation " + rule.text(),
                        "UNIQUE and QUARANTINE stand on streaming tables; a view can warn, drop"
                                + " the row or fail the update");
            }
        }
        addRead(view.name(), view.query());
    }

    private void addRead(TableName reader, Query query) {
        var retained = query.retained();
        query.columnsRead()
                .forEach(
                        (table, columns) -> {
                            columnsRead
                                    .computeIfAbsent(table, _ -> new LinkedHashSet<>())
                                    .addAll(columns);
                            readings.computeIfAbsent(table, _ -> new ArrayList<>())
                                    .add(
                                            new Reading(
                                                    reader,
                                                    retained.getOrDefault(table, List.of())));
                        });
    }

    private static LakemillException refused(Step.View view, String what, String hint) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "the materialized view %s %s".formatted(view.name(), what),
                hint);
    }

    private <T extends Step> List<T> only(Class<T> kind) {
        return steps.stream().filter(kind::isInstance).map(kind::cast).toList();
    }
}
