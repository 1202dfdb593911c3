package dev.lakemill.compiler;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;

/**
 * Compiles single queries over the catalog's tables, and the bodies of functions. One use per text;
 * not thread-safe.
 */
final class SqlCompiler {
    private final Catalyst catalyst;

    private SqlCompiler(Catalyst catalyst) {
        this.catalyst = catalyst;
    }

    static SqlCompilation compile(Catalyst catalyst, SqlRequest request) {
        var compiler = new SqlCompiler(catalyst);
        try {
            return Guard.guarded(
                    position(request),
                    () ->
                            switch (request) {
                                case SqlRequest.Query query -> compiler.query(query);
                                case SqlRequest.Scalar scalar -> compiler.scalar(scalar);
                            });
        } catch (TextRefused e) {
            return new SqlCompilation.Rejected(List.of(e.error()));
        }
    }

    /** Where the text begins. */
    static SourcePosition position(SqlRequest request) {
        return switch (request) {
            case SqlRequest.Query query -> query.text().position();
            case SqlRequest.Scalar scalar -> scalar.text().position();
        };
    }

    private SqlCompilation query(SqlRequest.Query request) {
        var parsed =
                TailCalls.named(
                        catalyst, catalyst.parseQuery(request.text()), request.text().position());
        var sources = new HashMap<String, SqlRequest.Source>();
        request.tables().forEach(t -> sources.put(Declarations.key(t.written()), t));
        var reads = reads(parsed, request.text());
        if (!sources.keySet().containsAll(reads.keySet())) {
            return new SqlCompilation.Reads(List.copyOf(reads.values()));
        }
        var unknown = unknown(catalyst.unknownFunctions(parsed), request.text());
        if (!unknown.isEmpty()) {
            return new SqlCompilation.Rejected(unknown);
        }
        var bound =
                parsed.transformDownWithSubqueries(
                        Scala.change(
                                node -> node instanceof UnresolvedRelation,
                                node -> table((UnresolvedRelation) node, sources)));
        return lowered(catalyst.analyze(bound, request.text()), request.text());
    }

    private Map<String, SqlCompilation.Read> reads(LogicalPlan parsed, Fragment text) {
        var reads = new LinkedHashMap<String, SqlCompilation.Read>();
        for (var relation : Catalyst.relations(parsed)) {
            var position = catalyst.position(relation.origin(), text.position());
            if (relation.isStreaming()) {
                throw new TextRefused(
                        position, "STREAM stands in pipelines only", "leave STREAM out");
            }
            var name = QueryText.name(relation);
            reads.putIfAbsent(Declarations.key(name), new SqlCompilation.Read(name, position));
        }
        return reads;
    }

    private static LogicalPlan table(
            UnresolvedRelation relation, Map<String, SqlRequest.Source> sources) {
        var source = sources.get(Declarations.key(QueryText.name(relation)));
        if (source == null) {
            throw new IllegalStateException("every table read was found before");
        }
        return SourceTables.relation(source.table(), source.schema(), false);
    }

    private SqlCompilation lowered(LogicalPlan analyzed, Fragment text) {
        var scope = new Scope(catalyst, text.position());
        var lowered = QueryLowering.ofAnyOrder(scope).lower(analyzed);
        if (analyzed.output().isEmpty()) {
            scope.refuse(analyzed, "the query gives out no columns", "select at least one");
        }
        for (var column : Scala.<Attribute>list(analyzed.output())) {
            if (scope.errors().isEmpty() && SparkTypes.column(column.dataType()).isEmpty()) {
                scope.refuse(
                        column,
                        "column '%s' of type %s is not supported"
                                .formatted(column.name(), column.dataType().sql()),
                        "give a difference of times as a number: timestampdiff(SECOND, t, u)");
            }
        }
        Questions.refused(lowered).forEach(scope::refuse);
        return scope.errors().isEmpty()
                ? new SqlCompilation.Query(Pruning.prune(lowered))
                : new SqlCompilation.Rejected(scope.errors());
    }

    private SqlCompilation scalar(SqlRequest.Scalar request) {
        var parsed = catalyst.parseExpression(request.text());
        var unknown = unknown(catalyst.unknownFunctions(parsed), request.text());
        if (!unknown.isEmpty()) {
            return new SqlCompilation.Rejected(unknown);
        }
        var rows = SourceTables.rows(new TableSchema(request.parameters()));
        var type = SparkTypes.spark(request.returns());
        var analyzed = catalyst.analyze(project(parsed, rows), request.text());
        var given = Scala.<Attribute>list(analyzed.output()).getFirst().dataType();
        if (!given.sameType(type) && !Cast.canANSIStoreAssign(given, type)) {
            throw new TextRefused(
                    request.text().position(),
                    "the function returns %s, but its body gives %s"
                            .formatted(request.returns().sql(), given.sql()),
                    "return " + given.sql() + ", or CAST in the body");
        }
        var scope = new Scope(catalyst, request.text().position());
        var lowered = QueryLowering.ofAnyOrder(scope).lower(analyzed);
        Questions.refused(lowered).forEach(scope::refuse);
        if (!scope.errors().isEmpty()) {
            return new SqlCompilation.Rejected(scope.errors());
        }
        if (lowered instanceof Relation.Project project
                && project.input() instanceof Relation.Values
                && project.columns().size() == 1
                && Relations.subqueries(project.columns().getFirst().value()).findAny().isEmpty()) {
            return new SqlCompilation.Scalar(
                    returned(project.columns().getFirst().value(), request));
        }
        throw new TextRefused(
                request.text().position(),
                "a function of this kind looks at its parameters alone",
                "no aggregates, windows or subqueries");
    }

    private static LogicalPlan project(
            org.apache.spark.sql.catalyst.expressions.Expression body, LogicalPlan rows) {
        NamedExpression named =
                new Alias(
                        body,
                        "body",
                        NamedExpression.newExprId(),
                        Scala.seq(List.of()),
                        Scala.none(),
                        Scala.seq(List.of()));
        return new Project(Scala.seq(List.of(named)), rows);
    }

    private static Expression returned(Expression body, SqlRequest.Scalar request) {
        return body.type().equals(request.returns())
                ? body
                : new Expression.Cast(
                        body, request.returns(), false, body.nullable(), request.text().position());
    }

    private List<TextError> unknown(List<UnresolvedFunction> functions, Fragment text) {
        var errors = new ArrayList<TextError>();
        for (var function : functions) {
            var name = String.join(".", Scala.<String>list(function.nameParts()));
            errors.add(
                    new TextError(
                            catalyst.position(function.origin(), text.position()),
                            "there is no function '%s'".formatted(name),
                            FunctionHints.of(name)));
        }
        return errors;
    }
}
