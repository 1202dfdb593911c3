package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CatalogTable;
import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.CreateFlow;
import dev.lakemill.compiler.Statement.CreateSynced;
import dev.lakemill.compiler.Statement.CreateTable;
import dev.lakemill.compiler.Statement.CreateView;
import dev.lakemill.compiler.Statement.Flow;
import dev.lakemill.compiler.Statement.Word;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SyncedTable;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedSubqueryColumnAliases;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/**
 * Compiles the files of one pipeline: first what is declared, then what each query reads, then each
 * query behind those that it reads.
 *
 * <p>Errors are collected, so that one run tells all of them: a statement with an error is left
 * out, and so are, silently, the statements that read it. One use per pipeline; not thread-safe.
 */
final class PipelineCompiler {
    private final Catalyst catalyst;
    private final CompileRequest request;
    private final List<TextError> errors = new ArrayList<>();

    /** In the user's places already. */
    private final List<TextError> parameterErrors = new ArrayList<>();

    private final Parameters parameters;
    private final Map<Fragment, QueryText> queries = new HashMap<>();
    private final Map<String, Dataset> datasets = new LinkedHashMap<>();
    private final Map<String, View> views = new HashMap<>();
    private final Declarations declarations;
    private final FileTables files;
    private final CatalogTables others = new CatalogTables();
    private final List<Statement> statements = new ArrayList<>();

    private PipelineCompiler(Catalyst catalyst, CompileRequest request) {
        this.catalyst = catalyst;
        this.request = request;
        this.parameters = new Parameters(request.parameters(), parameterErrors);
        var parsed = new ArrayList<Statement>();
        for (var file : request.files()) {
            parsed.addAll(StatementParser.parse(parameters.in(file), errors));
        }
        statements.addAll(Flows.joined(parsed, errors));
        this.declarations = new Declarations(statements, request.tables(), errors);
        this.files = new FileTables(catalyst, declarations, request.found());
    }

    static Compilation compile(Catalyst catalyst, CompileRequest request) {
        return new PipelineCompiler(catalyst, request).compile();
    }

    private Compilation compile() {
        if (!parameterErrors.isEmpty()) {
            return new Compilation.Rejected(request.name(), parameterErrors);
        }
        declarations.statements().forEach(this::parse);
        if (errors.isEmpty() && !files.unknown().isEmpty()) {
            return new Compilation.FilesUnknown(request.name(), files.unknown());
        }
        others.read().forEach(t -> datasets.put(Declarations.key(t.name().toString()), t));
        files.known().forEach(t -> datasets.put(Declarations.key(t.name().toString()), t));
        var order =
                DependencyOrder.of(
                        declarations.statements(), this::reads, PipelineCompiler::name, errors);
        order.forEach(this::analyze);
        var synced = synced();
        if (errors.isEmpty()) {
            return new Compilation.Compiled(
                    new PipelinePlan(
                            request.name(),
                            List.copyOf(datasets.values()),
                            synced,
                            request.functions(),
                            request.textHash()));
        }
        return new Compilation.Rejected(request.name(), inOrderOfText());
    }

    /** A temporary view, to be put into the queries that read it. */
    private record View(QueryText query, List<Word> columns) {
        LogicalPlan plan(Function<UnresolvedRelation, LogicalPlan> relations) {
            var bound = query.again().bound(relations);
            return columns.isEmpty()
                    ? bound
                    : new UnresolvedSubqueryColumnAliases(
                            Scala.seq(columns.stream().map(Word::text).toList()), bound);
        }
    }

    /** Reads the queries of a statement and checks the names in them. */
    private void parse(Statement statement) {
        for (var fragment : queries(statement)) {
            attempt(
                            fragment.position(),
                            () -> new QueryText(catalyst, fragment).withFiles(files, statement))
                    .ifPresent(
                            query -> {
                                var found = query.check(declarations);
                                errors.addAll(found);
                                if (found.isEmpty()) {
                                    queries.put(fragment, query);
                                    others(query);
                                }
                            });
        }
        events(statement).ifPresent(this::checkEvents);
    }

    private void others(QueryText query) {
        for (var relation : query.relations()) {
            if (declarations.find(QueryText.name(relation)).orElse(null)
                    instanceof CatalogTable(var table, var _)) {
                attempt(
                        query.position(relation),
                        () -> {
                            others.add(table, relation, query.position(relation));
                            return table;
                        });
            }
        }
    }

    private static List<Fragment> queries(Statement statement) {
        return switch (statement) {
            case CreateDataset dataset ->
                    dataset.flows().stream()
                            .filter(Flow.Insert.class::isInstance)
                            .map(flow -> ((Flow.Insert) flow).query())
                            .toList();
            case CreateView view -> List.of(view.query());
            case CreateTable _, CreateFlow _, CreateSynced _, CatalogTable _ -> List.of();
        };
    }

    /** The flow of events that writes a table; empty for a table that queries write. */
    private static Optional<Flow.AutoCdc> events(Statement statement) {
        return statement instanceof CreateDataset dataset
                        && !dataset.flows().isEmpty()
                        && dataset.flows().getFirst() instanceof Flow.AutoCdc changes
                ? Optional.of(changes)
                : Optional.empty();
    }

    private void checkEvents(Flow.AutoCdc flow) {
        var found = declarations.find(flow.source().toString());
        if (found.isEmpty()) {
            errors.add(declarations.unknown(flow.source().toString(), flow.sourcePosition()));
        } else if (!(found.get() instanceof CreateTable)
                && !(found.get() instanceof CreateDataset dataset
                        && dataset.streaming()
                        && events(dataset).isEmpty())) {
            errors.add(
                    new TextError(
                            flow.sourcePosition(),
                            "%s has rows that change; events only come".formatted(flow.source()),
                            "read a table of ingested rows or a streaming table"));
        }
    }

