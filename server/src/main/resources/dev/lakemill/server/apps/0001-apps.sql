-- Apps and their versions; what may be done with them stands in the catalog, under the same id.
CREATE TABLE lakemill.apps (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    principal_id uuid NOT NULL,
    slot int NOT NULL UNIQUE,
    wanted text NOT NULL DEFAULT 'RUNNING' CHECK (wanted IN ('RUNNING', 'STOPPED')),
    active_version int
);
CREATE TABLE lakemill.app_versions (
    app_id uuid NOT NULL REFERENCES lakemill.apps ON DELETE CASCADE,
    number int NOT NULL,
    deployment_id uuid NOT NULL UNIQUE,
    status text NOT NULL CHECK (status IN ('IN_PROGRESS', 'SUCCEEDED', 'FAILED')),
    message text NOT NULL DEFAULT '',
    digest text NOT NULL DEFAULT '',
    files int NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (app_id, number)
);
