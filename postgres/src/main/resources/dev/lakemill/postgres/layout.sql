-- Run at each start, before anything else may ask. Tables with masks lie in a hidden schema, with a
-- view in their place. Returns those, and keeps where tables lie as it is until the end of the
-- transaction, for those who write to the tables themselves.
CREATE OR REPLACE FUNCTION lakemill.hidden_tables()
RETURNS TABLE (postgres_schema text, postgres_table text, hidden_schema text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s'
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7081);
    RETURN QUERY SELECT substr(n.nspname, 10), c.relname::text, n.nspname::text
        FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
        WHERE n.nspname LIKE 'lakemill:%' AND c.relkind IN ('r', 'p');
END $$;
REVOKE ALL ON FUNCTION lakemill.hidden_tables() FROM PUBLIC;
