package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.CreateSynced;
import dev.lakemill.compiler.Statement.CreateTable;
import dev.lakemill.compiler.Statement.CreateView;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.PipelinePlan;
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
import java.util.function.Supplier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
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
    private final Map<Statement, QueryText> queries = new HashMap<>();
    private final Map<String, Dataset> datasets = new LinkedHashMap<>();
    private final Map<String, QueryText> views = new HashMap<>();
    private final Declarations declarations;
    private final List<Statement> statements = new ArrayList<>();

    private PipelineCompiler(Catalyst catalyst, CompileRequest request) {
        this.catalyst = catalyst;
        this.request = request;
        request.files().forEach(file -> statements.addAll(StatementParser.parse(file, errors)));
        this.declarations = new Declarations(statements, errors);
    }

    static Compilation compile(Catalyst catalyst, CompileRequest request) {
        return new PipelineCompiler(catalyst, request).compile();
    }

    private Compilation compile() {
        declarations.statements().forEach(this::parse);
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
                            request.textHash()));
        }
        return new Compilation.Rejected(request.name(), inOrderOfText());
    }

    /** Reads the query of a statement and checks the names in it. */
    private void parse(Statement statement) {
        query(statement)
                .flatMap(fragment -> attempt(() -> new QueryText(catalyst, fragment)))
                .ifPresent(
                        query -> {
                            var found = query.check(declarations);
                            errors.addAll(found);
                            if (found.isEmpty()) {
                                queries.put(statement, query);
                            }
                        });
    }

    private static Optional<Fragment> query(Statement statement) {
        return switch (statement) {
            case CreateDataset dataset -> Optional.of(dataset.query());
            case CreateView view -> Optional.of(view.query());
            case CreateTable _, CreateSynced _ -> Optional.empty();
        };
    }

    private List<Statement> reads(Statement statement) {
        var query = queries.get(statement);
        return query == null
                ? List.of()
                : query.reads().stream().flatMap(r -> declarations.find(r).stream()).toList();
    }

    private void analyze(Statement statement) {
        switch (statement) {
            case CreateTable table ->
                    attempt(() -> new DatasetCompiler(catalyst, errors).table(table))
                            .ifPresent(d -> datasets.put(Declarations.key(name(table)), d));
            case CreateView view -> view(view);
            case CreateDataset dataset ->
                    bound(dataset)
                            .flatMap(
                                    plan ->
                                            attempt(
                                                    () ->
                                                            new DatasetCompiler(catalyst, errors)
                                                                    .dataset(dataset, plan)))
                            .flatMap(d -> d)
                            .ifPresent(d -> datasets.put(Declarations.key(name(dataset)), d));
            case CreateSynced _ -> {}
        }
    }

    /** A view is analysed by itself, so that its errors are told once and where they are. */
    private void view(CreateView view) {
        bound(view)
                .flatMap(
                        plan ->
                                attempt(
                                        () ->
                                                new DatasetCompiler(catalyst, errors)
                                                        .view(view, plan)))
                .filter(isRight -> isRight)
                .flatMap(_ -> Optional.ofNullable(queries.get(view)))
                .ifPresent(query -> views.put(Declarations.key(view.name()), query));
    }

    /** The query with what it reads put in; empty if any of that has errors. */
    private Optional<LogicalPlan> bound(Statement statement) {
        var query = queries.get(statement);
        if (query == null || !query.reads().stream().allMatch(this::isCompiled)) {
            return Optional.empty();
        }
        return Optional.of(query.bound(this::relation));
    }

    private boolean isCompiled(String key) {
        return datasets.containsKey(key) || views.containsKey(key);
    }

    private LogicalPlan relation(UnresolvedRelation relation) {
        var key = Declarations.key(QueryText.name(relation));
        var view = views.get(key);
        if (view != null) {
            return QueryText.aliased(QueryText.name(relation), view.again().bound(this::relation));
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

    private <T> Optional<T> attempt(Supplier<T> work) {
        try {
            return Optional.of(work.get());
        } catch (TextRefused e) {
            errors.add(e.error());
            return Optional.empty();
        }
    }

    private List<TextError> inOrderOfText() {
        var files = request.files().stream().map(SourceText::path).toList();
        return errors.stream()
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
            case CreateSynced synced -> synced.name().toString();
        };
    }
}
