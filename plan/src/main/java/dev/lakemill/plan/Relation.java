package dev.lakemill.plan;

/** A query, analysed: SKELETON, the compiler's author fills the permitted records in. */
public sealed interface Relation {
    /** Placeholder until the compiler's author defines the IR. */
    record Undefined() implements Relation {}
}
