package dev.lakemill.bench;

import static dev.lakemill.bench.RandomQuery.call;
import static dev.lakemill.bench.RandomQuery.reference;

import dev.lakemill.plan.AggregateCall;
import dev.lakemill.plan.AggregateFunction;
import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Makes aggregate calls at random, with the types that Spark gives them. */
final class RandomAggregates {
    private static final List<AggregateFunction> STATISTICS =
            List.of(
                    AggregateFunction.STDDEV_SAMP,
                    AggregateFunction.STDDEV_POP,
                    AggregateFunction.VAR_SAMP,
                    AggregateFunction.VAR_POP);
    private static final List<AggregateFunction> OF_BITS =
            List.of(AggregateFunction.BIT_AND, AggregateFunction.BIT_OR, AggregateFunction.BIT_XOR);

    private final Random random;
    private final RandomQuery query;

    RandomAggregates(Random random, RandomQuery query) {
        this.random = random;
        this.query = query;
    }

    static AggregateCall count() {
        return made(AggregateFunction.COUNT, List.of(), false, null, Primitive.LONG);
    }

    /**
     * A call over the column.
     *
     * @param all the columns that a filter or an order may use
     */
    AggregateCall any(Attribute column, List<Attribute> all) {
        return switch (random.nextInt(14)) {
            case 0 -> count();
            case 1 -> over(AggregateFunction.COUNT, column, false, Primitive.LONG, all);
            case 2 -> over(AggregateFunction.COUNT, column, true, Primitive.LONG, all);
            case 3 -> over(AggregateFunction.MAX, column, false, column.type(), all);
            case 4 -> over(AggregateFunction.MIN, column, false, column.type(), all);
            case 5 -> average(column, all);
            case 6 -> by(AggregateFunction.MAX_BY, column, all);
            case 7 -> by(AggregateFunction.MIN_BY, column, all);
            case 8 -> bits(column, all);
            case 9 -> statistics(column, all);
            case 10 -> percentile(column, all);
            case 11 -> pairs(column, all);
            case 12 -> sum(AggregateFunction.TRY_SUM, column, all);
            default -> sum(AggregateFunction.SUM, column, all);
        };
    }

    private AggregateCall sum(AggregateFunction function, Attribute column, List<Attribute> all) {
        var type = sumType(column.type());
        var isDistinct = function == AggregateFunction.SUM && random.nextInt(5) == 0;
        return type == null
                ? over(AggregateFunction.COUNT, column, false, Primitive.LONG, all)
                : over(function, column, isDistinct, type, all);
    }

    private AggregateCall average(Attribute column, List<Attribute> all) {
        var type = averageType(column.type());
        return sumType(column.type()) == null || type == null
                ? count()
                : over(AggregateFunction.AVG, column, random.nextInt(5) == 0, type, all);
    }

    private AggregateCall by(AggregateFunction function, Attribute column, List<Attribute> all) {
        var order = query.any(all, Primitive.LONG);
        return order == null
                ? count()
                : made(
                        function,
                        List.of(reference(column), reference(order)),
                        false,
                        null,
                        column.type());
    }

    private AggregateCall bits(Attribute column, List<Attribute> all) {
        return isWhole(column)
                ? over(OF_BITS.get(random.nextInt(3)), column, false, column.type(), all)
                : count();
    }

    private AggregateCall statistics(Attribute column, List<Attribute> all) {
        return isWhole(column)
                ? made(
                        STATISTICS.get(random.nextInt(STATISTICS.size())),
                        List.of(asDouble(column)),
                        false,
                        filter(all),
                        Primitive.DOUBLE)
                : count();
    }

    private AggregateCall percentile(Attribute column, List<Attribute> all) {
        var share = new Expression.Literal(Primitive.DOUBLE, random.nextBoolean() ? "0.5" : "0.3");
        return isWhole(column)
                ? made(
                        AggregateFunction.PERCENTILE,
                        List.of(reference(column), share),
                        false,
                        filter(all),
                        Primitive.DOUBLE)
                : count();
    }

    private AggregateCall pairs(Attribute column, List<Attribute> all) {
        var other = query.any(all, Primitive.LONG);
        return other == null || !isWhole(column)
                ? count()
                : made(
                        random.nextBoolean() ? AggregateFunction.CORR : AggregateFunction.COVAR_POP,
                        List.of(asDouble(column), asDouble(other)),
                        false,
                        null,
                        Primitive.DOUBLE);
    }

    private AggregateCall over(
            AggregateFunction function,
            Attribute column,
            boolean distinct,
            DataType type,
            List<Attribute> all) {
        return made(function, List.of(reference(column)), distinct, filter(all), type);
    }

    private @Nullable Expression filter(List<Attribute> all) {
        var tested = random.nextInt(5) == 0 ? query.any(all, null) : null;
        return tested == null
                ? null
                : call(Function.GREATER, reference(tested), query.constant(tested));
    }

    private static AggregateCall made(
            AggregateFunction function,
            List<Expression> arguments,
            boolean distinct,
            @Nullable Expression filter,
            DataType type) {
        return new AggregateCall(
                function, arguments, distinct, filter, type, true, RandomQuery.PLACE);
    }

    private static boolean isWhole(Attribute column) {
        return column.type() == Primitive.LONG || column.type() == Primitive.INTEGER;
    }

    private static Expression asDouble(Attribute column) {
        return new Expression.Cast(
                reference(column), Primitive.DOUBLE, false, true, RandomQuery.PLACE);
    }

    static @Nullable DataType sumType(DataType type) {
        return switch (type) {
            case Primitive primitive ->
                    switch (primitive) {
                        case LONG, INTEGER -> Primitive.LONG;
                        case DOUBLE -> Primitive.DOUBLE;
                        default -> null;
                    };
            case Decimal d -> new Decimal(Math.min(38, d.precision() + 10), d.scale());
            default -> null;
        };
    }

    private static @Nullable DataType averageType(DataType type) {
        if (!(type instanceof Decimal d)) {
            return Primitive.DOUBLE;
        }
        return d.precision() > 12 ? null : new Decimal(d.precision() + 4, d.scale() + 4);
    }
}
