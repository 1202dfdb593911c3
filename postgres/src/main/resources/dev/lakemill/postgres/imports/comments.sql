WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT 'comment on ' || o.name, format('COMMENT ON %s IS %L', o.name, o.description), ''
FROM (
    SELECT format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
            s.nspname, c.relname) AS name, d.description
    FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    JOIN s ON s.oid = c.relnamespace WHERE d.objsubid = 0 AND c.relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT format('COLUMN %I.%I.%I', s.nspname, c.relname, a.attname), d.description
    FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    JOIN s ON s.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
    WHERE d.objsubid > 0 AND c.relkind IN ('r', 'p', 'v')
) o
ORDER BY 1
