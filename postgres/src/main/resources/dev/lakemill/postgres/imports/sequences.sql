-- Sequences but those of identity columns, which come with their tables. Those that go with no
-- column are for everybody who may use the schema.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT 'sequence ' || format('%I.%I', s.nspname, c.relname),
    format('CREATE SEQUENCE %I.%I AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s'
        || ' CACHE %s%s%s', s.nspname, c.relname, format_type(q.seqtypid, NULL), q.seqincrement,
        q.seqmin, q.seqmax, q.seqstart, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END,
        CASE WHEN NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'a')
            THEN format('; GRANT USAGE ON SEQUENCE %I.%I TO PUBLIC', s.nspname, c.relname) END),
    format('DROP SEQUENCE IF EXISTS %I.%I', s.nspname, c.relname)
FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN s ON s.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
    AND d.objid = c.oid AND d.deptype IN ('e', 'i'))
ORDER BY 1
