package dev.lakemill.bench;

import static dev.lakemill.bench.RandomQuery.integer;
import static dev.lakemill.bench.RandomQuery.reference;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Windowed;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.plan.WindowCall.Bound;
import dev.lakemill.plan.WindowFunction;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Makes windows at random: ranks, neighbours, first and last values, frames. */
final class RandomWindows {
    private final Random random;
    private final RandomQuery query;
    private final RandomAggregates aggregates;

    RandomWindows(Random random, RandomQuery query, RandomAggregates aggregates) {
        this.random = random;
        this.query = query;
        this.aggregates = aggregates;
    }

    Relation over(Relation input) {
        var partition = query.any(input.output(), null);
        var value = query.any(input.output(), null);
        if (partition == null || value == null) {
            return input;
        }
        if (random.nextInt(3) == 0) {
            return query.ranked(input, partition);
        }
        var call = random.nextBoolean() ? framed(value, input.output()) : positional(value);
        return new Relation.Window(
                input,
                List.of(reference(partition)),
                query.order(input.output()),
                List.of(new Windowed(query.fresh("w", call.type()), call)));
    }

    private WindowCall framed(Attribute value, List<Attribute> all) {
        while (true) {
            var call = aggregates.any(value, all);
            if (!call.distinct()) {
                return new WindowCall.Framed(call, frame(random.nextBoolean()));
            }
        }
    }

    /** By rows round the row, or by its peers. */
    private WindowCall.Frame frame(boolean rows) {
        return new WindowCall.Frame(
                rows,
                rows ? new Bound.Offset(-2) : new Bound.Unbounded(),
                rows && random.nextBoolean() ? new Bound.Offset(1) : new Bound.CurrentRow());
    }

    private WindowCall positional(Attribute value) {
        return switch (random.nextInt(7)) {
            case 0 -> neighbour(WindowFunction.LAG, value);
            case 1 -> neighbour(WindowFunction.LEAD, value);
            case 2 -> chosen(WindowFunction.FIRST_VALUE, List.of(reference(value)), value);
            case 3 -> chosen(WindowFunction.LAST_VALUE, List.of(reference(value)), value);
            case 4 ->
                    chosen(WindowFunction.NTH_VALUE, List.of(reference(value), integer(2)), value);
            case 5 ->
                    made(
                            WindowFunction.NTILE,
                            List.of(integer(1 + random.nextInt(3))),
                            false,
                            null,
                            Primitive.INTEGER);
            default ->
                    made(
                            random.nextBoolean()
                                    ? WindowFunction.PERCENT_RANK
                                    : WindowFunction.CUME_DIST,
                            List.of(),
                            false,
                            null,
                            Primitive.DOUBLE);
        };
    }

    private WindowCall neighbour(WindowFunction function, Attribute value) {
        return made(
                function,
                List.of(
                        reference(value),
                        integer(1 + random.nextInt(2)),
                        new Expression.Literal(value.type(), null)),
                random.nextInt(3) == 0,
                null,
                value.type());
    }

    /** By rows: which of equal rows is the first in a range, SQL leaves open. */
    private WindowCall chosen(
            WindowFunction function, List<Expression> arguments, Attribute value) {
        return made(function, arguments, random.nextInt(3) == 0, frame(true), value.type());
    }

    private static WindowCall made(
            WindowFunction function,
            List<Expression> arguments,
            boolean ignoreNulls,
            WindowCall.@Nullable Frame frame,
            DataType type) {
        return new WindowCall.Positional(
                function, arguments, ignoreNulls, frame, type, true, RandomQuery.PLACE);
    }
}
