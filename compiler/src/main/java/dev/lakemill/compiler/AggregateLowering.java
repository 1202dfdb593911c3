package dev.lakemill.compiler;

import static java.util.Map.entry;

import dev.lakemill.plan.AggregateCall;
import dev.lakemill.plan.AggregateFunction;
import dev.lakemill.plan.Expression;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.EvalMode;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.Average;
import org.apache.spark.sql.catalyst.expressions.aggregate.BitAndAgg;
import org.apache.spark.sql.catalyst.expressions.aggregate.BitOrAgg;
import org.apache.spark.sql.catalyst.expressions.aggregate.BitXorAgg;
import org.apache.spark.sql.catalyst.expressions.aggregate.Corr;
import org.apache.spark.sql.catalyst.expressions.aggregate.Count;
import org.apache.spark.sql.catalyst.expressions.aggregate.CovPopulation;
import org.apache.spark.sql.catalyst.expressions.aggregate.CovSample;
import org.apache.spark.sql.catalyst.expressions.aggregate.Max;
import org.apache.spark.sql.catalyst.expressions.aggregate.MaxBy;
import org.apache.spark.sql.catalyst.expressions.aggregate.Min;
import org.apache.spark.sql.catalyst.expressions.aggregate.MinBy;
import org.apache.spark.sql.catalyst.expressions.aggregate.Percentile;
import org.apache.spark.sql.catalyst.expressions.aggregate.RegrIntercept;
import org.apache.spark.sql.catalyst.expressions.aggregate.RegrSlope;
import org.apache.spark.sql.catalyst.expressions.aggregate.StddevPop;
import org.apache.spark.sql.catalyst.expressions.aggregate.StddevSamp;
import org.apache.spark.sql.catalyst.expressions.aggregate.Sum;
import org.apache.spark.sql.catalyst.expressions.aggregate.VariancePop;
import org.apache.spark.sql.catalyst.expressions.aggregate.VarianceSamp;

/** Says Spark's aggregate functions in the plan's terms, or refuses them; fail-closed. */
final class AggregateLowering {
    private static final Map<Class<?>, AggregateFunction> FUNCTIONS =
            Map.ofEntries(
                    entry(Count.class, AggregateFunction.COUNT),
                    entry(Sum.class, AggregateFunction.SUM),
                    entry(Average.class, AggregateFunction.AVG),
                    entry(Min.class, AggregateFunction.MIN),
                    entry(Max.class, AggregateFunction.MAX),
                    entry(MaxBy.class, AggregateFunction.MAX_BY),
                    entry(MinBy.class, AggregateFunction.MIN_BY),
                    entry(StddevSamp.class, AggregateFunction.STDDEV_SAMP),
                    entry(StddevPop.class, AggregateFunction.STDDEV_POP),
                    entry(VarianceSamp.class, AggregateFunction.VAR_SAMP),
                    entry(VariancePop.class, AggregateFunction.VAR_POP),
                    entry(CovSample.class, AggregateFunction.COVAR_SAMP),
                    entry(CovPopulation.class, AggregateFunction.COVAR_POP),
                    entry(Corr.class, AggregateFunction.CORR),
                    entry(RegrSlope.class, AggregateFunction.REGR_SLOPE),
                    entry(RegrIntercept.class, AggregateFunction.REGR_INTERCEPT),
                    entry(Percentile.class, AggregateFunction.PERCENTILE),
                    entry(BitAndAgg.class, AggregateFunction.BIT_AND),
                    entry(BitOrAgg.class, AggregateFunction.BIT_OR),
                    entry(BitXorAgg.class, AggregateFunction.BIT_XOR));

    /** What means the same for microseconds and months as for any number. */
    private static final Set<AggregateFunction> FOR_INTERVALS =
            Set.of(AggregateFunction.COUNT, AggregateFunction.MIN, AggregateFunction.MAX);

    private final ExpressionLowering values;

    AggregateLowering(ExpressionLowering values) {
        this.values = values;
    }

    AggregateCall lower(AggregateExpression e) {
        var spark = e.aggregateFunction();
        var function = FUNCTIONS.get(spark.getClass());
        if (function == null) {
            values.refuse(
                    e,
                    "%s is not supported".formatted(ExpressionLowering.name(spark)),
                    FunctionHints.of(spark.prettyName()));
            return call(e, AggregateFunction.COUNT, List.of());
        }
        var children =
                Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(spark.children());
        if (children.stream().anyMatch(c -> SparkTypes.isInterval(c.dataType()))
                && !FOR_INTERVALS.contains(function)) {
            values.refuse(
                    e,
                    "%s() of an interval is not supported".formatted(spark.prettyName()),
                    "aggregate unix_micros of the times");
        }
        return call(e, tried(e, function), arguments(e, children));
    }

    private AggregateCall call(
            AggregateExpression e, AggregateFunction function, List<Expression> arguments) {
        return new AggregateCall(
                function,
                arguments,
                e.isDistinct(),
                Scala.optional(e.filter()).map(values::lower).orElse(null),
                values.scope().type(e),
                e.nullable(),
                values.scope().position(e));
    }

    private List<Expression> arguments(
            AggregateExpression e,
            List<org.apache.spark.sql.catalyst.expressions.Expression> children) {
        return switch (e.aggregateFunction()) {
            case Count _
                    when !e.isDistinct()
                            && children.stream().allMatch(AggregateLowering::isNotNullConstant) ->
                    List.of();
            case Percentile percentile -> percentile(percentile);
            default -> values.lower(children);
        };
    }

    private static boolean isNotNullConstant(
            org.apache.spark.sql.catalyst.expressions.Expression e) {
        return e instanceof Literal literal && literal.value() != null;
    }

    private AggregateFunction tried(AggregateExpression e, AggregateFunction function) {
        if (e.aggregateFunction() instanceof Sum sum
                && sum.evalContext().evalMode().equals(EvalMode.TRY())) {
            return AggregateFunction.TRY_SUM;
        }
        if (e.aggregateFunction() instanceof Average average
                && average.evalMode().equals(EvalMode.TRY())) {
            values.refuse(e, "try_avg is not supported", "use avg");
        }
        return function;
    }

    /** The value and the share; a share counted from above is turned round. */
    private List<Expression> percentile(Percentile percentile) {
        var share = percentile.percentageExpression().eval(null);
        var isPlain =
                percentile.frequencyExpression() instanceof Literal frequency
                        && ((Number) frequency.value()).longValue() == 1;
        if (!isPlain || !(share instanceof Double number) || percentile.reverse()) {
            values.refuse(
                    percentile,
                    "percentile with an array, a frequency or a descending order is not supported",
                    "use percentile(value, share) with one constant share from 0 to 1");
            return List.of();
        }
        return List.of(
                values.lower(percentile.child()),
                new Expression.Literal(Primitive.DOUBLE, number.toString()));
    }
}
