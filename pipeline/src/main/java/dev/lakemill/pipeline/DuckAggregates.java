package dev.lakemill.pipeline;

import dev.lakemill.plan.AggregateCall;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Prints aggregate functions, over groups and over windows.
 *
 * <p>Sums and averages get Spark's types, and its errors on overflow. Doubles are summed in the
 * order in which the engine meets the rows, as in Spark, so their last digits are not fixed. Of
 * rows that tie, max_by and min_by take the greatest or least value, where Spark takes any.
 */
final class DuckAggregates {
    /** So many digits can be summed ten thousand million times within 38. */
    private static final int SUMMED_DIGITS_MAX = 28;

    private final DuckExpressions values;

    DuckAggregates(DuckExpressions values) {
        this.values = values;
    }

    /**
     * A sum of integers or decimals of which DuckDB does not guess the bounds. DuckDB 2.0 counts no
     * rows for an outer join one side of which its statistics say is empty, takes sums over it for
     * 0 and decides comparisons by that. A member of a union has no statistics.
     */
    static String unbounded(String sum) {
        return "union_extract(union_value(v := %s), 'v')".formatted(sum);
    }

    String print(AggregateCall call) {
        return print(call, "");
    }

    /**
     * @param over what stands behind each aggregate: empty, or an OVER clause
     */
    String print(AggregateCall call, String over) {
        var printed = new Printed(call, arguments(call), over);
        return switch (call.function()) {
            case COUNT -> printed.count();
            case SUM -> DuckTypes.cast(printed.sum(), call.type());
            case TRY_SUM -> printed.triedSum();
            case AVG -> printed.average();
            case MIN -> printed.plain("min");
            case MAX -> printed.plain("max");
            case MAX_BY -> printed.by("arg_max_null");
            case MIN_BY -> printed.by("arg_min_null");
            case STDDEV_SAMP -> printed.plain("stddev_samp");
            case STDDEV_POP -> printed.plain("stddev_pop");
            case VAR_SAMP -> printed.plain("var_samp");
            case VAR_POP -> printed.plain("var_pop");
            case COVAR_SAMP -> printed.plain("covar_samp");
            case COVAR_POP -> printed.plain("covar_pop");
            case CORR -> printed.defined("corr");
            case REGR_SLOPE -> printed.defined("regr_slope");
            case REGR_INTERCEPT -> printed.plain("regr_intercept");
            case PERCENTILE -> printed.percentile();
            case BIT_AND -> printed.plain("bit_and");
            case BIT_OR -> printed.plain("bit_or");
            case BIT_XOR -> printed.plain("bit_xor");
        };
    }

    /** DuckDB computes the arguments before it filters. */
    private List<String> arguments(AggregateCall call) {
        var filter = call.filter();
        return call.arguments().stream()
                .map(
                        argument ->
                                filter != null && DuckFailures.possible(argument)
                                        ? "(CASE WHEN %s THEN %s END)"
                                                .formatted(
                                                        values.print(filter),
                                                        values.print(argument))
                                        : values.print(argument))
                .toList();
    }

    /** One call with its arguments printed. */
    private final class Printed {
        private final AggregateCall call;
        private final List<String> a;
        private final String over;

        Printed(AggregateCall call, List<String> arguments, String over) {
            this.call = call;
            this.a = arguments;
            this.over = over;
        }

        /** The call of a DuckDB function with this call's DISTINCT, filter and window. */
        private String plain(String function, String arguments, @Nullable String condition) {
            var filter =
                    Stream.concat(
                                    Stream.ofNullable(call.filter()).map(e -> values.print(e)),
                                    Stream.ofNullable(condition))
                            .collect(Collectors.joining(" AND "));
            return function
                    + "("
                    + (call.distinct() ? "DISTINCT " : "")
                    + arguments
                    + ")"
                    + (filter.isEmpty() ? "" : " FILTER (WHERE " + filter + ")")
                    + over;
        }

        private String plain(String function) {
            return plain(function, String.join(", ", distinct()), null);
        }

        /** Zeros of both signs are one value. */
        private List<String> distinct() {
            return call.distinct()
                    ? IntStream.range(0, a.size())
                            .mapToObj(i -> unsigned(a.get(i), type(i)))
                            .toList()
                    : a;
        }

