-- Tables with columns, defaults and partitions, but without constraints and indexes.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?)),
t AS (
    SELECT c.*, format('%I.%I', s.nspname, c.relname) AS name
    FROM pg_class c JOIN s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
c AS (
    SELECT a.attrelid, a.attnum, concat(
        format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
        (SELECT format(' COLLATE %I.%I', n.nspname, l.collname)
            FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
            JOIN pg_type y ON y.oid = a.atttypid
            WHERE l.oid = a.attcollation AND a.attcollation <> y.typcollation),
        CASE a.attgenerated
            WHEN 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
            WHEN 'v' THEN format(' GENERATED ALWAYS AS (%s) VIRTUAL', pg_get_expr(d.adbin, d.adrelid))
            ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
        CASE WHEN a.attidentity <> '' THEN format(' GENERATED %s AS IDENTITY (%s)',
            CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, (
            SELECT format('SEQUENCE NAME %I.%I INCREMENT BY %s MINVALUE %s MAXVALUE %s'
                || ' START WITH %s CACHE %s%s', qn.nspname, qc.relname, q.seqincrement, q.seqmin,
                q.seqmax, q.seqstart, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END)
            FROM pg_depend i JOIN pg_sequence q ON q.seqrelid = i.objid
            JOIN pg_class qc ON qc.oid = q.seqrelid JOIN pg_namespace qn ON qn.oid = qc.relnamespace
            WHERE i.classid = 'pg_class'::regclass AND i.refclassid = 'pg_class'::regclass
                AND i.refobjid = a.attrelid AND i.refobjsubid = a.attnum AND i.deptype = 'i')) END,
        CASE WHEN a.attnotnull THEN ' NOT NULL' END) AS definition
    FROM pg_attribute a JOIN t ON t.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
)
SELECT 'table ' || t.name,
    concat('CREATE ', CASE t.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, 'TABLE ', t.name,
        CASE WHEN t.relispartition THEN (
            SELECT format(' PARTITION OF %I.%I %s', pn.nspname, p.relname,
                pg_get_expr(t.relpartbound, t.oid))
            FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
            JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = t.oid)
        ELSE format(' (%s)', (
            SELECT string_agg(c.definition, ', ' ORDER BY c.attnum) FROM c
            WHERE c.attrelid = t.oid)) END,
        CASE WHEN t.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(t.oid) END,
        CASE WHEN t.reloptions IS NOT NULL
            THEN format(' WITH (%s)', array_to_string(t.reloptions, ', ')) END),
    format('DROP TABLE IF EXISTS %s', t.name)
FROM t ORDER BY t.relispartition, 1
