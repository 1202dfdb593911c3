package dev.lakemill.pipeline;

import dev.lakemill.plan.OnViolation;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * An expectation, as the engine needs it.
 *
 * @param text as the user wrote it, with its place, for messages
 */
record Rule(String name, OnViolation onViolation, String text, Test test) {
    sealed interface Test {
        /**
         * @param sql of the condition over the table's columns, given SQL of now()
         */
        record Condition(UnaryOperator<String> sql) implements Test {}

        /** NULLs are equal here, as in Spark's dropDuplicates. */
        record Unique(List<String> columns) implements Test {}
    }
}
