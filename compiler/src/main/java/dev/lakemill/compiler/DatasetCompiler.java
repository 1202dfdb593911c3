package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.ColumnText;
import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.CreateTable;
import dev.lakemill.compiler.Statement.CreateView;
import dev.lakemill.compiler.Statement.Flow;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TableOptions;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.analysis.UnresolvedStar;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.types.NullType;

/** Compiles one table, view or dataset whose inputs are compiled. */
final class DatasetCompiler {
    /** What Delta's column names may not hold. */
    private static final Pattern ILLEGAL = Pattern.compile("[ ,;{}()\\n\\t=]");

    private final Catalyst catalyst;
    private final List<TextError> errors;

    /**
     * @param errors takes what is found beside what is thrown
     */
    DatasetCompiler(Catalyst catalyst, List<TextError> errors) {
        this.catalyst = catalyst;
        this.errors = errors;
    }

    Dataset table(CreateTable table) {
        for (var column : table.columns()) {
            if (column.generated().isPresent()) {
                throw new TextRefused(
                        column.position(),
                        "an ingested table holds what its producers send; '%s' is generated"
                                .formatted(column.name()),
                        "generate it in a streaming table");
            }
        }
        return new Dataset.IngestedTable(
                table.name(), declared(table.columns()), table.comment(), table.position());
    }

    /** Whether the view's query is right; nothing else is kept of it. */
    boolean view(CreateView view, LogicalPlan bound) {
        return query(new Scope(catalyst, view.query().position()), view.query(), bound).isPresent();
    }

    /** A flow with what it reads put in. */
    record BoundFlow(Flow flow, Fragment text, LogicalPlan plan) {
        boolean isOnce() {
            return flow instanceof Flow.Insert insert && insert.once();
        }
    }

    /** A flow's query in the plan's terms. */
    private record Lowered(BoundFlow flow, Relation query) {}

    /** Whether rows only come into it. */
    static boolean appends(CreateDataset dataset) {
        return dataset.streaming()
                && dataset.flows().stream().noneMatch(Flow.AutoCdc.class::isInstance);
    }

    /** Empty if errors were found. */
    Optional<Dataset> dataset(CreateDataset dataset, List<BoundFlow> flows) {
        var scope = new Scope(catalyst, flows.getFirst().text().position());
        var before = errors.size();
        var lowered = new ArrayList<Lowered>();
        for (var flow : flows) {
            query(scope, flow.text(), withGenerated(flow.plan(), dataset.columns()))
                    .ifPresent(query -> lowered.add(new Lowered(flow, query)));
        }
        if (lowered.size() < flows.size() || flows.stream().allMatch(BoundFlow::isOnce)) {
            return Optional.empty();
        }
        lowered.forEach(flow -> checkStreams(dataset, flow));
        var columns = new FlowColumns(scope, lowered.size());
        var schema =
                dataset.columns().isEmpty()
                        ? schema(lowered, columns)
                        : declared(dataset.columns());
        var fitted = new ArrayList<Lowered>();
        for (var flow : lowered) {
            fitted.add(new Lowered(flow.flow(), fitted(flow, schema, dataset.columns(), columns)));
        }
        var rules = new ExpectationCompiler(catalyst, errors).compile(dataset, schema);
        return errors.size() == before
                ? Optional.of(dataset(dataset, schema, rules, fitted, scope))
                : Optional.empty();
    }

    private void checkStreams(CreateDataset dataset, Lowered flow) {
        var position = flow.flow().text().position();
        errors.addAll(
                dataset.streaming()
                        ? Questions.refused(flow.query())
                        : Questions.misplaced(flow.query()));
        if (!appends(dataset)) {
            errors.addAll(StreamingRules.ofView(flow.query()));
        } else if (flow.flow().isOnce()) {
            errors.addAll(StreamingRules.ofOnce(flow.query()));
        } else {
            errors.addAll(StreamingRules.ofStreamingTable(flow.query(), position));
        }
    }

    private static TableSchema schema(List<Lowered> flows, FlowColumns columns) {
        for (var flow : flows) {
            legal(flow.query(), flow.flow().text().position());
        }
        return flows.size() == 1
                ? schema(flows.getFirst().query(), flows.getFirst().flow().text().position())
                : checked(
                        columns.merged(
                                flows.stream().map(Lowered::query).toList(),
                                flows.stream().map(f -> f.flow().text().position()).toList()),
                        flows.getFirst().flow().text().position());
    }

    private static Relation fitted(
            Lowered flow, TableSchema schema, List<ColumnText> declared, FlowColumns columns) {
        var position = flow.flow().text().position();
        if (!declared.isEmpty()) {
            return columns.fitted(
                    flow.query(), schema, declared.stream().map(ColumnText::position).toList());
        }
        return columns.flowCount() == 1
                ? flow.query()
                : columns.fitted(
                        flow.query(),
                        schema,
                        schema.columns().stream().map(_ -> position).toList());
    }

