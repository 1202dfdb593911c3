package dev.lakemill.pipeline;

/** Who decides how views are kept. */
public enum MaintenanceChoice {
    /** For each view what costs less, by measurement. */
    MEASURED,
    /** By changes, wherever the query's form allows it. */
    INCREMENTAL,
    /** By running the query anew. */
    RECOMPUTE
}
