package dev.lakemill.plan;

import java.util.List;

/** The aggregate functions that a plan may hold, each with exactly Spark's ANSI meaning. */
public enum AggregateFunction {
    /** Rows in which no argument is NULL; without arguments all rows. */
    COUNT("count", "count_if", "regr_count"),
    SUM("sum"),
    TRY_SUM("try_sum"),
    AVG("avg", "mean", "regr_avgx", "regr_avgy"),
    MIN("min", "bool_and", "every"),
    MAX("max", "bool_or", "any", "some"),
    /** The first argument where the second is greatest. */
    MAX_BY("max_by"),
    /** The first argument where the second is least. */
    MIN_BY("min_by"),
    STDDEV_SAMP("stddev", "stddev_samp", "std"),
    STDDEV_POP("stddev_pop"),
    VAR_SAMP("variance", "var_samp"),
    VAR_POP("var_pop"),
    COVAR_SAMP("covar_samp"),
    COVAR_POP("covar_pop"),
    CORR("corr"),
    REGR_SLOPE("regr_slope"),
    REGR_INTERCEPT("regr_intercept"),
    /** Exact, interpolated; the second argument is a constant from 0 to 1. */
    PERCENTILE("median", "percentile", "percentile_cont"),
    BIT_AND("bit_and"),
    BIT_OR("bit_or"),
    BIT_XOR("bit_xor");

    @SuppressWarnings("ImmutableEnumChecker") // List.of gives an immutable list
    private final List<String> forms;

    AggregateFunction(String... forms) {
        this.forms = List.of(forms);
    }

    /** How it is written in SQL. */
    public List<String> forms() {
        return forms;
    }
}
