-- Keys and checks, then foreign keys. Those of partitions come with their tables'.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT format('constraint %I on %I.%I', k.conname, s.nspname, c.relname),
    format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s',
        s.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)),
    format('ALTER TABLE %I.%I DROP CONSTRAINT IF EXISTS %I', s.nspname, c.relname, k.conname)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN s ON s.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conparentid = 0 AND k.coninhcount = 0
    AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY position(k.contype::text IN 'puxcf'), 1
