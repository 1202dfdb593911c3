package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SortKey;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;

/**
 * Settles which of equal rows comes first in a window. SQL leaves it open; a view that is kept by
 * its changes must say the same as one that is computed anew, so where a result depends on it, the
 * other columns decide.
 */
final class WindowOrder {
    private WindowOrder() {}

    /** The query with all its windows settled that can be. */
    static Relation settled(Relation relation) {
        return switch (relation) {
            case Relation.Scan scan -> scan;
            case Relation.Values values -> values;
            case Relation.Filter filter ->
                    new Relation.Filter(settled(filter.input()), filter.condition());
            case Relation.Project project ->
                    new Relation.Project(settled(project.input()), project.columns());
            case Relation.Aggregate aggregate ->
                    new Relation.Aggregate(
                            settled(aggregate.input()), aggregate.keys(), aggregate.measures());
            case Relation.Join join ->
                    new Relation.Join(
                            settled(join.left()),
                            settled(join.right()),
                            join.kind(),
                            join.condition());
            case Relation.UnionAll union ->
                    new Relation.UnionAll(
                            union.inputs().stream().map(WindowOrder::settled).toList(),
                            union.output());
            case Relation.Distinct distinct -> new Relation.Distinct(settled(distinct.input()));
            case Relation.Sort sort -> new Relation.Sort(settled(sort.input()), sort.keys());
            case Relation.Limit limit ->
                    new Relation.Limit(
                            settled(limit.input()), limit.countRows(), limit.offsetRows());
            case Relation.Window window -> settled(window);
            case Relation.Unnest unnest ->
                    new Relation.Unnest(
                            settled(unnest.input()),
                            unnest.array(),
                            unnest.element(),
                            unnest.position(),
                            unnest.outer());
        };
    }

    private static Relation.Window settled(Relation.Window window) {
        var input = settled(window.input());
        var order = new ArrayList<>(window.orderBy());
        if (window.columns().stream().allMatch(c -> isByRow(c.call()))) {
            for (var column : input.output()) {
                var value = new Expression.Reference(column);
                if (isOrdered(column.type())
                        && order.stream().noneMatch(key -> key.value().equals(value))) {
                    order.add(new SortKey(value, true, true));
                }
            }
            input.output().stream()
                    .filter(column -> DuckTypes.isFloating(column.type()))
                    .forEach(column -> order.add(new SortKey(sign(column), true, true)));
        }
        return new Relation.Window(input, window.partitionBy(), order, window.columns());
    }

    /**
     * Tells zeros of both signs apart, which are equal in an order: atan2 of them is -pi and pi.
     */
    private static Expression sign(Attribute column) {
        return new Expression.Call(
                Function.ATAN2,
                List.of(
                        new Expression.Cast(
                                new Expression.Reference(column),
                                Primitive.DOUBLE,
                                false,
                                true,
                                MaintenanceSql.NOWHERE),
                        new Expression.Literal(Primitive.DOUBLE, "-1.0")),
                Primitive.DOUBLE,
                true,
                MaintenanceSql.NOWHERE);
    }

    /** Whether equal rows cannot change places and with it the result. */
    static boolean isSettled(Relation.Window window) {
        if (window.columns().stream().anyMatch(c -> isRounded(c.call()))) {
            return false;
        }
        var byRow = window.columns().stream().filter(c -> isByRow(c.call())).count();
        var byPeers = window.columns().stream().filter(c -> isByPeers(c.call())).count();
        return byPeers == window.columns().size()
                || (byRow == window.columns().size()
                        && window.input().output().stream()
                                .allMatch(column -> isOrdered(column.type())));
    }

    /** Whether the result depends on each row's own place, and on no range of equal rows. */
    private static boolean isByRow(WindowCall call) {
        return switch (call) {
            case WindowCall.Positional positional ->
                    switch (positional.function()) {
                        case ROW_NUMBER, NTILE, LAG, LEAD -> true;
                        case FIRST_VALUE, LAST_VALUE, NTH_VALUE ->
                                positional.frame() != null && positional.frame().rows();
                        case RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST -> false;
                    };
            case WindowCall.Framed framed -> framed.frame().rows();
        };
    }

    /** Whether equal rows have equal results, in whatever order they stand. */
    private static boolean isByPeers(WindowCall call) {
        return switch (call) {
            case WindowCall.Positional positional ->
                    switch (positional.function()) {
                        case RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST -> true;
                        case ROW_NUMBER, NTILE, LAG, LEAD, FIRST_VALUE, LAST_VALUE, NTH_VALUE ->
                                false;
                    };
            case WindowCall.Framed framed -> !framed.frame().rows();
        };
    }

    /**
     * Whether the last digits, or the sign of a zero, depend on how the engine cuts a frame into
     * pieces, which differs with the rows of other partitions.
     */
    private static boolean isRounded(WindowCall call) {
        return switch (call) {
            case WindowCall.Positional _ -> false;
            case WindowCall.Framed framed ->
                    switch (framed.call().function()) {
                        case COUNT -> false;
                        case PERCENTILE ->
                                DuckTypes.holdsFloating(
                                        framed.call().arguments().getFirst().type());
                        case SUM,
                                TRY_SUM,
                                AVG,
                                MIN,
                                MAX,
                                MAX_BY,
                                MIN_BY,
                                BIT_AND,
                                BIT_OR,
                                BIT_XOR,
                                STDDEV_SAMP,
                                STDDEV_POP,
                                VAR_SAMP,
                                VAR_POP,
                                COVAR_SAMP,
                                COVAR_POP,
                                CORR,
                                REGR_SLOPE,
                                REGR_INTERCEPT ->
                                DuckTypes.holdsFloating(framed.type())
                                        || framed.call().arguments().stream()
                                                .anyMatch(a -> DuckTypes.holdsFloating(a.type()));
                    };
        };
    }

    private static boolean isOrdered(DataType type) {
        return type instanceof Primitive || type instanceof DataType.Decimal;
    }
}
