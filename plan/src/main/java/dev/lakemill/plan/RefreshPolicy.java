package dev.lakemill.plan;

/** How a materialized view is to be kept, as {@code REFRESH POLICY} says it. */
public enum RefreshPolicy {
    /** What costs least, by form and measurement. */
    AUTO,
    /** By its changes where the form allows it, else in full. */
    INCREMENTAL,
    /** By its changes; a form that does not allow it is refused. */
    INCREMENTAL_STRICT,
    /** By computing the query anew. */
    FULL
}
