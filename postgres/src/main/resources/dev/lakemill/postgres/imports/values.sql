-- The sequences, those of identity columns too, by name.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT format('%I.%I', s.nspname, c.relname)
FROM pg_class c JOIN s ON s.oid = c.relnamespace
WHERE c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
