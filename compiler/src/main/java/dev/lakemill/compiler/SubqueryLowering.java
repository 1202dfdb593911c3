package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.InSubquery;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;
import org.apache.spark.sql.catalyst.trees.TreePattern;

/**
 * Says IN with a query.
 *
 * <p>Spark joins for it, and so gives false where SQL says NULL, and for NOT IN false as well. It
 * first draws each NOT down to the IN.
 */
final class SubqueryLowering {
    private final ExpressionLowering values;
    private final ExpressionLowering.Queries queries;

    SubqueryLowering(ExpressionLowering values, ExpressionLowering.Queries queries) {
        this.values = values;
        this.queries = queries;
    }

    static boolean isOfMembership(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return switch (e) {
            case InSubquery _ -> true;
            case Not not -> isOfMembership(not.child());
            case And and -> isOfMembership(and.left()) || isOfMembership(and.right());
            case Or or -> isOfMembership(or.left()) || isOfMembership(or.right());
            default -> false;
        };
    }

    /**
     * Whether the query takes the first of the rows that belong to the row round it, which DuckDB
     * may take before it looks whose they are.
     */
    static boolean isLimitedByRow(SubqueryExpression query) {
        return query.isCorrelated()
                && (query.plan().containsPattern(TreePattern.LIMIT())
                        || query.plan().containsPattern(TreePattern.OFFSET()));
    }

    Expression refuseLimit(SubqueryExpression query) {
        return values.refuse(
                query,
                "LIMIT in a query that depends on the row round it is not supported",
                "join with a query that keeps row_number() = 1 of each partition");
    }

    Expression in(InSubquery in) {
        return otherwise(exactly(in), "false", values.scope().position(in));
    }

    /** The contrary of a condition that holds an IN. */
    Expression not(org.apache.spark.sql.catalyst.expressions.Expression e) {
        var position = values.scope().position(e);
        return switch (e) {
            case InSubquery in ->
                    call(
                            Function.NOT,
                            List.of(otherwise(exactly(in), "true", position)),
                            false,
                            position);
            case Not not -> values.lower(not.child());
            case And and ->
                    call(Function.OR, List.of(not(and.left()), not(and.right())), true, position);
            case Or or ->
                    call(Function.AND, List.of(not(or.left()), not(or.right())), true, position);
            default -> call(Function.NOT, List.of(values.lower(e)), true, position);
        };
    }

    private static Expression otherwise(Expression value, String literal, SourcePosition position) {
        return call(
                Function.COALESCE,
                List.of(value, new Expression.Literal(Primitive.BOOLEAN, literal)),
                false,
                position);
    }

    /** As SQL says: NULL where it is not known. */
    Expression exactly(InSubquery in) {
        var position = values.scope().position(in);
        if (isLimitedByRow(in.query())) {
            return refuseLimit(in.query());
        }
        var left =
                values.lower(
                        Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(
                                in.values()));
        var query = queries.lower(in.query().plan());
        if (left.size() == 1) {
            return new Expression.InSubquery(left.getFirst(), query, position);
        }
        var equal =
                IntStream.range(0, left.size())
                        .mapToObj(i -> equal(left.get(i), query.output().get(i), position))
                        .reduce((a, b) -> call(Function.AND, List.of(a, b), true, position))
                        .orElseThrow();
        var found = new Expression.Exists(new Relation.Filter(query, equal), position);
        var unknown =
                new Expression.Exists(
                        new Relation.Filter(
                                query, call(Function.IS_NULL, List.of(equal), false, position)),
                        position);
        return new Expression.Case(
                List.of(
                        new Expression.Branch(
                                found, new Expression.Literal(Primitive.BOOLEAN, "true")),
                        new Expression.Branch(
                                unknown, new Expression.Literal(Primitive.BOOLEAN, null))),
                new Expression.Literal(Primitive.BOOLEAN, "false"),
                Primitive.BOOLEAN,
                true);
    }

    private static Expression equal(Expression left, Attribute right, SourcePosition position) {
        return call(Function.EQUAL, List.of(left, new Expression.Reference(right)), true, position);
    }

    private static Expression call(
            Function function,
            List<Expression> arguments,
            boolean nullable,
            SourcePosition position) {
        return new Expression.Call(function, arguments, Primitive.BOOLEAN, nullable, position);
    }
}