    private List<Statement> reads(Statement statement) {
        var reads = new ArrayList<Statement>();
        for (var fragment : queries(statement)) {
            var query = queries.get(fragment);
            if (query != null) {
                query.reads().forEach(r -> declared(r).ifPresent(reads::add));
            }
        }
        events(statement)
                .flatMap(flow -> declarations.find(flow.source().toString()))
                .ifPresent(reads::add);
        return reads;
    }

    /** What the text itself declares by a name. */
    private Optional<Statement> declared(String name) {
        return declarations.find(name).filter(found -> !(found instanceof CatalogTable));
    }

    private void analyze(Statement statement) {
        switch (statement) {
            case CreateTable table ->
                    attempt(
                                    table.position(),
                                    () -> new DatasetCompiler(catalyst, errors).table(table))
                            .ifPresent(d -> datasets.put(Declarations.key(name(table)), d));
            case CreateView view -> view(view);
            case CreateDataset dataset ->
                    attempt(dataset.position(), () -> dataset(dataset))
                            .flatMap(d -> d)
                            .ifPresent(d -> datasets.put(Declarations.key(name(dataset)), d));
            case CreateFlow _, CreateSynced _, CatalogTable _ -> {}
        }
    }

    private Optional<Dataset> dataset(CreateDataset dataset) {
        var flows = new ArrayList<DatasetCompiler.BoundFlow>();
        for (var flow : dataset.flows()) {
            var bound =
                    switch (flow) {
                        case Flow.Insert insert -> bound(insert.query());
                        case Flow.AutoCdc changes -> bound(changes);
                    };
            if (bound.isEmpty()) {
                return Optional.empty();
            }
            flows.add(bound.get().of(flow));
        }
        return flows.isEmpty()
                ? Optional.empty()
                : new DatasetCompiler(catalyst, errors).dataset(dataset, flows);
    }

    /** A view is analysed by itself, so that its errors are told once and where they are. */
    private void view(CreateView view) {
        var query = queries.get(view.query());
        if (query == null || !query.reads().stream().allMatch(this::isCompiled)) {
            return;
        }
        var text = new View(query, view.columns());
        attempt(
                        view.query().position(),
                        () ->
                                new DatasetCompiler(catalyst, errors)
                                        .view(view, text.plan(this::relation)))
                .filter(isRight -> isRight)
                .ifPresent(_ -> views.put(Declarations.key(view.name()), text));
    }

    /** A query with what it reads put in. */
    private record Bound(Fragment text, LogicalPlan plan) {
        DatasetCompiler.BoundFlow of(Flow flow) {
            return new DatasetCompiler.BoundFlow(flow, text, plan);
        }
    }

    /** Empty if anything that it reads has errors. */
    private Optional<Bound> bound(Fragment text) {
        var query = queries.get(text);
        if (query == null || !query.reads().stream().allMatch(this::isCompiled)) {
            return Optional.empty();
        }
        return Optional.of(new Bound(text, query.bound(this::relation)));
    }

    private Optional<Bound> bound(Flow.AutoCdc flow) {
        var source = datasets.get(Declarations.key(flow.source().toString()));
        if (source == null) {
            return Optional.empty();
        }
        var conditions = new ExpectationCompiler(catalyst, errors);
        flow.rules().deleteWhen().ifPresent(c -> conditions.check(c, source.schema()));
        flow.rules().truncateWhen().ifPresent(c -> conditions.check(c, source.schema()));
        var text = ChangeQuery.of(flow, source);
        return Optional.of(new Bound(text, new QueryText(catalyst, text).bound(this::relation)));
    }

    private boolean isCompiled(String key) {
        return datasets.containsKey(key) || views.containsKey(key);
    }

    private LogicalPlan relation(UnresolvedRelation relation) {
        var key = Declarations.key(QueryText.name(relation));
        var view = views.get(key);
        if (view != null) {
            return QueryText.aliased(QueryText.name(relation), view.plan(this::relation));
        }
        var dataset = datasets.get(key);
        if (dataset == null) {
            throw new IllegalStateException("only compiled inputs are bound, not " + key);
        }
        return SourceTables.relation(dataset.name(), dataset.schema(), relation.isStreaming());
    }

    private List<SyncedTable> synced() {
        var found = new ArrayList<SyncedTable>();
        for (var statement : statements) {
            if (statement instanceof CreateSynced synced) {
                SyncedTables.check(synced, declarations, datasets, errors).ifPresent(found::add);
            }
        }
        return found;
    }

    private <T> Optional<T> attempt(SourcePosition position, Supplier<T> work) {
        try {
            return Optional.of(Guard.guarded(position, work));
        } catch (TextRefused e) {
            errors.add(e.error());
            return Optional.empty();
        }
    }

    private List<TextError> inOrderOfText() {
        var files = request.files().stream().map(SourceText::path).toList();
        return errors.stream()
                .map(e -> new TextError(parameters.original(e.position()), e.message(), e.hint()))
                .distinct()
                .sorted(
                        Comparator.comparingInt((TextError e) -> files.indexOf(e.position().file()))
                                .thenComparingInt(e -> e.position().line())
                                .thenComparingInt(e -> e.position().column()))
                .toList();
    }

    private static String name(Statement statement) {
        return switch (statement) {
            case CreateTable table -> table.name().toString();
            case CreateDataset dataset -> dataset.name().toString();
            case CreateView view -> view.name();
            case CreateFlow flow -> flow.flow().name();
            case CreateSynced synced -> synced.name().toString();
            case CatalogTable other -> other.table().name().toString();
        };
    }
}
