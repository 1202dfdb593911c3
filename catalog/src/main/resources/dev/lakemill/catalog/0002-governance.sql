-- A principal's id is never used again; its name is unique without regard to case.
CREATE TABLE lakemill.principals (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    name text NOT NULL,
    display_name text NOT NULL DEFAULT '',
    external_id text NOT NULL DEFAULT '',
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX principals_name ON lakemill.principals (lower(name));
INSERT INTO lakemill.principals (kind, name, display_name) VALUES
    ('SERVICE_PRINCIPAL', 'system', 'This node'),
    ('GROUP', 'admins', 'Metastore admins'),
    ('GROUP', 'account users', 'Everybody');

CREATE TABLE lakemill.members (
    group_id uuid NOT NULL REFERENCES lakemill.principals ON DELETE CASCADE,
    member_id uuid NOT NULL REFERENCES lakemill.principals ON DELETE CASCADE,
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX members_member ON lakemill.members (member_id);
INSERT INTO lakemill.members
SELECT g.id, s.id FROM lakemill.principals g, lakemill.principals s
WHERE g.name = 'admins' AND s.name = 'system';

-- All that privileges are granted on is one tree; what only one kind has stands beside it.
CREATE TABLE lakemill.securables (
    id uuid PRIMARY KEY,
    parent_id uuid REFERENCES lakemill.securables ON DELETE CASCADE,
    type text NOT NULL,
    name text NOT NULL,
    owner_id uuid NOT NULL REFERENCES lakemill.principals,
    comment text NOT NULL DEFAULT '',
    properties jsonb NOT NULL DEFAULT '{}',
    location text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT 'system',
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT 'system'
);
CREATE UNIQUE INDEX securables_name
    ON lakemill.securables (parent_id, type, lower(name)) NULLS NOT DISTINCT;
CREATE INDEX securables_owner ON lakemill.securables (owner_id);
INSERT INTO lakemill.securables (id, type, name, owner_id)
SELECT gen_random_uuid(), 'METASTORE', '', id FROM lakemill.principals WHERE name = 'admins';

-- What stood before governance belongs to the node.
INSERT INTO lakemill.securables
    (id, parent_id, type, name, owner_id, comment, created_at, updated_at)
SELECT c.id, m.id, 'CATALOG', c.name, p.id, c.comment, c.created_at, c.created_at
FROM lakemill.catalogs c, lakemill.securables m, lakemill.principals p
WHERE m.type = 'METASTORE' AND p.name = 'system';
INSERT INTO lakemill.securables
    (id, parent_id, type, name, owner_id, comment, created_at, updated_at)
SELECT s.id, s.catalog_id, 'SCHEMA', s.name, p.id, s.comment, s.created_at, s.created_at
FROM lakemill.schemas s, lakemill.principals p WHERE p.name = 'system';
INSERT INTO lakemill.securables
    (id, parent_id, type, name, owner_id, comment, properties, location, created_at, updated_at)
SELECT t.id, t.schema_id, 'TABLE', t.name, p.id, t.comment, t.properties, t.location,
    t.created_at, t.updated_at
FROM lakemill.tables t, lakemill.principals p WHERE p.name = 'system';

ALTER TABLE lakemill.tables
    DROP COLUMN schema_id,
    DROP COLUMN name,
    DROP COLUMN location,
    DROP COLUMN comment,
    DROP COLUMN properties,
    DROP COLUMN created_at,
    DROP COLUMN updated_at,
    ALTER COLUMN id DROP DEFAULT,
    ADD FOREIGN KEY (id) REFERENCES lakemill.securables ON DELETE CASCADE;
DROP TABLE lakemill.schemas, lakemill.catalogs;

CREATE TABLE lakemill.grants (
    securable_id uuid NOT NULL REFERENCES lakemill.securables ON DELETE CASCADE,
    principal_id uuid NOT NULL REFERENCES lakemill.principals ON DELETE CASCADE,
    privilege text NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (securable_id, principal_id, privilege)
);
CREATE INDEX grants_principal ON lakemill.grants (principal_id);

-- Parameters are columns in the JSON of Delta's schemas.
CREATE TABLE lakemill.functions (
    id uuid PRIMARY KEY REFERENCES lakemill.securables ON DELETE CASCADE,
    parameters jsonb NOT NULL,
    returns jsonb NOT NULL,
    body text NOT NULL,
    duck_sql text NOT NULL,
    postgres_sql text NOT NULL
);

-- A function that a policy uses is dropped only together with the policy's table.
CREATE TABLE lakemill.row_filters (
    table_id uuid PRIMARY KEY REFERENCES lakemill.tables ON DELETE CASCADE,
    function_id uuid NOT NULL
        REFERENCES lakemill.functions DEFERRABLE INITIALLY DEFERRED,
    columns text[] NOT NULL
);
CREATE TABLE lakemill.column_masks (
    table_id uuid NOT NULL REFERENCES lakemill.tables ON DELETE CASCADE,
    column_name text NOT NULL,
    function_id uuid NOT NULL
        REFERENCES lakemill.functions DEFERRABLE INITIALLY DEFERRED,
    using_columns text[] NOT NULL,
    PRIMARY KEY (table_id, column_name)
);

-- The empty column name stands for the securable itself.
CREATE TABLE lakemill.tags (
    securable_id uuid NOT NULL REFERENCES lakemill.securables ON DELETE CASCADE,
    column_name text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (securable_id, column_name, key)
);

CREATE TABLE lakemill.model_versions (
    model_id uuid NOT NULL REFERENCES lakemill.securables ON DELETE CASCADE,
    version int NOT NULL,
    id uuid NOT NULL UNIQUE,
    source text NOT NULL,
    run_id text NOT NULL,
    comment text NOT NULL,
    status text NOT NULL,
    location text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL,
    tags jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (model_id, version)
);
-- Numbers of versions are not used again, also after the last one was deleted.
CREATE TABLE lakemill.model_numbers (
    model_id uuid PRIMARY KEY REFERENCES lakemill.securables ON DELETE CASCADE,
    last_version int NOT NULL
);
CREATE TABLE lakemill.model_aliases (
    model_id uuid NOT NULL REFERENCES lakemill.securables ON DELETE CASCADE,
    alias text NOT NULL,
    version int NOT NULL,
    PRIMARY KEY (model_id, alias),
    FOREIGN KEY (model_id, version) REFERENCES lakemill.model_versions ON DELETE CASCADE
);
