-- Run at each start, before anything else may ask. Who waits for whom is settled in a schema that
-- principals cannot use and the catalog cannot name: anybody takes an advisory lock, or a table's
-- by PREPARE, which asks for no right on the table.
CREATE SCHEMA IF NOT EXISTS "lakemill locks";
REVOKE ALL ON SCHEMA "lakemill locks" FROM PUBLIC;
CREATE TABLE IF NOT EXISTS "lakemill locks".layout ();
CREATE TABLE IF NOT EXISTS "lakemill locks".agents ();
CREATE TABLE IF NOT EXISTS "lakemill locks".names (name text PRIMARY KEY);

-- One after the other works on what has this name, until the end of its transaction: the next one's
-- row waits for ours, and none stays.
CREATE OR REPLACE FUNCTION lakemill.lock(name text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO "lakemill locks".names VALUES ($1);
    DELETE FROM "lakemill locks".names n WHERE n.name = $1
$$;

-- One after the other changes what Postgres has of grants on a table or schema, until the end of its
-- transaction: of two that meet there, Postgres would refuse one (tuple concurrently updated). By the
-- lock of a table, which is let go only when every session can hear of the change; a row's is let go
-- a moment before. Names share 64 of them.
DO $$ BEGIN
    FOR n IN 0..63 LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS "lakemill locks".grants_%s ()', n);
    END LOOP;
END $$;
CREATE OR REPLACE FUNCTION lakemill.lock_grants(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('LOCK TABLE "lakemill locks".grants_%s IN EXCLUSIVE MODE', hashtext(name) & 63);
END $$;

-- Tables with masks lie in a hidden schema, with a view in their place. Returns those, and keeps
-- where tables lie as it is until the end of the transaction, for those who write to the tables
-- themselves.
CREATE OR REPLACE FUNCTION lakemill.hidden_tables()
RETURNS TABLE (postgres_schema text, postgres_table text, hidden_schema text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s'
AS $$
BEGIN
    LOCK TABLE "lakemill locks".layout IN ROW SHARE MODE;
    RETURN QUERY SELECT substr(n.nspname, 10), c.relname::text, n.nspname::text
        FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
        WHERE n.nspname LIKE 'lakemill:%' AND c.relkind IN ('r', 'p');
END $$;
REVOKE ALL ON FUNCTION lakemill.lock(text), lakemill.lock_grants(text), lakemill.hidden_tables()
    FROM PUBLIC;
