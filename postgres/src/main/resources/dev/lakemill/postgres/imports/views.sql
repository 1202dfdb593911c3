-- Views read with their readers' rights, so that each table's grants and filters hold in them.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT 'view ' || format('%I.%I', s.nspname, c.relname),
    format('CREATE VIEW %I.%I WITH (%s) AS %s', s.nspname, c.relname,
        array_to_string(array_append(array(
            SELECT o FROM unnest(c.reloptions) o WHERE o NOT LIKE 'security_invoker=%'),
            'security_invoker=true'), ', '),
        pg_get_viewdef(c.oid)),
    format('DROP VIEW IF EXISTS %I.%I', s.nspname, c.relname)
FROM pg_class c JOIN s ON s.oid = c.relnamespace
WHERE c.relkind = 'v' AND NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
