-- What only Postgres has of a table: declarations of columns and definitions of indexes, by name.
-- An index is named here before its building begins.
ALTER TABLE lakemill.synced_tables
    ADD COLUMN extra_columns jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN extra_indexes jsonb NOT NULL DEFAULT '{}';
