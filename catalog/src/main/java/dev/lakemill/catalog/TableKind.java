package dev.lakemill.catalog;

/** What a table of the catalog is. */
public enum TableKind {
    /** Rows come in through ingest: CREATE TABLE. */
    INGESTED,
    STREAMING_TABLE,
    MATERIALIZED_VIEW,
    /** Rows that an expectation set aside. */
    QUARANTINE,
    /** A read-only Postgres copy of another table. */
    SYNCED
}
