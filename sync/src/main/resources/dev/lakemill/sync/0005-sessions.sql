-- Which session of Postgres syncs a pipeline, for as long as it lives.
CREATE TABLE lakemill.sync_sessions (
    pipeline text PRIMARY KEY,
    pid int NOT NULL,
    since timestamptz NOT NULL
);
