-- What flowed from where to where, by what and on whose account: a row for each window of time.
-- An empty source means that rows came from outside; an empty target, that they were read.
CREATE TABLE lakemill.table_lineage (
    record_id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    entity_run_id text NOT NULL,
    source_type text NOT NULL,
    source_name text NOT NULL,
    target_type text NOT NULL,
    target_name text NOT NULL,
    created_by text NOT NULL,
    window_start timestamptz NOT NULL,
    event_time timestamptz NOT NULL,
    row_count bigint NOT NULL,
    PRIMARY KEY (target_name, source_name, entity_type, entity_id, created_by, window_start)
);
CREATE INDEX table_lineage_target ON lakemill.table_lineage (lower(target_name));
CREATE INDEX table_lineage_source ON lakemill.table_lineage (lower(source_name));
CREATE INDEX table_lineage_time ON lakemill.table_lineage (event_time, record_id);

CREATE TABLE lakemill.column_lineage (
    record_id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    entity_run_id text NOT NULL,
    source_type text NOT NULL,
    source_name text NOT NULL,
    source_column text NOT NULL,
    target_type text NOT NULL,
    target_name text NOT NULL,
    target_column text NOT NULL,
    created_by text NOT NULL,
    window_start timestamptz NOT NULL,
    event_time timestamptz NOT NULL,
    PRIMARY KEY (target_name, target_column, source_name, source_column, entity_type, entity_id,
        created_by, window_start)
);
CREATE INDEX column_lineage_target ON lakemill.column_lineage
    (lower(target_name), lower(target_column));
CREATE INDEX column_lineage_source ON lakemill.column_lineage
    (lower(source_name), lower(source_column));
CREATE INDEX column_lineage_time ON lakemill.column_lineage (event_time);

-- A name of three parts is a table's or a model's; anything else is a path.
CREATE FUNCTION lakemill.name_part(name text, part int) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN name ~ '^[^./]+\.[^./]+\.[^./]+$' THEN split_part(name, '.', part) END;

-- Databricks' system.access.table_lineage and column_lineage.
CREATE VIEW lakemill.access_table_lineage AS
SELECT entity_type, entity_id, nullif(entity_run_id, '') AS entity_run_id,
    CASE WHEN source_type <> 'PATH' THEN nullif(source_name, '') END AS source_table_full_name,
    lakemill.name_part(source_name, 1) AS source_table_catalog,
    lakemill.name_part(source_name, 2) AS source_table_schema,
    lakemill.name_part(source_name, 3) AS source_table_name,
    CASE WHEN source_type = 'PATH' THEN source_name END AS source_path,
    nullif(source_type, '') AS source_type,
    CASE WHEN target_type <> 'PATH' THEN nullif(target_name, '') END AS target_table_full_name,
    lakemill.name_part(target_name, 1) AS target_table_catalog,
    lakemill.name_part(target_name, 2) AS target_table_schema,
    lakemill.name_part(target_name, 3) AS target_table_name,
    CASE WHEN target_type = 'PATH' THEN target_name END AS target_path,
    nullif(target_type, '') AS target_type,
    created_by, event_time, (event_time AT TIME ZONE 'UTC')::date AS event_date, record_id,
    row_count
FROM lakemill.table_lineage;

CREATE VIEW lakemill.access_column_lineage AS
SELECT entity_type, entity_id, nullif(entity_run_id, '') AS entity_run_id,
    CASE WHEN source_type <> 'PATH' THEN source_name END AS source_table_full_name,
    lakemill.name_part(source_name, 1) AS source_table_catalog,
    lakemill.name_part(source_name, 2) AS source_table_schema,
    lakemill.name_part(source_name, 3) AS source_table_name,
    CASE WHEN source_type = 'PATH' THEN source_name END AS source_path,
    source_type, source_column AS source_column_name,
    CASE WHEN target_type <> 'PATH' THEN target_name END AS target_table_full_name,
    lakemill.name_part(target_name, 1) AS target_table_catalog,
    lakemill.name_part(target_name, 2) AS target_table_schema,
    lakemill.name_part(target_name, 3) AS target_table_name,
    CASE WHEN target_type = 'PATH' THEN target_name END AS target_path,
    target_type, target_column AS target_column_name,
    created_by, event_time, (event_time AT TIME ZONE 'UTC')::date AS event_date, record_id
FROM lakemill.column_lineage;
