-- What a pipeline's synced tables show. Changes in the same transaction as they do.
CREATE TABLE lakemill.sync_state (
    pipeline text PRIMARY KEY,
    batch bigint NOT NULL,
    now timestamptz NOT NULL,
    sources jsonb NOT NULL,
    received_at timestamptz,
    applied_at timestamptz NOT NULL
) WITH (fillfactor = 20);

-- Which tables of Postgres are ours to change. Without a pipeline: nobody's any more.
CREATE TABLE lakemill.synced_tables (
    name text PRIMARY KEY,
    pipeline text,
    source text NOT NULL,
    postgres_schema text NOT NULL,
    postgres_table text NOT NULL,
    refused text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (postgres_schema, postgres_table)
);

-- Rows of the source that Postgres cannot hold, or that a later row of the same key hides.
CREATE TABLE lakemill.sync_skipped (
    name text NOT NULL REFERENCES lakemill.synced_tables ON DELETE CASCADE,
    reason text NOT NULL,
    rows bigint NOT NULL,
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, reason)
);

GRANT SELECT ON lakemill.sync_state, lakemill.synced_tables, lakemill.sync_skipped
    TO lakemill_reader;
