package dev.lakemill.compiler;

import dev.lakemill.plan.AggregateFunction;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.SortKey;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.plan.WindowFunction;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.*;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.First;
import org.apache.spark.sql.catalyst.expressions.aggregate.Last;
import org.apache.spark.sql.types.DayTimeIntervalType;
import org.apache.spark.sql.types.IntegralType;

/** Says Spark's window calls in the plan's terms, or refuses them; fail-closed. */
final class WindowLowering {
    private final ExpressionLowering values;
    private final AggregateLowering aggregates;

    WindowLowering(ExpressionLowering values, AggregateLowering aggregates) {
        this.values = values;
        this.aggregates = aggregates;
    }

    WindowCall lower(WindowExpression e) {
        var frame = frame(e);
        return switch (e.windowFunction()) {
            case RowNumber _ -> positional(e, WindowFunction.ROW_NUMBER, List.of());
            case Rank _ -> positional(e, WindowFunction.RANK, List.of());
            case DenseRank _ -> positional(e, WindowFunction.DENSE_RANK, List.of());
            case PercentRank _ -> positional(e, WindowFunction.PERCENT_RANK, List.of());
            case CumeDist _ -> positional(e, WindowFunction.CUME_DIST, List.of());
            case NTile tile ->
                    positional(e, WindowFunction.NTILE, List.of(values.lower(tile.buckets())));
            case Lag lag ->
                    offset(e, WindowFunction.LAG, lag, lag.inputOffset(), lag.ignoreNulls());
            case Lead lead ->
                    offset(e, WindowFunction.LEAD, lead, lead.offset(), lead.ignoreNulls());
            case NthValue nth ->
                    new WindowCall.Positional(
                            WindowFunction.NTH_VALUE,
                            List.of(values.lower(nth.input()), values.lower(nth.offset())),
                            nth.ignoreNulls(),
                            frame,
                            values.scope().type(e),
                            e.nullable(),
                            values.scope().position(e));
            case AggregateExpression aggregate -> aggregate(e, aggregate, frame);
            default -> {
                values.refuse(
                        e,
                        "%s in a window is not supported"
                                .formatted(ExpressionLowering.name(e.windowFunction())),
                        FunctionHints.of(e.windowFunction().prettyName()));
                yield positional(e, WindowFunction.ROW_NUMBER, List.of());
            }
        };
    }

    SortKey sortKey(SortOrder order) {
        return new SortKey(
                values.lower(order.child()),
                order.isAscending(),
                order.nullOrdering().sql().equals(NullsFirst$.MODULE$.sql()));
    }

    private WindowCall aggregate(
            WindowExpression e, AggregateExpression aggregate, WindowCall.Frame frame) {
        var isPlaced =
                aggregate.aggregateFunction() instanceof First
                        || aggregate.aggregateFunction() instanceof Last;
        if (isPlaced && aggregate.filter().isDefined()) {
            values.refuse(
                    e,
                    "FILTER of first or last in a window is not supported",
                    "write first(CASE WHEN … THEN a END) IGNORE NULLS, if a is never NULL");
        }
        if (isPlaced && e.windowSpec().orderSpec().isEmpty()) {
            values.refuse(
                    e, "first or last without ORDER BY gives any row's", "add ORDER BY to OVER");
        }
        return switch (aggregate.aggregateFunction()) {
            case First first ->
                    edge(e, WindowFunction.FIRST_VALUE, first.child(), first.ignoreNulls(), frame);
            case Last last ->
                    edge(e, WindowFunction.LAST_VALUE, last.child(), last.ignoreNulls(), frame);
            default -> {
                var call = aggregates.lower(aggregate);
                if (call.function() == AggregateFunction.PERCENTILE || call.distinct()) {
                    values.refuse(e, "this aggregate in a window is not supported", "use GROUP BY");
                }
                yield new WindowCall.Framed(call, frame);
            }
        };
    }

    private WindowCall edge(
            WindowExpression e,
            WindowFunction function,
            org.apache.spark.sql.catalyst.expressions.Expression value,
            boolean ignoreNulls,
            WindowCall.Frame frame) {
        return new WindowCall.Positional(
                function,
                List.of(values.lower(value)),
                ignoreNulls,
                frame,
                values.scope().type(e),
                e.nullable(),
                values.scope().position(e));
    }

    private WindowCall offset(
            WindowExpression e,
            WindowFunction name,
            FrameLessOffsetWindowFunction function,
            org.apache.spark.sql.catalyst.expressions.Expression offset,
            boolean ignoreNulls) {
        var last =
                Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(
                                function.children())
                        .getLast();
        var otherwise =
                last instanceof Literal literal && literal.value() == null
                        ? new Expression.Literal(values.scope().type(e), null)
                        : values.lower(last);
        return new WindowCall.Positional(
                name,
                List.of(values.lower(function.input()), values.lower(offset), otherwise),
                ignoreNulls,
                null,
                values.scope().type(e),
                e.nullable(),
                values.scope().position(e));
    }

    private WindowCall positional(
            WindowExpression e, WindowFunction function, List<Expression> arguments) {
        return new WindowCall.Positional(
                function,
                arguments,
                false,
                null,
                values.scope().type(e),
                e.nullable(),
                values.scope().position(e));
    }

    private WindowCall.Frame frame(WindowExpression e) {
        if (!(e.windowSpec().frameSpecification() instanceof SpecifiedWindowFrame frame)) {
            throw new IllegalStateException("an analysed window has a frame");
        }
        var rows = frame.frameType().equals(RowFrame$.MODULE$);
        return new WindowCall.Frame(rows, bound(frame.lower()), bound(frame.upper()));
    }

    private WindowCall.Bound bound(org.apache.spark.sql.catalyst.expressions.Expression e) {
        if (e.equals(UnboundedPreceding$.MODULE$) || e.equals(UnboundedFollowing$.MODULE$)) {
            return new WindowCall.Bound.Unbounded();
        }
        if (e.equals(CurrentRow$.MODULE$)) {
            return new WindowCall.Bound.CurrentRow();
        }
        var isWhole =
                e.dataType() instanceof IntegralType || e.dataType() instanceof DayTimeIntervalType;
        var distance =
                isWhole
                                && Literals.folded(e, values.scope().position(e))
                                                .orElseGet(() -> values.lower(e))
                                        instanceof Expression.Literal literal
                        ? literal.text()
                        : null;
        if (distance == null) {
            values.refuse(
                    e,
                    "this distance of a window's frame is not supported",
                    "write a whole number, or INTERVAL n HOUR over a time");
            return new WindowCall.Bound.CurrentRow();
        }
        return new WindowCall.Bound.Offset(Long.parseLong(distance));
    }
}