    private static Dataset dataset(
            CreateDataset dataset,
            TableSchema schema,
            List<Expectation> rules,
            List<Lowered> flows,
            Scope scope) {
        var clauses = dataset.clauses();
        var layout = new LayoutColumns(dataset, schema);
        var options =
                new TableOptions(
                        clauses.isPrivate(),
                        clauses.properties(),
                        clauses.refreshPolicy(),
                        flows.stream().map(f -> f.flow().flow().name()).toList(),
                        layout.partitionedBy(),
                        layout.clusteredBy());
        var always = flows.stream().filter(f -> !f.flow().isOnce()).map(Lowered::query).toList();
        var query = Pruning.prune(FlowColumns.together(always, scope));
        if (!appends(dataset)) {
            return new Dataset.MaterializedView(
                    dataset.name(),
                    schema,
                    clauses.comment(),
                    rules,
                    query,
                    dataset.position(),
                    options);
        }
        var once =
                flows.stream()
                        .filter(f -> f.flow().isOnce())
                        .map(
                                f ->
                                        new Dataset.OnceFlow(
                                                f.flow().flow().name(), Pruning.prune(f.query())))
                        .toList();
        return new Dataset.StreamingTable(
                dataset.name(),
                schema,
                clauses.comment(),
                rules,
                query,
                dataset.position(),
                once,
                options);
    }

    /** The query's columns and those that are generated from them. */
    private LogicalPlan withGenerated(LogicalPlan query, List<ColumnText> columns) {
        var named = new ArrayList<NamedExpression>();
        for (var column : columns) {
            column.generated().ifPresent(text -> named.add(generated(column.name(), text)));
        }
        if (named.isEmpty()) {
            return query;
        }
        named.addFirst(new UnresolvedStar(Scala.none()));
        return new Project(Scala.seq(named), QueryText.aliased("query", query));
    }

    private NamedExpression generated(String name, Fragment text) {
        var parsed = catalyst.parseExpression(text);
        for (var function : catalyst.unknownFunctions(parsed)) {
            var unknown = String.join(".", Scala.<String>list(function.nameParts()));
            throw new TextRefused(
                    catalyst.position(function.origin(), text.position()),
                    "there is no function '%s'".formatted(unknown),
                    FunctionHints.of(unknown));
        }
        return new Alias(
                parsed,
                name,
                NamedExpression.newExprId(),
                Scala.seq(List.of()),
                Scala.none(),
                Scala.seq(List.of()));
    }

    private Optional<Relation> query(Scope scope, Fragment text, LogicalPlan bound) {
        var analyzed = catalyst.analyze(bound, text);
        var lowered = new QueryLowering(scope).lower(analyzed);
        for (var column :
                Scala.<org.apache.spark.sql.catalyst.expressions.Attribute>list(
                        analyzed.output())) {
            if (scope.errors().isEmpty() && SparkTypes.column(column.dataType()).isEmpty()) {
                scope.refuse(
                        column,
                        "column '%s' of type %s is not supported"
                                .formatted(column.name(), column.dataType().sql()),
                        column.dataType() instanceof NullType
                                ? "give NULL a type: CAST(NULL AS STRING)"
                                : "give times as numbers: timestampdiff(SECOND, t, u)");
            }
        }
        errors.addAll(scope.errors());
        return scope.errors().isEmpty() ? Optional.of(lowered) : Optional.empty();
    }

    private static void legal(Relation query, SourcePosition position) {
        for (var column : query.output()) {
            if (ILLEGAL.matcher(column.name()).find()) {
                throw new TextRefused(
                        position,
                        "the query's column '%s' has no legal name".formatted(column.name()),
                        "give it one: … AS name");
            }
        }
    }

    private static TableSchema schema(Relation query, SourcePosition position) {
        return checked(
                query.output().stream()
                        .map(a -> new Column(a.name(), a.type(), a.nullable(), ""))
                        .toList(),
                position);
    }

    private TableSchema declared(List<ColumnText> columns) {
        var declared = new ArrayList<Column>();
        for (var column : columns) {
            if (ILLEGAL.matcher(column.name()).find()) {
                throw new TextRefused(
                        column.position(),
                        "'%s' is not a legal column name".formatted(column.name()),
                        "use letters, digits and underscores");
            }
            declared.add(
                    new Column(column.name(), type(column), column.nullable(), column.comment()));
        }
        return checked(declared, columns.getFirst().position());
    }

    private DataType type(ColumnText column) {
        var type = catalyst.parseType(column.type());
        return SparkTypes.column(type)
                .orElseThrow(
                        () ->
                                new TextRefused(
                                        column.type().position(),
                                        "a column of type %s is not supported"
                                                .formatted(type.sql()),
                                        type.sql().contains("CHAR") ? "use STRING" : ""));
    }

    private static TableSchema checked(List<Column> columns, SourcePosition position) {
        var seen = new HashSet<String>();
        for (var column : columns) {
            if (!seen.add(column.name().toLowerCase(Locale.ROOT))) {
                throw new TextRefused(
                        position,
                        "column '%s' stands twice".formatted(column.name()),
                        "column names differ in more than upper and lower case");
            }
        }
        return new TableSchema(columns);
    }
}
