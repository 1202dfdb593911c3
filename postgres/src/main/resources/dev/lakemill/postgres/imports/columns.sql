-- Tables that hold rows, and how they are copied: as binary, but where a type writes numbers of
-- its own database into its binary form, or has none.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT s.nspname, c.relname, c.relkind::text, greatest(c.reltuples, 0)::bigint,
    coalesce(array_agg(quote_ident(a.attname) ORDER BY a.attnum)
        FILTER (WHERE a.attgenerated = ''), ARRAY[]::text[]),
    coalesce(bool_and(a.attgenerated <> '' OR b.typreceive <> 0
        AND (b.oid < 16384 OR b.typtype = 'e')), true),
    coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class c JOIN s ON s.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END
WHERE c.relkind IN ('r', 'p', 'v') AND NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY s.nspname, c.oid, c.relname, c.relkind, c.reltuples
ORDER BY c.relispartition, s.nspname, c.relname
