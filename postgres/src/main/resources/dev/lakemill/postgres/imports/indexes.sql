-- Indexes that are no constraint's and no partition's part of one, and statistics.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT format('index %I.%I on %I.%I', s.nspname, x.relname, s.nspname, c.relname),
    replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '),
    format('DROP INDEX IF EXISTS %I.%I', s.nspname, x.relname)
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN s ON s.oid = x.relnamespace
JOIN pg_class c ON c.oid = i.indrelid
WHERE i.indisvalid AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_constraint k
        WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
    AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT format('statistics %I.%I on %I.%I', s.nspname, e.stxname, n.nspname, c.relname),
    pg_get_statisticsobjdef(e.oid),
    format('DROP STATISTICS IF EXISTS %I.%I', s.nspname, e.stxname)
FROM pg_statistic_ext e JOIN s ON s.oid = e.stxnamespace
JOIN pg_class c ON c.oid = e.stxrelid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1
