-- Records leave Postgres from the chain's beginning on, after they have landed in Delta: the chain
-- then begins behind them, and what still stands there may be deleted. Nothing else may.
ALTER TABLE lakemill.audit_chains
    ADD COLUMN first_sequence bigint NOT NULL DEFAULT 0,
    ADD COLUMN first_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    ADD COLUMN first_transaction_id xid8 NOT NULL DEFAULT '0',
    ADD COLUMN first_number bigint NOT NULL DEFAULT 0;

CREATE FUNCTION lakemill.refuse_early_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM lakemill.audit_chains c WHERE c.name = TG_ARGV[0]
            AND (OLD.transaction_id, OLD.number) <= (c.first_transaction_id, c.first_number)) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'records of %.% are never changed or deleted', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION lakemill.refuse_early_seal_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM lakemill.audit_chains c
            WHERE c.name = OLD.chain AND OLD.sequence <= c.first_sequence) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'records of %.% are never changed or deleted', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

DROP TRIGGER append_only ON lakemill.audit;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON lakemill.audit
    FOR EACH STATEMENT EXECUTE FUNCTION lakemill.refuse_change();
CREATE TRIGGER kept BEFORE DELETE ON lakemill.audit
    FOR EACH ROW EXECUTE FUNCTION lakemill.refuse_early_delete('audit');
ALTER TABLE lakemill.audit ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER kept;

DROP TRIGGER append_only ON lakemill.audit_seals;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON lakemill.audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION lakemill.refuse_change();
CREATE TRIGGER kept BEFORE DELETE ON lakemill.audit_seals
    FOR EACH ROW EXECUTE FUNCTION lakemill.refuse_early_seal_delete();
ALTER TABLE lakemill.audit_seals ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER kept;
