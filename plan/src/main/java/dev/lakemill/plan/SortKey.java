package dev.lakemill.plan;

/** One key of an order; Spark's default (ascending, NULL first) is already filled in. */
public record SortKey(Expression value, boolean ascending, boolean nullsFirst) {}
