package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.ColumnText;
import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.CreateTable;
import dev.lakemill.compiler.Statement.CreateView;
import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.SourcePosition;
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
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
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
        return new Dataset.IngestedTable(
                table.name(), declared(table.columns()), table.comment(), table.position());
    }

    /** Whether the view's query is right; nothing else is kept of it. */
    boolean view(CreateView view, LogicalPlan bound) {
        return query(view.query(), bound).isPresent();
    }

    /** Empty if errors were found. */
    Optional<Dataset> dataset(CreateDataset dataset, LogicalPlan bound) {
        var query = query(dataset.query(), bound);
        if (query.isEmpty()) {
            return Optional.empty();
        }
        var position = dataset.query().position();
        var streams =
                dataset.streaming()
                        ? StreamingRules.ofStreamingTable(query.get(), position)
                        : StreamingRules.ofView(query.get(), position);
        errors.addAll(streams);
        var schema =
                dataset.columns().isEmpty()
                        ? schema(query.get(), position)
                        : declared(dataset.columns());
        var fitted =
                dataset.columns().isEmpty()
                        ? query.get()
                        : fitted(query.get(), schema, dataset.columns());
        var before = errors.size();
        var rules = new ExpectationCompiler(catalyst, errors).compile(dataset, schema);
        return streams.isEmpty() && errors.size() == before
                ? Optional.of(dataset(dataset, schema, rules, Pruning.prune(fitted)))
                : Optional.empty();
    }

    private static Dataset dataset(
            CreateDataset dataset, TableSchema schema, List<Expectation> rules, Relation query) {
        return dataset.streaming()
                ? new Dataset.StreamingTable(
                        dataset.name(), schema, dataset.comment(), rules, query, dataset.position())
                : new Dataset.MaterializedView(
                        dataset.name(),
                        schema,
                        dataset.comment(),
                        rules,
                        query,
                        dataset.position());
    }

    private Optional<Relation> query(Fragment text, LogicalPlan bound) {
        var scope = new Scope(catalyst, text.position());
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

    private static TableSchema schema(Relation query, SourcePosition position) {
        for (var column : query.output()) {
            if (ILLEGAL.matcher(column.name()).find()) {
                throw new TextRefused(
                        position,
                        "the query's column '%s' has no legal name".formatted(column.name()),
                        "give it one: … AS name");
            }
        }
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

    /** The query with its columns in the declared order, names and types. */
    private static Relation fitted(Relation query, TableSchema schema, List<ColumnText> declared) {
        var named = new ArrayList<Named>();
        var next = 1 + query.output().stream().mapToInt(Attribute::id).max().orElse(0);
        for (int i = 0; i < schema.size(); i++) {
            named.add(fitted(query, schema.column(i), next + i, declared.get(i).position()));
        }
        for (var column : query.output()) {
            if (schema.indexOf(column.name()).isEmpty()) {
                throw new TextRefused(
                        declared.getFirst().position(),
                        "the query's column '%s' is not declared".formatted(column.name()),
                        "declare it, or leave it out of the query");
            }
        }
        return new Relation.Project(query, named);
    }

    private static Named fitted(Relation query, Column column, int id, SourcePosition position) {
        var matching =
                query.output().stream()
                        .filter(a -> a.name().equalsIgnoreCase(column.name()))
                        .toList();
        if (matching.size() != 1) {
            throw new TextRefused(
                    position,
                    "the query gives %d columns named '%s'"
                            .formatted(matching.size(), column.name()),
                    NearestName.hint(
                            column.name(), query.output().stream().map(Attribute::name).toList()));
        }
        var found = matching.getFirst();
        var attribute = new Attribute(id, column.name(), column.type(), found.nullable());
        return new Named(attribute, cast(new Expression.Reference(found), column, position));
    }

    private static Expression cast(Expression value, Column column, SourcePosition position) {
        if (value.type().equals(column.type())) {
            return value;
        }
        if (!Cast.canANSIStoreAssign(
                SparkTypes.spark(value.type()), SparkTypes.spark(column.type()))) {
            throw new TextRefused(
                    position,
                    "column '%s' is declared as %s, but the query gives %s"
                            .formatted(column.name(), column.type().sql(), value.type().sql()),
                    "declare %s, or CAST in the query".formatted(value.type().sql()));
        }
        return new Expression.Cast(value, column.type(), false, value.nullable(), position);
    }
}
