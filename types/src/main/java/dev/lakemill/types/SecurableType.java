package dev.lakemill.types;

/** The kinds of things that privileges are granted on, in Unity Catalog's words and ours. */
public enum SecurableType {
    METASTORE,
    CATALOG,
    SCHEMA,
    /** Every table: Bronze, Silver, Gold, views, synced tables and Postgres state tables. */
    TABLE,
    VOLUME,
    FUNCTION,
    REGISTERED_MODEL,
    EXTERNAL_LOCATION,
    CREDENTIAL,
    APP,
    AGENT
}
