package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.JoinKind;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relation.Windowed;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.plan.WindowFunction;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.Except;
import org.apache.spark.sql.catalyst.plans.logical.Expand;
import org.apache.spark.sql.catalyst.plans.logical.Intersect;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/**
 * Says INTERSECT, EXCEPT and grouping sets by joins, windows and unions.
 *
 * <p>With ALL, the n-th of equal rows on one side meets the n-th on the other.
 */
final class SetLowering {
    private final Scope scope;
    private final ExpressionLowering values;
    private final ExpressionLowering.Queries queries;

    SetLowering(Scope scope, ExpressionLowering values, ExpressionLowering.Queries queries) {
        this.scope = scope;
        this.values = values;
        this.queries = queries;
    }

    Relation intersect(Intersect intersect) {
        return joined(
                queries.lower(intersect.left()),
                queries.lower(intersect.right()),
                intersect.isAll(),
                JoinKind.LEFT_SEMI,
                output(intersect),
                scope.position(intersect));
    }

    Relation except(Except except) {
        return joined(
                queries.lower(except.left()),
                queries.lower(except.right()),
                except.isAll(),
                JoinKind.LEFT_ANTI,
                output(except),
                scope.position(except));
    }

    private Relation joined(
            Relation left,
            Relation right,
            boolean all,
            JoinKind kind,
            List<Attribute> output,
            SourcePosition position) {
        var renamed = renamed(right);
        var a = all ? numbered(left, position) : left;
        var b = all ? numbered(renamed, position) : renamed;
        var condition =
                IntStream.range(0, a.output().size())
                        .mapToObj(i -> same(a.output().get(i), b.output().get(i), position))
                        .reduce((x, y) -> call(Function.AND, List.of(x, y), position))
                        .orElse(null);
        var join = new Relation.Join(a, b, kind, condition);
        var columns =
                IntStream.range(0, output.size())
                        .mapToObj(
                                i ->
                                        new Named(
                                                output.get(i),
                                                new Expression.Reference(left.output().get(i))))
                        .toList();
        var projected = new Relation.Project(join, columns);
        return all ? projected : new Relation.Distinct(projected);
    }

    /** Both sides may be the same query, whose columns would have the same numbers. */
    private Relation renamed(Relation relation) {
        return new Relation.Project(
                relation,
                relation.output().stream()
                        .map(
                                a ->
                                        new Named(
                                                new Attribute(
                                                        scope.nextId(),
                                                        a.name(),
                                                        a.type(),
                                                        a.nullable()),
                                                new Expression.Reference(a)))
                        .toList());
    }

    private Relation numbered(Relation relation, SourcePosition position) {
        var number = new Attribute(scope.nextId(), "n", Primitive.INTEGER, false);
        var call =
                new WindowCall.Positional(
                        WindowFunction.ROW_NUMBER,
                        List.of(),
                        false,
                        null,
                        Primitive.INTEGER,
                        false,
                        position);
        return new Relation.Window(
                relation,
                relation.output().stream().<Expression>map(Expression.Reference::new).toList(),
                List.of(),
                List.of(new Windowed(number, call)));
    }

    private static Expression same(Attribute a, Attribute b, SourcePosition position) {
        return call(
                Function.NULL_SAFE_EQUAL,
                List.of(new Expression.Reference(a), new Expression.Reference(b)),
                position);
    }

    private static Expression call(
            Function function, List<Expression> arguments, SourcePosition position) {
        return new Expression.Call(function, arguments, Primitive.BOOLEAN, false, position);
    }

    /** One projection of the input for every grouping. */
    Relation expand(Expand expand) {
        var output = output(expand);
        var inputs = new ArrayList<Relation>();
        for (var list : Scala.list(expand.projections())) {
            var row =
                    values.lower(
                            Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(list));
            var columns =
                    IntStream.range(0, output.size())
                            .mapToObj(i -> new Named(fresh(output.get(i)), row.get(i)))
                            .toList();
            inputs.add(new Relation.Project(queries.lower(expand.child()), columns));
        }
        return new Relation.UnionAll(inputs, output);
    }

    private Attribute fresh(Attribute a) {
        return new Attribute(scope.nextId(), a.name(), a.type(), a.nullable());
    }

    private List<Attribute> output(LogicalPlan plan) {
        Stream<org.apache.spark.sql.catalyst.expressions.Attribute> columns =
                Scala.<org.apache.spark.sql.catalyst.expressions.Attribute>list(plan.output())
                        .stream();
        return columns.map(NamedExpression::toAttribute).map(scope::attribute).toList();
    }
}
