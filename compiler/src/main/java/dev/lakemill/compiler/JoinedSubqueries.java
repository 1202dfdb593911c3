package dev.lakemill.compiler;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.JoinKind;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.catalyst.expressions.ScalarSubquery;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;
import org.apache.spark.sql.catalyst.plans.logical.Join;

/**
 * Queries in the condition of a join. The condition of an inner join is one on its result, and so a
 * query in it is asked there; in that of any other join, only a query whose one value depends on
 * nothing round it means the same in both engines.
 */
final class JoinedSubqueries {
    private final Scope scope;

    JoinedSubqueries(Scope scope) {
        this.scope = scope;
    }

    /** Of an inner or cross join. */
    Relation inner(Join at, Relation left, Relation right, Optional<Expression> condition) {
        var position = scope.position(at);
        Scala.optional(at.condition()).stream()
                .flatMap(JoinedSubqueries::subqueries)
                .filter(q -> !isOfOneSide(q, at))
                .forEach(q -> refuse(q, at));
        var parts = condition.stream().flatMap(JoinedSubqueries::conjuncts).toList();
        var plain = and(parts.stream().filter(p -> !holdsQuery(p)), position);
        var join =
                new Relation.Join(
                        left,
                        right,
                        plain.isEmpty() ? JoinKind.CROSS : JoinKind.INNER,
                        plain.orElse(null));
        return and(parts.stream().filter(JoinedSubqueries::holdsQuery), position)
                .<Relation>map(asked -> new Relation.Filter(join, asked))
                .orElse(join);
    }

    private static boolean holdsQuery(Expression condition) {
        return Relations.subqueries(condition).findAny().isPresent();
    }

    private static Stream<Expression> conjuncts(Expression condition) {
        return condition instanceof Expression.Call call && call.function() == Function.AND
                ? call.arguments().stream().flatMap(JoinedSubqueries::conjuncts)
                : Stream.of(condition);
    }

    private static Optional<Expression> and(Stream<Expression> parts, SourcePosition position) {
        return parts.reduce(
                (a, b) ->
                        new Expression.Call(
                                Function.AND, List.of(a, b), Primitive.BOOLEAN, true, position));
    }

    /** Refuses what the two engines do not say alike. */
    void check(Join join) {
        Scala.optional(join.condition()).stream()
                .flatMap(JoinedSubqueries::subqueries)
                .filter(q -> !(q instanceof ScalarSubquery) || q.isCorrelated())
                .forEach(q -> refuse(q, join));
    }

    /** Spark has none that depends on both sides. */
    private static boolean isOfOneSide(SubqueryExpression query, Join join) {
        return Stream.of(join.left(), join.right())
                .anyMatch(
                        side ->
                                Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(
                                                query.getOuterAttrs())
                                        .stream()
                                        .allMatch(e -> e.references().subsetOf(side.outputSet())));
    }

    private void refuse(SubqueryExpression query, Join join) {
        scope.refuse(
                query,
                "this query in the condition of a %s JOIN is not supported"
                        .formatted(join.joinType().sql()),
                "ask it in a subquery below the join, and join by its column");
    }

    private static Stream<SubqueryExpression> subqueries(
            org.apache.spark.sql.catalyst.expressions.Expression e) {
        return Stream.concat(
                e instanceof SubqueryExpression query ? Stream.of(query) : Stream.of(),
                Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(e.children())
                        .stream()
                        .flatMap(JoinedSubqueries::subqueries));
    }
}
