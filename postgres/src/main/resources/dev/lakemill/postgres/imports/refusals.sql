-- What cannot be moved: the object, why, and what to do.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?)),
r AS (
    SELECT c.*, s.nspname, format('%I.%I', s.nspname, c.relname) AS name
    FROM pg_class c JOIN s ON s.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
kinds AS (SELECT r.*, CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
    WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || name AS object FROM r
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f'))
SELECT object, 'the catalog bears ASCII letters, digits and underscores in names alone',
    'rename it there: ALTER TABLE … RENAME TO …'
FROM kinds WHERE relname !~ '^[A-Za-z_][A-Za-z0-9_]*$' OR nspname !~ '^[A-Za-z_][A-Za-z0-9_]*$'
UNION ALL
SELECT object, 'another one''s name differs in case alone', 'rename one of them there'
FROM kinds k WHERE EXISTS (SELECT FROM kinds o WHERE o.oid <> k.oid
    AND lower(o.nspname) = lower(k.nspname) AND lower(o.relname) = lower(k.relname))
UNION ALL
SELECT object, 'nothing would refresh it here',
    'make it a view there, or leave it out and write a pipeline''s MATERIALIZED VIEW'
FROM kinds WHERE relkind = 'm'
UNION ALL
SELECT object, 'its rows lie in another server', 'import them from there, and leave it out'
FROM kinds WHERE relkind = 'f'
UNION ALL
SELECT object, 'it inherits from another table', 'make it a partition, or a table of its own, there'
FROM kinds k WHERE NOT relispartition AND relkind = 'r'
    AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = k.oid)
UNION ALL
SELECT object, 'it is made of a type (CREATE TABLE … OF)', 'ALTER TABLE … NOT OF there'
FROM kinds WHERE reloftype <> 0
UNION ALL
SELECT object, 'its storage is not Postgres'' own heap', 'ALTER TABLE … SET ACCESS METHOD heap there'
FROM kinds k JOIN pg_am a ON a.oid = k.relam WHERE relkind = 'r' AND a.amname <> 'heap'
UNION ALL
SELECT object, 'it has no columns', 'drop it there, or leave it out'
FROM kinds k WHERE NOT EXISTS (SELECT FROM pg_attribute a
    WHERE a.attrelid = k.oid AND a.attnum > 0 AND NOT a.attisdropped)
UNION ALL
SELECT 'row security of ' || object, 'row filters are the catalog''s here',
    'leave it out, and ALTER TABLE … SET ROW FILTER after the import, before you grant'
FROM kinds WHERE relrowsecurity
UNION ALL
SELECT format('rule %I on %s', w.rulename, name), 'rules are not moved',
    'write a trigger instead, or leave it out'
FROM pg_rewrite w JOIN kinds k ON k.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT DISTINCT format('column %s.%I', name, a.attname),
    format('its type %s holds numbers of that database alone', format_type(a.atttypid, NULL)),
    'make it text there: ALTER TABLE … ALTER COLUMN … TYPE text'
FROM pg_attribute a JOIN kinds k ON k.oid = a.attrelid AND k.relkind = 'r'
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped
    AND (t.typname LIKE 'reg%' OR t.typname LIKE '\_reg%') AND t.oid < 16384
UNION ALL
SELECT DISTINCT format('column %s.%I', name, a.attname),
    'large objects, which it may point to, are not moved', 'keep the bytes in a column bytea there'
FROM pg_attribute a JOIN kinds k ON k.oid = a.attrelid AND k.relkind = 'r'
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped AND t.typname IN ('oid', 'lo')
    AND EXISTS (SELECT FROM pg_largeobject_metadata)
UNION ALL
SELECT format('function %I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    CASE WHEN p.prosecdef THEN 'it runs with its owner''s rights (SECURITY DEFINER)'
        ELSE format('its language is %s', l.lanname) END,
    CASE WHEN p.prosecdef THEN 'ALTER FUNCTION … SECURITY INVOKER there, or leave it out'
        ELSE 'write it in sql or plpgsql there, or leave it out' END
FROM pg_proc p JOIN s ON s.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p', 'w') AND (p.prosecdef OR l.lanname NOT IN ('sql', 'plpgsql'))
    AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT format('%s %I.%I', o.kind, s.nspname, o.name), format('a %s is not moved', o.kind),
    'make it here by hand before, and leave it out'
FROM (
    SELECT 'pg_proc'::regclass AS class, oid, 'aggregate' AS kind, proname AS name,
        pronamespace AS schema FROM pg_proc WHERE prokind = 'a'
    UNION ALL SELECT 'pg_operator'::regclass, oid, 'operator', oprname, oprnamespace FROM pg_operator
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, 'operator family', opfname, opfnamespace
        FROM pg_opfamily
    UNION ALL SELECT 'pg_collation'::regclass, oid, 'collation', collname, collnamespace
        FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, 'conversion', conname, connamespace
        FROM pg_conversion
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, 'text search configuration', cfgname,
        cfgnamespace FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, 'text search dictionary', dictname, dictnamespace
        FROM pg_ts_dict
    UNION ALL SELECT 'pg_type'::regclass, t.oid, 'base type', t.typname, t.typnamespace
        FROM pg_type t WHERE t.typtype = 'b' AND t.typelem = 0
    UNION ALL SELECT 'pg_type'::regclass, t.oid, 'range type', t.typname, t.typnamespace
        FROM pg_type t WHERE t.typtype = 'r'
) o JOIN s ON s.oid = o.schema
WHERE NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')
ORDER BY 1, 2
