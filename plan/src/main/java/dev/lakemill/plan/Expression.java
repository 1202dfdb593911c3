package dev.lakemill.plan;

/** A scalar expression, analysed: SKELETON, as {@link Relation}. */
public sealed interface Expression {
    /** Placeholder until the compiler's author defines the IR. */
    record Undefined() implements Expression {}
}
