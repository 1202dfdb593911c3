-- What streams there were, and what landed: system.lakeflow's tables, for a while.
CREATE TABLE lakemill.zerobus_stream (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kept_since timestamptz NOT NULL DEFAULT now(),
    stream_id text NOT NULL,
    event_time timestamptz NOT NULL,
    producer_id text NOT NULL,
    opened_time timestamptz NOT NULL,
    closed_time timestamptz,
    table_id text NOT NULL,
    table_name text NOT NULL,
    protocol text NOT NULL,
    data_format text NOT NULL,
    error text
);

CREATE TABLE lakemill.zerobus_ingest (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kept_since timestamptz NOT NULL DEFAULT now(),
    commit_time timestamptz NOT NULL,
    table_id text NOT NULL,
    table_name text NOT NULL,
    commit_version bigint NOT NULL,
    committed_records bigint NOT NULL,
    committed_bytes bigint NOT NULL
);
