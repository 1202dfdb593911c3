-- Append-only records and the chains that seal them. A record is final, and may be sealed, when
-- every transaction up to its own has ended: records are sealed in the order of
-- (transaction_id, number), which no later commit can get between.
CREATE FUNCTION lakemill.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'records of %.% are never changed or deleted', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- The columns of Databricks' system.access.audit, its structs flat, and the door.
CREATE TABLE lakemill.audit (
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    event_id uuid NOT NULL UNIQUE,
    event_time timestamptz NOT NULL,
    version text NOT NULL DEFAULT '2.0',
    source_ip_address text NOT NULL,
    user_agent text NOT NULL,
    session_id text NOT NULL,
    user_email text NOT NULL,
    user_subject_name text NOT NULL,
    service_name text NOT NULL,
    action_name text NOT NULL,
    request_id text NOT NULL,
    request_params jsonb NOT NULL,
    status_code int NOT NULL,
    error_message text NOT NULL,
    audit_level text NOT NULL,
    run_by text NOT NULL,
    run_as text NOT NULL,
    door text NOT NULL,
    PRIMARY KEY (transaction_id, number)
);
CREATE INDEX audit_time ON lakemill.audit USING brin (event_time);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lakemill.audit
    FOR EACH STATEMENT EXECUTE FUNCTION lakemill.refuse_change();
ALTER TABLE lakemill.audit ENABLE ALWAYS TRIGGER append_only;

-- Where each chain ends: its last seal and the record that it seals.
CREATE TABLE lakemill.audit_chains (
    name text PRIMARY KEY,
    sequence bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    transaction_id xid8 NOT NULL DEFAULT '0',
    number bigint NOT NULL DEFAULT 0
);
INSERT INTO lakemill.audit_chains (name) VALUES ('audit');

CREATE TABLE lakemill.audit_seals (
    chain text NOT NULL REFERENCES lakemill.audit_chains,
    sequence bigint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (chain, sequence),
    UNIQUE (chain, number)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lakemill.audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION lakemill.refuse_change();
ALTER TABLE lakemill.audit_seals ENABLE ALWAYS TRIGGER append_only;

-- Databricks' system.access.audit, as Postgres can show it: structs and maps are jsonb.
CREATE VIEW lakemill.access_audit AS
SELECT event_id, event_time, (event_time AT TIME ZONE 'UTC')::date AS event_date, version,
    source_ip_address, user_agent, session_id,
    jsonb_build_object('email', user_email, 'subject_name', user_subject_name) AS user_identity,
    service_name, action_name, request_id, request_params,
    jsonb_build_object('status_code', status_code, 'error_message', nullif(error_message, ''))
        AS response,
    audit_level, jsonb_build_object('run_by', run_by, 'run_as', run_as) AS identity_metadata,
    s.sequence, encode(s.hash, 'hex') AS hash
FROM lakemill.audit a LEFT JOIN lakemill.audit_seals s
    ON s.chain = 'audit' AND s.number = a.number;
