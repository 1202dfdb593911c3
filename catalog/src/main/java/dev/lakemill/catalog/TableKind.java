package dev.lakemill.catalog;

/** What a table of the catalog is. */
public enum TableKind {
    /** Rows come in through ingest: CREATE TABLE. */
    INGESTED(true),
    STREAMING_TABLE(true),
    MATERIALIZED_VIEW(true),
    /** Rows that an expectation set aside. */
    QUARANTINE(true),
    /** A read-only Postgres copy of another table. */
    SYNCED(true),
    /** A Delta table that others write where they please. */
    EXTERNAL(false),
    /** A Delta table that others write, at a place of ours and with our leave for each commit. */
    MANAGED(false),
    /** A query by name. */
    VIEW(false),
    /** A read-write Postgres table of an application. */
    STATE(false);

    private final boolean fed;

    TableKind(boolean fed) {
        this.fed = fed;
    }

    /**
     * Whether the node itself writes it, by its name: it is renamed and dropped by the node alone.
     */
    public boolean fed() {
        return fed;
    }
}
