-- Names are unique without regard to case, as in Spark and Unity Catalog.
CREATE TABLE lakemill.catalogs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    comment text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX catalogs_name ON lakemill.catalogs (lower(name));

CREATE TABLE lakemill.schemas (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    catalog_id uuid NOT NULL REFERENCES lakemill.catalogs,
    name text NOT NULL,
    comment text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX schemas_name ON lakemill.schemas (catalog_id, lower(name));

CREATE TABLE lakemill.tables (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    schema_id uuid NOT NULL REFERENCES lakemill.schemas,
    name text NOT NULL,
    kind text NOT NULL,
    location text NOT NULL,
    comment text NOT NULL DEFAULT '',
    properties jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX tables_name ON lakemill.tables (schema_id, lower(name));

-- The names of Unity Catalog's ColumnInfo: type_text is DDL, type_json is Delta's schema form.
CREATE TABLE lakemill.columns (
    table_id uuid NOT NULL REFERENCES lakemill.tables ON DELETE CASCADE,
    position int NOT NULL,
    name text NOT NULL,
    type_text text NOT NULL,
    type_json jsonb NOT NULL,
    nullable boolean NOT NULL,
    comment text NOT NULL DEFAULT '',
    PRIMARY KEY (table_id, position)
);
