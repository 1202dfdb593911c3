-- Extensions that something in the schemas is made of, and those that only function bodies name.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?)),
o AS (
    SELECT c.oid FROM pg_class c JOIN s ON s.oid = c.relnamespace
    UNION ALL SELECT t.oid FROM pg_type t JOIN s ON s.oid = t.typnamespace
    UNION ALL SELECT p.oid FROM pg_proc p JOIN s ON s.oid = p.pronamespace
    UNION ALL SELECT d.oid FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
        JOIN s ON s.oid = c.relnamespace
    UNION ALL SELECT k.oid FROM pg_constraint k JOIN s ON s.oid = k.connamespace
    UNION ALL SELECT t.oid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN s ON s.oid = c.relnamespace
    UNION ALL SELECT r.oid FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        JOIN s ON s.oid = c.relnamespace
)
SELECT e.extname,
    format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I', e.extname, n.nspname),
    n.nspname,
    EXISTS (SELECT FROM pg_depend m JOIN pg_depend d
            ON d.refclassid = m.classid AND d.refobjid = m.objid AND d.deptype <> 'e'
        JOIN o ON o.oid = d.objid
        WHERE m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid AND m.deptype = 'e')
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname NOT IN ('plpgsql', 'pg_stat_statements')
ORDER BY 1
