-- Old and new rows of audited tables, written in the transaction that changes them, and sealed into
-- the chain 'row_audit'.
CREATE TABLE lakemill.row_audit (
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    number bigint GENERATED ALWAYS AS IDENTITY,
    event_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    table_schema text NOT NULL,
    table_name text NOT NULL,
    operation text NOT NULL,
    user_email text NOT NULL,
    on_behalf_of text NOT NULL,
    application_name text NOT NULL,
    backend_pid int NOT NULL DEFAULT pg_backend_pid(),
    old_row jsonb,
    new_row jsonb,
    PRIMARY KEY (transaction_id, number)
);
CREATE INDEX row_audit_time ON lakemill.row_audit USING brin (event_time);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lakemill.row_audit
    FOR EACH STATEMENT EXECUTE FUNCTION lakemill.refuse_change();
ALTER TABLE lakemill.row_audit ENABLE ALWAYS TRIGGER append_only;
INSERT INTO lakemill.audit_chains (name) VALUES ('row_audit');

-- Tables that are not audited, and why.
CREATE TABLE lakemill.row_audit_opt_outs (
    table_schema text NOT NULL,
    table_name text NOT NULL,
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_schema, table_name)
);

-- Runs as its owner, for the writer has no right on the records. The user is the session's, which
-- only a superuser can change; on_behalf_of is what the application says, and no more than that.
-- The arguments are the table's schema and name as users know it: where columns are masked, the
-- rows lie in a hidden table behind a view of that name.
CREATE FUNCTION lakemill.record_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO lakemill.row_audit (table_schema, table_name, operation, user_email, on_behalf_of,
        application_name, old_row, new_row)
    VALUES (TG_ARGV[0], TG_ARGV[1], TG_OP, session_user,
        coalesce(current_setting('lakemill.on_behalf_of', true), ''),
        current_setting('application_name'), to_jsonb(OLD), to_jsonb(NEW));
    RETURN NULL;
END $$;

CREATE FUNCTION lakemill.record_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO lakemill.row_audit (table_schema, table_name, operation, user_email, on_behalf_of,
        application_name)
    VALUES (TG_ARGV[0], TG_ARGV[1], TG_OP, session_user,
        coalesce(current_setting('lakemill.on_behalf_of', true), ''),
        current_setting('application_name'));
    RETURN NULL;
END $$;

-- How far those who follow the sealed records have come.
CREATE TABLE lakemill.row_audit_followers (
    name text PRIMARY KEY,
    transaction_id xid8 NOT NULL DEFAULT '0',
    number bigint NOT NULL DEFAULT 0
);
