DROP TRIGGER append_only ON lakemill.row_audit;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON lakemill.row_audit
    FOR EACH STATEMENT EXECUTE FUNCTION lakemill.refuse_change();
CREATE TRIGGER kept BEFORE DELETE ON lakemill.row_audit
    FOR EACH ROW EXECUTE FUNCTION lakemill.refuse_early_delete('row_audit');
ALTER TABLE lakemill.row_audit ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER kept;

-- Who makes a partition gets its table's trigger there, which Postgres asks EXECUTE for. Nobody can
-- call it otherwise, and no principal makes triggers.
GRANT EXECUTE ON FUNCTION lakemill.record_row() TO PUBLIC;
