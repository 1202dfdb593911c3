-- What the reader of the changes keeps beside its slot.

-- The slot that stands; a new generation for each time that it was made anew.
CREATE TABLE lakemill.capture_slots (
    slot text PRIMARY KEY,
    generation text NOT NULL
);

-- Captured tables, as they were at the end of what was read; `snapshot` where rows are to be read.
CREATE TABLE lakemill.capture_tables (
    slot text NOT NULL,
    relation bigint NOT NULL,
    lake_schema text NOT NULL,
    lake_table text NOT NULL,
    shape jsonb NOT NULL,
    snapshot boolean NOT NULL,
    PRIMARY KEY (slot, relation)
);

-- Commands that made, changed or dropped tables of captured schemas. They travel in the stream with
-- the changes, so that the reader knows each table as it was at every place of the log.
CREATE TABLE lakemill.capture_ddl (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tag text NOT NULL,
    relation bigint NOT NULL,
    shape jsonb
);

-- Schemas to capture, those that are not there yet too.
CREATE TABLE lakemill.capture_schemas (
    publication text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (publication, name)
);