        private static String unsigned(String value, DataType type) {
            return DuckTypes.isFloating(type) ? DuckTypes.cast(value + " + 0", type) : value;
        }

        private DataType type(int index) {
            return call.arguments().get(index).type();
        }

        private String count() {
            if (a.isEmpty()) {
                return plain("count", "*", null);
            }
            if (a.size() == 1) {
                return plain("count");
            }
            var whole =
                    a.stream().map(v -> v + " IS NOT NULL").collect(Collectors.joining(" AND "));
            var row = call.distinct() ? "row(" + String.join(", ", distinct()) + ")" : "*";
            return plain("count", row, whole);
        }

        private String sum() {
            if (type(0) == Primitive.FLOAT) {
                return plain("sum", DuckTypes.cast(a.getFirst(), Primitive.DOUBLE), null);
            }
            var isBounded = over.isEmpty() && !DuckTypes.isFloating(type(0));
            return isBounded ? unbounded(plain("sum")) : plain("sum");
        }

        /** DuckDB fails where a sum is longer than its widest type, before it can be tried. */
        private String triedSum() {
            if (type(0) instanceof Decimal argument && argument.precision() > SUMMED_DIGITS_MAX) {
                throw DuckRefusal.of(
                        call.position(),
                        "try_sum of " + argument.sql(),
                        "cast to a decimal of at most %d digits".formatted(SUMMED_DIGITS_MAX));
            }
            return "TRY_CAST(%s AS %s)".formatted(sum(), DuckTypes.name(call.type()));
        }

        private String average() {
            if (!(call.type() instanceof Decimal result)
                    || !(type(0) instanceof Decimal argument)) {
                return plain("avg", DuckTypes.cast(distinct().getFirst(), Primitive.DOUBLE), null);
            }
            var total = new Decimal(Math.min(38, argument.precision() + 10), argument.scale());
            var count = new Decimal(20, 0);
            var divided =
                    new DuckDivision(total, count, result)
                            .print(
                                    DuckTypes.cast(sum(), total),
                                    DuckTypes.cast(plain("count"), count));
            return "(CASE WHEN %s = 0 THEN NULL ELSE %s END)".formatted(plain("count"), divided);
        }

        /** Rows without an order do not count; the value may be NULL. */
        private String by(String function) {
            return plain(
                    function,
                    "%1$s, row(%2$s, %1$s)".formatted(a.get(0), a.get(1)),
                    a.get(1) + " IS NOT NULL");
        }

        /** Where all values are equal, Spark gives NULL and DuckDB NaN. */
        private String defined(String function) {
            return "(CASE WHEN isnan(%1$s) THEN NULL ELSE %1$s END)".formatted(plain(function));
        }

        /** As Spark interpolates: (1 - f) * lower + f * upper, by the place among the values. */
        private String percentile() {
            var share =
                    DuckFunctions.constant(call.arguments().get(1))
                            .map(Double::parseDouble)
                            .orElseThrow(
                                    () ->
                                            DuckRefusal.of(
                                                    call.position(),
                                                    "a share that is not a constant",
                                                    "write a number from 0 to 1"));
            var list =
                    "list_sort(%s)".formatted(plain("list", a.get(0), a.get(0) + " IS NOT NULL"));
            var lower = element("floor(p)");
            var upper = element("ceil(p)");
            var value =
                    "CASE WHEN floor(p) = ceil(p) OR %1$s = %2$s THEN %1$s ELSE (ceil(p) - p) * %1$s + (p - floor(p)) * %2$s END"
                            .formatted(lower, upper);
            var place = "(len(v) - 1) * " + number(share);
            return with("v", list, with("p", place, value));
        }

        /** SQL that may name a value as often as it likes: planning takes long for what is long. */
        private static String with(String name, String value, String sql) {
            return "list_transform([%s], lambda %s : %s)[1]".formatted(value, name, sql);
        }

        private static String element(String place) {
            return "CAST(list_extract(v, CAST(%s AS BIGINT) + 1) AS DOUBLE)".formatted(place);
        }

        private static String number(double value) {
            return DuckExpressions.literal(Primitive.DOUBLE, Double.toString(value));
        }
    }
}
