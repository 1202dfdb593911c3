package dev.lakemill.api.pipeline;

/** What becomes of a row that an expectation does not hold for; NULL does not hold. */
public enum OnViolation {
    /** It is counted, and stays. */
    WARN(""),
    DROP_ROW(" ON VIOLATION DROP ROW"),
    FAIL_UPDATE(" ON VIOLATION FAIL UPDATE"),
    /** It goes to the table's quarantine, with the names of the failed rules. */
    QUARANTINE(" ON VIOLATION QUARANTINE");

    private final String sql;

    OnViolation(String sql) {
        this.sql = sql;
    }

    String sql() {
        return sql;
    }
}
