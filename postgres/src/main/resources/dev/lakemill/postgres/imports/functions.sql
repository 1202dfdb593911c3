-- Functions and procedures. Those of unfit languages are refused elsewhere.
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT format('%s %I.%I(%s)', CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
        s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    pg_get_functiondef(p.oid),
    format('DROP ROUTINE IF EXISTS %I.%I(%s)', s.nspname, p.proname,
        pg_get_function_identity_arguments(p.oid))
FROM pg_proc p JOIN s ON s.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p', 'w') AND l.lanname IN ('sql', 'plpgsql') AND NOT p.prosecdef
    AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1
