-- Tables that clients commit to through the catalog (Delta's catalogManaged feature).
CREATE TABLE lakemill.staging_tables (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    location text NOT NULL UNIQUE,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- metadata holds what loadTable gives back: columns, partition-columns, protocol, properties and
-- domain-metadata, in the words of the Delta API. revision rises with every change.
CREATE TABLE lakemill.managed_tables (
    table_id uuid PRIMARY KEY,
    revision bigint NOT NULL DEFAULT 1,
    metadata jsonb NOT NULL,
    metadata_version bigint NOT NULL DEFAULT 0,
    metadata_timestamp_ms bigint NOT NULL,
    latest_version bigint NOT NULL DEFAULT 0,
    backfilled_version bigint NOT NULL DEFAULT 0
);

-- Commits stay for a while after their backfill, so that a repeated one is known.
CREATE TABLE lakemill.managed_commits (
    table_id uuid NOT NULL REFERENCES lakemill.managed_tables ON DELETE CASCADE,
    version bigint NOT NULL,
    timestamp_ms bigint NOT NULL,
    file_name text NOT NULL,
    file_size bigint NOT NULL,
    file_modified_ms bigint NOT NULL,
    PRIMARY KEY (table_id, version)
);
