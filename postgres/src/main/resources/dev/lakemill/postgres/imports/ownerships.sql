-- Which column a sequence goes with.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT 'owner of sequence ' || format('%I.%I', s.nspname, c.relname),
    format('ALTER SEQUENCE %I.%I OWNED BY %I.%I.%I',
        s.nspname, c.relname, tn.nspname, t.relname, a.attname),
    ''
FROM pg_class c JOIN s ON s.oid = c.relnamespace
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE c.relkind = 'S'
ORDER BY 1
