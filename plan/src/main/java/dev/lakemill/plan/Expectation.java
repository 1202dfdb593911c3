package dev.lakemill.plan;

import java.util.List;

/** A rule that every row of a dataset should keep. */
public sealed interface Expectation {
    String name();

    OnViolation onViolation();

    /** The rule as the user wrote it. */
    String text();

    SourcePosition position();

    /** A condition on one row; NULL counts as failed. */
    record Condition(
            String name,
            Expression condition,
            OnViolation onViolation,
            String text,
            SourcePosition position)
            implements Expectation {}

    /**
     * {@code EXPECT UNIQUE (columns)}: among all rows ever kept in the table, and within a batch
     * the first; only for streaming tables; DROP_ROW or QUARANTINE or WARN.
     */
    record Unique(
            String name,
            List<String> columns,
            OnViolation onViolation,
            String text,
            SourcePosition position)
            implements Expectation {}
}
