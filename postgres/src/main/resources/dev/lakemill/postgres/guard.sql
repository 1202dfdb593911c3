-- Run at each start where we are superuser: event triggers that keep principals to the catalog.
--
-- What a principal may do natively besides reading and writing: CREATE TABLE and what goes with
-- tables, a trigger that stamps a column with the time, and GRANT and REVOKE of what the catalog
-- knows. A table that it makes belongs at once to a
-- role of the catalog's owner and schema, and the catalog hears of it. Everything is asked of the
-- session's user; commands of our own run where these triggers do not fire, which a principal
-- cannot bring about.

-- Runs a command of ours past the triggers.
CREATE OR REPLACE FUNCTION lakemill.run_unguarded(command text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET session_replication_role = replica
AS $$
BEGIN
    EXECUTE command;
END $$;

CREATE OR REPLACE FUNCTION lakemill.is_principal_session() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = session_user AND NOT r.rolsuper
        AND shobj_description(r.oid, 'pg_authid') LIKE 'lakemill %')
$$;

-- A list of names in SQL as texts without quotes.
CREATE OR REPLACE FUNCTION lakemill.split_names(list text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN n LIKE '"%"' THEN replace(substr(n, 2, length(n) - 2), '""', '"')
        ELSE lower(n) END
    FROM regexp_split_to_table(list, '\s*,\s*(?=([^"]*"[^"]*")*[^"]*$)') n
$$;

-- Changes the catalog as a native GRANT or REVOKE says, or refuses it. Then the command itself may
-- run, by the rights of the object's owner or a grant option on that one object, and the end undoes
-- all that it did: the privilege itself comes from the catalog.
CREATE OR REPLACE FUNCTION lakemill.native_grant(query text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := regexp_match(query,
        '^\s*(grant|revoke)\s+([a-z, \n\t]+?)\s+on\s+(table\s+|schema\s+)?'
        || '([^;]+?)\s+(?:to|from)\s+([^;]+?)(?:\s+(?:cascade|restrict))?\s*;?\s*$', 'i');
    action text := upper(parts[1]);
    kind text := coalesce(upper(trim(parts[3])), 'TABLE');
    privileges text[] := regexp_split_to_array(upper(trim(parts[2])), '\s*,\s*');
    wanted text[];
    object text;
    object_name text[];
    owner name;
    securable uuid;
    grantee text;
    privilege text;
BEGIN
    IF kind = 'SCHEMA' THEN
        wanted := (SELECT array_agg(CASE p WHEN 'USAGE' THEN 'USE_SCHEMA'
            WHEN 'CREATE' THEN 'CREATE_TABLE' ELSE 'UNKNOWN' END) FROM unnest(privileges) p);
    ELSE
        wanted := (SELECT array_agg(DISTINCT CASE
            WHEN p = 'SELECT' THEN 'SELECT'
            WHEN p IN ('ALL', 'ALL PRIVILEGES') AND action = 'GRANT' THEN 'ALL_PRIVILEGES'
            WHEN p IN ('ALL', 'ALL PRIVILEGES') THEN 'EVERYTHING'
            WHEN p IN ('INSERT', 'UPDATE', 'DELETE')
                AND privileges @> '{INSERT,UPDATE,DELETE}' THEN 'MODIFY'
            ELSE 'UNKNOWN' END) FROM unnest(privileges) p);
    END IF;
    IF parts IS NULL OR 'UNKNOWN' = ANY (wanted) OR parts[4] ~ ',' OR parts[4] ~* '^all\s'
        OR parts[5] ~* '\s+(with|granted)\s' THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'this is no GRANT or REVOKE that the catalog knows',
            HINT = 'SELECT lakemill.grant(''SELECT'', ''TABLE'', ''catalog.schema.table'','
                || ' ''principal''), or a single statement: GRANT SELECT, or INSERT, UPDATE,'
                || ' DELETE, or ALL, ON schema.table; GRANT USAGE, CREATE ON SCHEMA schema';
    END IF;
    object_name := parse_ident(parts[4]);
    PERFORM lakemill.await_catalog();
    IF kind = 'SCHEMA' THEN
        securable := lakemill.find_securable('SCHEMA', object_name[1]);
        object := format('SCHEMA %I', object_name[1]);
    ELSE
        SELECT id INTO securable FROM lakemill.securables
        WHERE type = 'TABLE' AND location = 'postgres:' || array_to_string(object_name, '.');
        IF securable IS NULL THEN
            RAISE undefined_table USING
                MESSAGE = format('%s is no table of the catalog', parts[4]),
                HINT = 'name its schema too';
        END IF;
        object := format('TABLE %I.%I', object_name[1], object_name[2]);
    END IF;
    PERFORM lakemill.lock_grants(array_to_string(object_name, '.'));
    FOR grantee IN SELECT lakemill.split_names(parts[5]) LOOP
        FOREACH privilege IN ARRAY wanted LOOP
            PERFORM lakemill.change_grant(action, privilege, securable, grantee);
        END LOOP;
    END LOOP;
    owner := (SELECT pg_get_userbyid(CASE kind WHEN 'SCHEMA' THEN n.nspowner ELSE c.relowner END)
        FROM pg_namespace n
        LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = object_name[2]
        WHERE n.nspname = object_name[1]);
    PERFORM set_config('lakemill.granting', object, true);
    PERFORM set_config('lakemill.granting_name', object_name::text, true);
    PERFORM set_config('lakemill.had', coalesce((SELECT jsonb_agg(to_jsonb(a))
        FROM lakemill.native_acl(object_name) a), '[]')::text, true);
    PERFORM set_config('lakemill.lent', '', true);
    IF NOT pg_has_role(session_user, owner, 'USAGE') THEN
        PERFORM set_config('lakemill.lent', 'yes', true);
        PERFORM lakemill.run_unguarded(format(
            'GRANT %s ON %s TO %I WITH GRANT OPTION', parts[2], object, session_user));
    END IF;
END $$;

-- What others than the owner have on a table or schema, as Postgres has it.
CREATE OR REPLACE FUNCTION lakemill.native_acl(object_name text[])
RETURNS TABLE (grantee text, privilege text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END,
        e.privilege_type
    FROM pg_namespace n
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = object_name[2]
    CROSS JOIN aclexplode(CASE cardinality(object_name) WHEN 1 THEN n.nspacl ELSE c.relacl END) e
    WHERE n.nspname = object_name[1] AND e.grantee <> e.grantor
        AND e.grantee <> CASE cardinality(object_name) WHEN 1 THEN n.nspowner ELSE c.relowner END
$$;

-- Undoes what the command did and what native_grant lent.
CREATE OR REPLACE FUNCTION lakemill.end_native_grant() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    object text := current_setting('lakemill.granting');
    object_name text[] := current_setting('lakemill.granting_name');
    had jsonb := current_setting('lakemill.had');
    change record;
BEGIN
    IF current_setting('lakemill.lent') <> '' THEN
        PERFORM lakemill.run_unguarded(
            format('REVOKE ALL ON %s FROM %I CASCADE', object, session_user));
    END IF;
    FOR change IN
        SELECT 'REVOKE %s ON %s FROM %s CASCADE' AS command, a.privilege, a.grantee
        FROM lakemill.native_acl(object_name) a WHERE NOT had @> jsonb_build_array(to_jsonb(a))
    LOOP
        PERFORM lakemill.run_unguarded(
            format(change.command, change.privilege, object, change.grantee));
    END LOOP;
    FOR change IN
        SELECT 'GRANT %s ON %s TO %s' AS command, h.privilege, h.grantee
        FROM jsonb_to_recordset(had) h (grantee text, privilege text)
        EXCEPT SELECT 'GRANT %s ON %s TO %s', a.privilege, a.grantee
        FROM lakemill.native_acl(object_name) a
    LOOP
        PERFORM lakemill.run_unguarded(
            format(change.command, change.privilege, object, change.grantee));
    END LOOP;
END $$;

-- The role that owns what a principal makes in a schema of the catalog. The node knows it by the
-- same name and grants it to the same principal.
CREATE OR REPLACE FUNCTION lakemill.owner_role(
    principal uuid, catalog_schema text, postgres_schema text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role text := 'lakemill_owner:' || md5(principal::text || ' ' || lower(catalog_schema));
BEGIN
    PERFORM lakemill.lock(role);
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
        PERFORM lakemill.run_unguarded(format('CREATE ROLE %I NOLOGIN', role));
        PERFORM lakemill.run_unguarded(format('COMMENT ON ROLE %I IS %L', role,
            'lakemill owner ' || principal || ' in ' || lower(catalog_schema)));
    END IF;
    -- Foreign keys are checked by the table's owner.
    IF NOT has_schema_privilege(role, postgres_schema, 'USAGE') THEN
        PERFORM lakemill.lock_grants(postgres_schema);
        PERFORM lakemill.run_unguarded(
            format('GRANT USAGE ON SCHEMA %I TO %I', postgres_schema, role));
    END IF;
    IF NOT pg_has_role(session_user, role, 'MEMBER') THEN
        PERFORM lakemill.run_unguarded(format(
            'GRANT %I TO %I WITH INHERIT TRUE, SET FALSE', role, session_user));
    END IF;
    RETURN role;
END $$;

-- Gives a table or sequence that the session's principal has just made to its owner's role.
DROP FUNCTION IF EXISTS lakemill.adopt(oid, text);
CREATE OR REPLACE FUNCTION lakemill.adopt(object oid, kind text, filled boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
    catalog_schema uuid;
BEGIN
    SELECT n.nspname, c.relname INTO made
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = object AND c.relpersistence <> 't'
        AND pg_get_userbyid(c.relowner) = session_user
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
            AND d.objid = c.oid AND c.relkind = 'S' AND d.deptype IN ('a', 'i'));
    IF made IS NULL THEN
        RETURN;
    END IF;
    IF made.nspname !~ '^[A-Za-z_][A-Za-z0-9_]*$' OR made.relname !~ '^[A-Za-z_][A-Za-z0-9_]*$' THEN
        RAISE invalid_name USING
            MESSAGE = format('the catalog cannot bear the name %I.%I', made.nspname, made.relname),
            HINT = 'use ASCII letters, digits and underscores';
    END IF;
    catalog_schema := lakemill.find_securable('SCHEMA', made.nspname);
    PERFORM lakemill.run_unguarded(format('ALTER %s %I.%I OWNER TO %I', kind, made.nspname,
        made.relname, lakemill.owner_role(
            lakemill.session_principal(), lakemill.full_name(catalog_schema), made.nspname)));
    IF kind = 'TABLE' THEN
        IF EXISTS (SELECT FROM lakemill.securables s WHERE s.parent_id = catalog_schema
                AND s.type = 'TABLE' AND lower(s.name) = lower(made.relname)) THEN
            RAISE duplicate_table USING
                MESSAGE = format('the catalog has a table %s in %s already',
                    made.relname, lakemill.full_name(catalog_schema)),
                HINT = 'take another name';
        END IF;
        PERFORM lakemill.audit_rows(made.nspname, made.relname);
        IF filled THEN
            PERFORM lakemill.record_rows(made.nspname, made.relname);
        END IF;
        PERFORM lakemill.note_table('CREATE', made.nspname, made.relname);
    END IF;
END $$;

-- Gives a type that the session's principal has just made to the role that owns its tables there.
CREATE OR REPLACE FUNCTION lakemill.adopt_type(object oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    SELECT n.nspname, t.typname INTO made
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid = object AND n.oid <> pg_my_temp_schema()
        AND pg_get_userbyid(t.typowner) = session_user;
    IF made IS NOT NULL THEN
        PERFORM lakemill.run_unguarded(format('ALTER TYPE %I.%I OWNER TO %I', made.nspname,
            made.typname, lakemill.owner_role(lakemill.session_principal(),
                lakemill.full_name(lakemill.find_securable('SCHEMA', made.nspname)),
                made.nspname)));
    END IF;
END $$;

-- From the first row on; the node sees to it that the triggers stay. A partition has its parent's
-- row trigger already, which records the parent's name; TRUNCATE fires only its own.
CREATE OR REPLACE FUNCTION lakemill.audit_rows(nspname text, relname text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    partition boolean := (SELECT c.relispartition FROM pg_class c
        WHERE c.oid = format('%I.%I', audit_rows.nspname, audit_rows.relname)::regclass);
BEGIN
    IF to_regproc('lakemill.record_row') IS NULL THEN
        RETURN;
    END IF;
    IF NOT partition THEN
        PERFORM lakemill.run_unguarded(format(
            'CREATE TRIGGER lakemill_row_audit AFTER INSERT OR UPDATE OR DELETE ON %1$I.%2$I'
            || ' FOR EACH ROW EXECUTE FUNCTION lakemill.record_row(%1$L, %2$L);'
            || ' ALTER TABLE %1$I.%2$I ENABLE ALWAYS TRIGGER lakemill_row_audit',
            nspname, relname));
    END IF;
    PERFORM lakemill.run_unguarded(format(
        'CREATE TRIGGER lakemill_truncate_audit AFTER TRUNCATE ON %1$I.%2$I'
        || ' FOR EACH STATEMENT EXECUTE FUNCTION lakemill.record_truncate(%1$L, %2$L);'
        || ' ALTER TABLE %1$I.%2$I ENABLE ALWAYS TRIGGER lakemill_truncate_audit',
        nspname, relname));
END $$;

-- The rows that a table was made with, which came before its triggers.
CREATE OR REPLACE FUNCTION lakemill.record_rows(nspname text, relname text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('INSERT INTO lakemill.row_audit (table_schema, table_name, operation,'
        || ' user_email, on_behalf_of, application_name, new_row)'
        || ' SELECT %1$L, %2$L, ''INSERT'', session_user,'
        || ' coalesce(current_setting(''lakemill.on_behalf_of'', true), ''''),'
        || ' current_setting(''application_name''), to_jsonb(t) FROM %1$I.%2$I t',
        nspname, relname);
END $$;

CREATE OR REPLACE FUNCTION lakemill.note_table(action text, nspname text, relname text)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO lakemill.table_changes
        (action, principal, catalog_schema, postgres_schema, postgres_table)
    SELECT action, session_user,
        lakemill.full_name(lakemill.find_securable('SCHEMA', nspname)), nspname, relname;
    SELECT pg_notify('lakemill_governance', '')
$$;

-- A table keeps its name and its schema: grants and policies are on them.
CREATE OR REPLACE FUNCTION lakemill.note_alter(object oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    altered record;
BEGIN
    SELECT n.nspname, c.relname, c.oid, pg_get_userbyid(c.relowner) AS owner INTO altered
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = object AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't';
    IF altered IS NULL THEN
        RETURN;
    ELSIF NOT EXISTS (SELECT FROM lakemill.securables s
            WHERE s.type = 'TABLE'
                AND s.location = format('postgres:%s.%s', altered.nspname, altered.relname))
        AND NOT EXISTS (SELECT FROM lakemill.table_changes t
            WHERE (t.postgres_schema, t.postgres_table) = (altered.nspname, altered.relname)) THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'a table keeps its name and its schema',
            HINT = 'make another one and copy the rows';
    ELSIF altered.owner NOT LIKE 'lakemill\_owner:%' OR EXISTS (SELECT FROM pg_trigger t
            WHERE t.tgrelid = altered.oid AND t.tgname LIKE 'lakemill\_%' AND t.tgenabled <> 'A')
        THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'a table keeps its owner and its audit',
            HINT = 'the catalog changes them';
    END IF;
    PERFORM lakemill.note_table('ALTER', altered.nspname, altered.relname);
END $$;

-- Whether a function can do no more than set one column of the row at hand to the time: what
-- migrations make for updated_at. Any other would run with the rights of whoever writes the table,
-- the node among them, so that its owner would borrow these.
CREATE OR REPLACE FUNCTION lakemill.only_stamps(function oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(bool_and(l.lanname = 'plpgsql' AND p.prokind = 'f' AND p.pronargs = 0
        AND p.prorettype = 'trigger'::regtype AND NOT p.prosecdef AND NOT p.proleakproof
        AND coalesce(p.proconfig = '{"search_path=pg_catalog, pg_temp"}', true)
        AND p.prosrc ~* '^\s*BEGIN\s+NEW\.("[a-z_][a-z0-9_]*"|[a-z_][a-z0-9_]*)\s*:?=\s*(CURRENT_TIMESTAMP|now\(\))\s*;\s*RETURN\s+NEW\s*;\s*END\s*;?\s*$'),
        false)
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = function
$$;

CREATE OR REPLACE FUNCTION lakemill.refuse_code(tag text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE insufficient_privilege USING
        MESSAGE = format('%s may not use %s', session_user, tag),
        HINT = 'but for a BEFORE trigger FOR EACH ROW whose function says'
            || ' BEGIN NEW.column = now(); RETURN NEW; END; ask an admin for the rest';
END $$;

-- Gives a function that the session's principal has just made to the role that owns its tables
-- there, and holds what it calls to Postgres' own.
CREATE OR REPLACE FUNCTION lakemill.adopt_function(object oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name text;
    role text;
BEGIN
    SELECT n.nspname INTO schema_name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.oid = object;
    IF NOT lakemill.only_stamps(object) OR schema_name LIKE 'pg\_%' THEN
        PERFORM lakemill.refuse_code('CREATE FUNCTION');
    END IF;
    role := lakemill.owner_role(lakemill.session_principal(),
        lakemill.full_name(lakemill.find_securable('SCHEMA', schema_name)), schema_name);
    PERFORM lakemill.run_unguarded(
        format('ALTER FUNCTION %s OWNER TO %I', object::regprocedure, role));
    PERFORM lakemill.run_unguarded(format(
        'ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', object::regprocedure));
    PERFORM lakemill.run_unguarded(
        format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', object::regprocedure));
END $$;

-- A trigger that a principal has just made calls such a function, and nothing before it.
CREATE OR REPLACE FUNCTION lakemill.check_trigger(object oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.oid = object
            AND lakemill.only_stamps(t.tgfoid)
            AND t.tgtype & 3 = 3 -- BEFORE, FOR EACH ROW
            AND t.tgqual IS NULL AND t.tgconstraint = 0 AND t.tgname NOT LIKE 'lakemill%') THEN
        PERFORM lakemill.refuse_code('CREATE TRIGGER');
    END IF;
END $$;

-- Whether an expression of a principal's table may call a function: Postgres' own and those of
-- extensions, where they change nothing and run no query, and what defaults need besides.
CREATE OR REPLACE FUNCTION lakemill.may_be_called(function oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT (p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384
            OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass
                AND d.deptype = 'e'))
        AND CASE p.provolatile
            WHEN 'v' THEN p.proname ~ ('^(clock_timestamp|timeofday|random|gen_random_uuid'
                || '|gen_random_bytes|uuidv[47]|uuid_generate_v\w+|nextval|currval|lastval)$')
            ELSE p.proname !~ '_to_xml|^(pg_stat|pg_read|pg_ls|lo|dblink)_' END
    FROM pg_proc p WHERE p.oid = function
$$;

-- Holds the checks and defaults of a table, domain or type that a principal has just made or altered
-- to such functions: they run with the rights of whoever writes the table, so that its owner would
-- borrow these. Postgres keeps no dependency on its own functions, but their oids in the expression.
-- What indexes and keys of partitions call is IMMUTABLE, which Postgres sees to. What an admin or an
-- import made stands: its rows are older than this transaction, whose savepoints only have younger.
CREATE OR REPLACE FUNCTION lakemill.check_expressions(class oid, object oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    breach record;
BEGIN
    SELECT e.place, f.id::regprocedure AS function INTO breach
    FROM (
        SELECT format('CHECK %I of table %s', c.conname, c.conrelid::regclass), c.conbin, c.xmin
        FROM pg_constraint c WHERE class = 'pg_class'::regclass AND c.conrelid = object
        UNION ALL
        SELECT format('DEFAULT of column %s.%I', a.attrelid::regclass, a.attname), d.adbin, d.xmin
        FROM pg_attrdef d JOIN pg_attribute a ON (a.attrelid, a.attnum) = (d.adrelid, d.adnum)
        WHERE class = 'pg_class'::regclass AND d.adrelid = object
        UNION ALL
        SELECT format('CHECK %I of domain %s', c.conname, c.contypid::regtype), c.conbin, c.xmin
        FROM pg_constraint c WHERE class = 'pg_type'::regclass AND c.contypid = object
        UNION ALL
        SELECT format('DEFAULT of domain %s', t.oid::regtype), t.typdefaultbin, t.xmin
        FROM pg_type t WHERE class = 'pg_type'::regclass AND t.oid = object
    ) e (place, tree, writer)
    CROSS JOIN LATERAL (
        SELECT DISTINCT m[1]::oid
        FROM regexp_matches(e.tree::text, ':(?:funcid|opfuncid) (\d+)', 'g') m
    ) f (id)
    WHERE age(e.writer) <= age(pg_current_xact_id()::xid)
        AND lakemill.may_be_called(f.id) IS NOT TRUE
    LIMIT 1;
    IF breach IS NOT NULL THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s may not call %s', breach.place, breach.function),
            HINT = 'it would run with the rights of whoever writes the table: use functions of'
                || ' Postgres or of an extension that only compute, or random(), nextval() and'
                || ' those that tell the time or make UUIDs; or ask an admin';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION lakemill.guard_start() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT lakemill.is_principal_session() THEN
        RETURN;
    END IF;
    IF tg_tag IN ('GRANT', 'REVOKE') THEN
        PERFORM lakemill.native_grant(current_query());
    ELSIF tg_tag NOT IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
        'DROP TABLE', 'CREATE INDEX', 'ALTER INDEX', 'DROP INDEX', 'REINDEX', 'CREATE SEQUENCE',
        'ALTER SEQUENCE', 'DROP SEQUENCE', 'CREATE TYPE', 'ALTER TYPE', 'DROP TYPE',
        'CREATE DOMAIN', 'ALTER DOMAIN', 'DROP DOMAIN', 'CREATE SCHEMA', 'COMMENT',
        'CREATE FUNCTION', 'DROP FUNCTION', 'CREATE TRIGGER', 'DROP TRIGGER') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s may not use %s', session_user, tg_tag),
            HINT = 'principals make tables, indexes, sequences and types; ask an admin for the rest';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION lakemill.guard_end() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command record;
BEGIN
    IF NOT lakemill.is_principal_session() THEN
        RETURN;
    END IF;
    IF tg_tag IN ('GRANT', 'REVOKE') THEN
        PERFORM lakemill.end_native_grant();
        RETURN;
    END IF;
    FOR command IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        PERFORM lakemill.check_expressions(command.classid, command.objid);
        IF command.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') THEN
            PERFORM lakemill.adopt(
                command.objid, 'TABLE', command.command_tag <> 'CREATE TABLE');
        ELSIF command.command_tag = 'CREATE SEQUENCE' THEN
            PERFORM lakemill.adopt(command.objid, 'SEQUENCE', false);
        ELSIF command.command_tag IN ('ALTER TABLE', 'ALTER INDEX', 'ALTER SEQUENCE') THEN
            -- The last two rename tables as well.
            PERFORM lakemill.note_alter(command.objid);
        ELSIF command.command_tag = 'CREATE SCHEMA' THEN
            -- Migration tools ask for one IF NOT EXISTS: that passes where it is there.
            RAISE insufficient_privilege USING
                MESSAGE = format('%s may not use CREATE SCHEMA', session_user),
                HINT = format('schemas are the catalog''s: CREATE SCHEMA catalog.%I by'
                    || ' ./lakemill sql; then IF NOT EXISTS passes here',
                    (SELECT n.nspname FROM pg_namespace n WHERE n.oid = command.objid));
        ELSIF command.command_tag IN ('CREATE TYPE', 'CREATE DOMAIN') THEN
            PERFORM lakemill.adopt_type(command.objid);
        ELSIF command.command_tag = 'CREATE FUNCTION' THEN
            PERFORM lakemill.adopt_function(command.objid);
        ELSIF command.command_tag = 'CREATE TRIGGER' THEN
            PERFORM lakemill.check_trigger(command.objid);
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION lakemill.guard_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dropped record;
BEGIN
    IF NOT lakemill.is_principal_session() THEN
        RETURN;
    END IF;
    FOR dropped IN SELECT * FROM pg_event_trigger_dropped_objects() d
        WHERE d.object_type IN ('table', 'view') AND NOT d.is_temporary LOOP
        PERFORM lakemill.note_table('DROP', dropped.schema_name, dropped.object_name);
        -- Another one of this name is audited again.
        DELETE FROM lakemill.row_audit_opt_outs o
        WHERE (o.table_schema, o.table_name) = (dropped.schema_name, dropped.object_name);
    END LOOP;
    IF tg_tag NOT IN ('DROP TABLE', 'DROP SCHEMA') AND EXISTS (
            SELECT FROM pg_event_trigger_dropped_objects() d WHERE d.object_type = 'trigger'
                AND d.address_names[cardinality(d.address_names)] LIKE 'lakemill%') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s may not drop a trigger of the catalog', session_user),
            HINT = 'the catalog changes them';
    END IF;
END $$;

REVOKE ALL ON FUNCTION lakemill.run_unguarded(text), lakemill.is_principal_session(),
    lakemill.split_names(text), lakemill.native_grant(text), lakemill.native_acl(text[]),
    lakemill.end_native_grant(), lakemill.owner_role(uuid, text, text), lakemill.adopt(oid, text, boolean),
    lakemill.adopt_type(oid), lakemill.only_stamps(oid), lakemill.refuse_code(text),
    lakemill.adopt_function(oid), lakemill.check_trigger(oid),
    lakemill.may_be_called(oid), lakemill.check_expressions(oid, oid),
    lakemill.audit_rows(text, text), lakemill.record_rows(text, text),
    lakemill.note_table(text, text, text), lakemill.note_alter(oid), lakemill.guard_start(),
    lakemill.guard_end(), lakemill.guard_drop() FROM PUBLIC;

DROP EVENT TRIGGER IF EXISTS lakemill_guard_start;
DROP EVENT TRIGGER IF EXISTS lakemill_guard_end;
DROP EVENT TRIGGER IF EXISTS lakemill_guard_drop;
CREATE EVENT TRIGGER lakemill_guard_start ON ddl_command_start
    EXECUTE FUNCTION lakemill.guard_start();
CREATE EVENT TRIGGER lakemill_guard_end ON ddl_command_end EXECUTE FUNCTION lakemill.guard_end();
CREATE EVENT TRIGGER lakemill_guard_drop ON sql_drop EXECUTE FUNCTION lakemill.guard_drop();
