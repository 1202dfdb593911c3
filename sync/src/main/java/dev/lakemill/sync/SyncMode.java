package dev.lakemill.sync;

/** When a synced table follows its source, as Databricks names it. */
public enum SyncMode {
    /** On demand, the whole source is compared and what differs is written. */
    SNAPSHOT,
    /** On demand, what the source changed since the last time is written. */
    TRIGGERED,
    /** All the time. */
    CONTINUOUS
}
