-- The text of a view as it was written, and how names in it are read. Tables of the kind VIEW that
-- have none are views of Postgres.
CREATE TABLE lakemill.views (
    table_id uuid PRIMARY KEY REFERENCES lakemill.tables ON DELETE CASCADE,
    text text NOT NULL,
    default_catalog text NOT NULL,
    default_schema text NOT NULL,
    query_columns text[] NOT NULL,
    sources text[] NOT NULL
);
