WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (?))
SELECT format('trigger %I on %I.%I', t.tgname, s.nspname, c.relname),
    concat(pg_get_triggerdef(t.oid), CASE t.tgenabled
        WHEN 'D' THEN format('; ALTER TABLE %I.%I DISABLE TRIGGER %I', s.nspname, c.relname, t.tgname)
        WHEN 'A' THEN format('; ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER %I',
            s.nspname, c.relname, t.tgname)
        WHEN 'R' THEN format('; ALTER TABLE %I.%I ENABLE REPLICA TRIGGER %I',
            s.nspname, c.relname, t.tgname)
        END),
    format('DROP TRIGGER IF EXISTS %I ON %I.%I', t.tgname, s.nspname, c.relname)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN s ON s.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgname NOT LIKE 'lakemill%'
ORDER BY 1
