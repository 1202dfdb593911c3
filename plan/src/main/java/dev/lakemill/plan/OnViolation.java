package dev.lakemill.plan;

/** What an expectation does with a row that fails it. */
public enum OnViolation {
    /** Counts it and keeps the row. */
    WARN,
    DROP_ROW,
    /** Stops the pipeline; nothing of the batch is written. */
    FAIL_UPDATE,
    /** Sets the row aside in the table's quarantine table, with the names of the failed rules. */
    QUARANTINE
}
