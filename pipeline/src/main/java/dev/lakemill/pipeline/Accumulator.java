package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.column;

import dev.lakemill.plan.AggregateCall;
import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * An aggregate function whose result follows from a few numbers that changes add up to. What it
 * keeps for a group, by example of sum(x): the sum as wide as the engine can, and how many x were
 * not NULL, so that a sum of nothing is NULL and not 0.
 *
 * <p>Doubles are not summed so: adding and taking away would leave rounding errors, and an infinity
 * could not be taken away at all.
 */
final class Accumulator {
    private static final String W = column(WEIGHT);

    private final Relation.Measure measure;
    private final Kind kind;
    private final String argument;
    private final Relation.Named computed;

    /** What it keeps of a group. */
    enum Kind {
        /** How many arguments were not NULL. */
        COUNT,
        /** That, and their sum. */
        SUM,
        /** The greatest or least; a row that goes may take it away. */
        EXTREME
    }

    private Accumulator(Relation.Measure measure, Kind kind, MaintenanceSql sql) {
        this.measure = measure;
        this.kind = kind;
        var value = value(measure.call());
        var attribute = sql.fresh(value.type());
        this.argument = column(attribute);
        this.computed = new Relation.Named(attribute, value);
    }

    /** Empty where the changes' groups must be computed anew. */
    static Optional<Accumulator> of(Relation.Measure measure, MaintenanceSql sql) {
        return kind(measure.call()).map(kind -> new Accumulator(measure, kind, sql));
    }

    private static Optional<Kind> kind(AggregateCall call) {
        var argument = call.arguments().isEmpty() ? null : call.arguments().getFirst().type();
        return switch (call.function()) {
            case COUNT -> call.distinct() ? Optional.empty() : Optional.of(Kind.COUNT);
            case SUM, TRY_SUM, AVG ->
                    call.distinct() || argument == null || !isExact(argument)
                            ? Optional.empty()
                            : Optional.of(Kind.SUM);
            case MIN, MAX ->
                    argument instanceof Primitive || argument instanceof Decimal
                            ? Optional.of(Kind.EXTREME)
                            : Optional.empty();
            case MAX_BY,
                    MIN_BY,
                    STDDEV_SAMP,
                    STDDEV_POP,
                    VAR_SAMP,
                    VAR_POP,
                    COVAR_SAMP,
                    COVAR_POP,
                    CORR,
                    REGR_SLOPE,
                    REGR_INTERCEPT,
                    PERCENTILE,
                    BIT_AND,
                    BIT_OR,
                    BIT_XOR ->
                    Optional.empty();
        };
    }

    private static boolean isExact(DataType type) {
        return DuckTypes.isIntegral(type) || type instanceof Decimal;
    }

    /** The argument, NULL where the row does not count. */
    private static Expression value(AggregateCall call) {
        var conditions = new ArrayList<Expression>();
        Optional.ofNullable(call.filter()).ifPresent(conditions::add);
        var counted = call.arguments().size() != 1;
        if (counted) {
            call.arguments()
                    .forEach(a -> conditions.add(MaintenanceSql.call(Function.IS_NOT_NULL, a)));
        }
        var value = counted ? MaintenanceSql.number(1) : call.arguments().getFirst();
        return conditions.isEmpty()
                ? value
                : new Expression.Case(
                        List.of(new Expression.Branch(MaintenanceSql.and(conditions), value)),
                        new Expression.Literal(value.type(), null),
                        value.type(),
                        true);
    }

    /** Whether a row that goes may leave a result that what is kept does not tell. */
    boolean isLostByDeletion() {
        return kind == Kind.EXTREME;
    }

    /** The argument as a column. */
    Relation.Named computed() {
        return computed;
    }

    /** SQL: the columns it keeps, computed of a group of weighted arguments. */
    String folded() {
        var count =
                "coalesce(sum(%s) FILTER (WHERE %s IS NOT NULL), 0)::BIGINT AS m_%s"
                        .formatted(W, argument, argument);
        return switch (kind) {
            case COUNT -> count;
            case SUM ->
                    count
                            + ", CAST(%1$s AS %3$s) - CAST(%2$s AS %3$s) AS s_%4$s"
                                    .formatted(summed("> 0"), summed("< 0"), sumType(), argument);
            case EXTREME ->
                    "%s(%s) FILTER (WHERE %s > 0) AS x_%s"
                            .formatted(isMax() ? "max" : "min", argument, W, argument);
        };
    }

    private String summed(String sign) {
        return "coalesce(sum(%s) FILTER (WHERE %s %s), 0)".formatted(argument, W, sign);
    }

    private String sumType() {
        return computed.value().type() instanceof Decimal decimal
                ? "DECIMAL(38,%d)".formatted(decimal.scale())
                : "HUGEINT";
    }

    private boolean isMax() {
        return measure.call().function() == dev.lakemill.plan.AggregateFunction.MAX;
    }

    /** The names of the columns it keeps. */
    List<String> kept() {
        return switch (kind) {
            case COUNT -> List.of("m_" + argument);
            case SUM -> List.of("m_" + argument, "s_" + argument);
            case EXTREME -> List.of("x_" + argument);
        };
    }

    /**
     * SQL of assignments to the kept columns of {@code s}, given those of the changes {@code g}.
     */
    String merged() {
        return switch (kind) {
            case COUNT, SUM ->
                    kept().stream()
                            .map("%1$s = s.%1$s + g.%1$s"::formatted)
                            .collect(Collectors.joining(", "));
            case EXTREME ->
                    "%1$s = CASE WHEN s.%1$s IS NULL OR g.%1$s %2$s s.%1$s THEN g.%1$s ELSE s.%1$s END"
                            .formatted(kept().getFirst(), isMax() ? ">" : "<");
        };
    }

    /** SQL of the measure, as {@link DuckAggregates} would have computed it of all rows. */
    String result() {
        var call = measure.call();
        var count = "m_" + argument;
        var sum = "s_" + argument;
        var value =
                switch (call.function()) {
                    case COUNT -> count;
                    case SUM -> nullWithout(count, DuckTypes.cast(sum, call.type()));
                    case TRY_SUM ->
                            nullWithout(
                                    count,
                                    "TRY_CAST(%s AS %s)"
                                            .formatted(sum, DuckTypes.name(call.type())));
                    case AVG -> nullWithout(count, average(count, sum));
                    default -> "x_" + argument;
                };
        return value + " AS " + column(measure.attribute());
    }

    private String average(String count, String sum) {
        var call = measure.call();
        if (!(call.type() instanceof Decimal result)
                || !(call.arguments().getFirst().type() instanceof Decimal argumentType)) {
            return "CAST(%s AS DOUBLE) / %s".formatted(sum, count);
        }
        var total = new Decimal(Math.min(38, argumentType.precision() + 10), argumentType.scale());
        var rows = new Decimal(20, 0);
        return new DuckDivision(total, rows, result)
                .print(DuckTypes.cast(sum, total), DuckTypes.cast(count, rows));
    }

    private static String nullWithout(String count, String value) {
        return "(CASE WHEN %s = 0 THEN NULL ELSE %s END)".formatted(count, value);
    }

    Attribute attribute() {
        return measure.attribute();
    }
}
