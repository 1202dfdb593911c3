-- Types of applications: enums, composites, domains.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?)),
t AS (
    SELECT t.*, format('%I.%I', s.nspname, t.typname) AS name
    FROM pg_type t JOIN s ON s.oid = t.typnamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
)
SELECT 'type ' || name,
    format('CREATE TYPE %s AS ENUM (%s)', name, (
        SELECT coalesce(string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder), '')
        FROM pg_enum e WHERE e.enumtypid = t.oid)),
    'DROP TYPE IF EXISTS ' || name
FROM t WHERE typtype = 'e'
UNION ALL
SELECT 'type ' || name,
    format('CREATE TYPE %s AS (%s)', name, (
        SELECT coalesce(string_agg(
            format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
            ', ' ORDER BY a.attnum), '')
        FROM pg_attribute a
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)),
    'DROP TYPE IF EXISTS ' || name
FROM t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' WHERE typtype = 'c'
UNION ALL
SELECT 'domain ' || name,
    concat(format('CREATE DOMAIN %s AS %s', name, format_type(typbasetype, typtypmod)),
        ' DEFAULT ' || pg_get_expr(typdefaultbin, 0),
        CASE WHEN typnotnull THEN ' NOT NULL' END,
        (SELECT string_agg(
            format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)),
            '' ORDER BY k.conname)
        FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')),
    'DROP DOMAIN IF EXISTS ' || name
FROM t WHERE typtype = 'd'
ORDER BY 1
