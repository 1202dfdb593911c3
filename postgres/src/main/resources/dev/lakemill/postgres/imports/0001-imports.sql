-- Imports of applications' databases: what is to be done, and how far it has come. One at a time.
CREATE TABLE lakemill.imports (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    schemas text[] NOT NULL,
    left_out text[] NOT NULL,
    catalog text NOT NULL,
    owner text NOT NULL,
    structure text NOT NULL,
    state text NOT NULL,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX imports_open ON lakemill.imports ((true)) WHERE state <> 'DONE';

-- Each step is done in the transaction that says so here.
CREATE TABLE lakemill.import_steps (
    import_id uuid NOT NULL REFERENCES lakemill.imports ON DELETE CASCADE,
    number int NOT NULL,
    before_rows boolean NOT NULL,
    object text NOT NULL,
    command text NOT NULL,
    undo text NOT NULL,
    done boolean NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- A table's rows are all there in the transaction that says so here.
CREATE TABLE lakemill.import_tables (
    import_id uuid NOT NULL REFERENCES lakemill.imports ON DELETE CASCADE,
    number int NOT NULL,
    postgres_schema text NOT NULL,
    postgres_table text NOT NULL,
    kind text NOT NULL,
    rows_estimated bigint NOT NULL,
    columns text[] NOT NULL,
    is_binary boolean NOT NULL,
    comment text NOT NULL,
    copied boolean NOT NULL DEFAULT false,
    row_count bigint NOT NULL DEFAULT 0,
    checksum text NOT NULL DEFAULT '',
    PRIMARY KEY (import_id, number)
);
