-- Run at each start. What policies ask, and the catalog's grants for any client of Postgres. Bodies
-- that begin with RETURN are bound to what they name here and now, whatever a caller's search_path
-- says; the others pin it. Who asks is always the session's user, which no SET and no SECURITY
-- DEFINER function changes.
GRANT USAGE ON SCHEMA lakemill TO PUBLIC;

-- Whose session it is; a read-only one, of a role that bears its mark, is its principal's.
CREATE OR REPLACE FUNCTION lakemill.session_name() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN session_user LIKE 'ro:%' AND EXISTS (
        SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = session_user
            AND pg_catalog.shobj_description(r.oid, 'pg_authid') LIKE 'lakemill read-only %')
    THEN pg_catalog.substr(session_user::pg_catalog.text, 4)
    ELSE session_user::pg_catalog.text END;

-- Whether the session's principal is in the group, through other groups too.
CREATE OR REPLACE FUNCTION lakemill.is_member(group_name text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN EXISTS (
    SELECT FROM pg_catalog.pg_roles r
    WHERE r.rolname = group_name
        AND pg_catalog.shobj_description(r.oid, 'pg_authid') LIKE 'lakemill group %'
        AND pg_catalog.pg_has_role(
            lakemill.session_name()::pg_catalog.name, r.oid, 'MEMBER'));

-- The principal and all groups that it is in.
CREATE OR REPLACE FUNCTION lakemill.identities(principal uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE identity (id) AS (
        SELECT principal
        UNION SELECT id FROM lakemill.principals WHERE name = 'account users'
        UNION SELECT m.group_id FROM identity i JOIN lakemill.members m ON m.member_id = i.id)
    SELECT id FROM identity
$$;

CREATE OR REPLACE FUNCTION lakemill.session_principal() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id uuid;
BEGIN
    SELECT id INTO found_id FROM lakemill.principals
    WHERE name = session_user AND kind <> 'GROUP' AND active;
    IF found_id IS NULL THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s is no active principal of the catalog', session_user);
    END IF;
    RETURN found_id;
END $$;

-- The rule of the catalog's Access.mayManage: owners, of parents too, and holders of MANAGE.
CREATE OR REPLACE FUNCTION lakemill.may_manage(principal uuid, securable uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE path AS (
        SELECT id, parent_id, owner_id, type, true AS itself FROM lakemill.securables
        WHERE id = securable
        UNION ALL
        SELECT s.id, s.parent_id, s.owner_id, s.type, false
        FROM path p JOIN lakemill.securables s ON s.id = p.parent_id)
    SELECT EXISTS (
        SELECT FROM path p JOIN lakemill.identities(principal) i ON true
        WHERE p.owner_id = i OR EXISTS (
            SELECT FROM lakemill.grants g
            WHERE g.securable_id = p.id AND g.principal_id = i AND g.privilege = 'MANAGE'
                AND (p.itself OR p.type <> 'METASTORE')))
$$;

-- By its full name, or without the catalog where that leaves no doubt.
CREATE OR REPLACE FUNCTION lakemill.find_securable(securable_type text, full_name text)
RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text := replace(upper(trim(securable_type)), ' ', '_');
    parts text[] := string_to_array(lower(replace(full_name, '`', '')), '.');
    given int := cardinality(parts);
    depth int := CASE
        WHEN kind IN ('TABLE', 'VOLUME', 'FUNCTION', 'REGISTERED_MODEL') THEN 3
        WHEN kind = 'SCHEMA' THEN 2
        WHEN kind = 'METASTORE' THEN 0
        ELSE 1 END;
    ids uuid[];
BEGIN
    IF given <= depth AND given >= greatest(depth - 1, least(depth, 1)) OR kind = 'METASTORE' THEN
        SELECT array_agg(s.id) INTO ids
        FROM lakemill.securables s
        LEFT JOIN lakemill.securables p ON p.id = s.parent_id
        LEFT JOIN lakemill.securables g ON g.id = p.parent_id
        WHERE s.type = kind
            AND (kind = 'METASTORE' OR lower(s.name) = parts[given]
                AND (given < 2 OR lower(p.name) = parts[given - 1])
                AND (given < 3 OR lower(g.name) = parts[given - 2]));
    END IF;
    IF cardinality(ids) > 1 THEN
        RAISE ambiguous_alias USING
            MESSAGE = format('several catalogs have a %s %s', kind, full_name),
            HINT = 'name its catalog too';
    ELSIF ids IS NULL THEN
        RAISE undefined_object USING MESSAGE = format('there is no %s %s', kind, full_name);
    END IF;
    RETURN ids[1];
END $$;

CREATE OR REPLACE FUNCTION lakemill.full_name(securable uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE path AS (
        SELECT id, parent_id, name, type, 0 AS depth FROM lakemill.securables WHERE id = securable
        UNION ALL
        SELECT s.id, s.parent_id, s.name, s.type, p.depth + 1
        FROM path p JOIN lakemill.securables s ON s.id = p.parent_id WHERE s.type <> 'METASTORE')
    SELECT coalesce(string_agg(name, '.' ORDER BY depth DESC), '') FROM path
    WHERE type <> 'METASTORE'
$$;

-- An older snapshot has rights that were taken away since.
CREATE OR REPLACE FUNCTION lakemill.require_read_committed() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE active_sql_transaction USING
            MESSAGE = 'rights are asked and changed in READ COMMITTED transactions alone',
            HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED';
    END IF;
END $$;

-- Changes a grant of the catalog as the session's principal, or refuses; audited. The node hears
-- of it at the commit and carries it to every door.
CREATE OR REPLACE FUNCTION lakemill.change_grant(
    action text, granted text, securable uuid, grantee text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    caller uuid := lakemill.session_principal();
    kind text := (SELECT type FROM lakemill.securables WHERE id = securable);
    name text := lakemill.full_name(securable);
    asked text := regexp_replace(upper(trim(granted)), '[ _]+', '_', 'g');
    receiver uuid;
    receiver_name text;
BEGIN
    PERFORM lakemill.require_read_committed();
    IF NOT lakemill.may_manage(caller, securable) THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s may not grant or revoke on %s %s', session_user, kind, name),
            HINT = format('its owner can: %s', (SELECT p.name FROM lakemill.principals p
                JOIN lakemill.securables s ON s.owner_id = p.id WHERE s.id = securable));
    END IF;
    SELECT p.id, p.name INTO receiver, receiver_name
    FROM lakemill.principals p
    WHERE lower(p.name) = CASE lower(grantee) WHEN 'public' THEN 'account users'
        ELSE lower(grantee) END;
    IF receiver IS NULL THEN
        RAISE undefined_object USING MESSAGE = format('there is no principal %s', grantee);
    END IF;
    IF action = 'GRANT' AND (SELECT count(*) FROM lakemill.grants g
            WHERE g.securable_id = securable) >= 10000 THEN
        RAISE program_limit_exceeded USING
            MESSAGE = format('%s %s has too many grants', kind, name),
            HINT = 'grant to groups, or on what contains it';
    END IF;
    IF action = 'REVOKE' THEN
        DELETE FROM lakemill.grants g
        WHERE g.securable_id = securable AND g.principal_id = receiver
            AND (g.privilege = asked OR asked = 'EVERYTHING');
    ELSIF EXISTS (SELECT FROM lakemill.grantable_privileges p
            WHERE p.securable_type = kind AND p.privilege = asked) THEN
        INSERT INTO lakemill.grants (securable_id, principal_id, privilege, granted_by)
        VALUES (securable, receiver, asked, session_user) ON CONFLICT DO NOTHING;
    ELSE
        RAISE invalid_grant_operation USING
            MESSAGE = format('%s is no privilege on a %s', granted, kind);
    END IF;
    INSERT INTO lakemill.audit (
        event_id, event_time, source_ip_address, user_agent, session_id, user_email,
        user_subject_name, service_name, action_name, request_id, request_params, status_code,
        error_message, audit_level, run_by, run_as, door)
    VALUES (
        gen_random_uuid(), clock_timestamp(), coalesce(host(inet_client_addr()), ''),
        current_setting('application_name'), pg_backend_pid()::text, session_user, caller::text,
        'unityCatalog', 'updatePermissions', '',
        jsonb_build_object('securable_type', kind, 'securable_full_name', name,
            'principal', receiver_name, 'action', action, 'privilege', asked),
        200, '', 'ACCOUNT_LEVEL', session_user, session_user, 'postgres');
    PERFORM pg_notify('lakemill_governance', securable::text);
END $$;

-- The node enters new tables into the catalog when they are committed: a migration that makes a
-- table and grants it waits for that. What the own transaction has made cannot be entered yet.
CREATE OR REPLACE FUNCTION lakemill.await_catalog() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM lakemill.require_read_committed();
    FOR i IN 1..250 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM lakemill.table_changes c
            WHERE c.xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid);
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;

-- SELECT lakemill.grant('SELECT', 'TABLE', 'main.gold.stock', 'analysts');
CREATE OR REPLACE FUNCTION lakemill.grant(
    privilege text, securable_type text, name text, principal text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lakemill.await_catalog();
    SELECT lakemill.change_grant(
        'GRANT', privilege, lakemill.find_securable(securable_type, name), principal)
$$;

CREATE OR REPLACE FUNCTION lakemill.revoke(
    privilege text, securable_type text, name text, principal text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lakemill.await_catalog();
    SELECT lakemill.change_grant(
        'REVOKE', privilege, lakemill.find_securable(securable_type, name), principal)
$$;

-- What is granted on it and on what contains it: all to those who manage it, else one's own.
CREATE OR REPLACE FUNCTION lakemill.show_grants(securable_type text, name text)
RETURNS TABLE (principal text, action_type text, object_type text, object_key text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE caller AS (SELECT lakemill.session_principal() AS id),
    path AS (
        SELECT s.id, s.parent_id, s.type FROM lakemill.securables s
        WHERE s.id = lakemill.find_securable($1, $2)
        UNION ALL
        SELECT s.id, s.parent_id, s.type
        FROM path p JOIN lakemill.securables s ON s.id = p.parent_id WHERE s.type <> 'METASTORE')
    SELECT p.name, replace(g.privilege, '_', ' '), t.type, lakemill.full_name(t.id)
    FROM path t
    JOIN lakemill.grants g ON g.securable_id = t.id
    JOIN lakemill.principals p ON p.id = g.principal_id
    CROSS JOIN caller c
    WHERE lakemill.may_manage(c.id, t.id)
        OR g.principal_id IN (SELECT lakemill.identities(c.id))
    ORDER BY 4, 1, 2
$$;

-- Whether the session's principal may say if a state table's rows are audited: who manages it.
CREATE OR REPLACE FUNCTION lakemill.require_state_table(name text) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    securable uuid := lakemill.find_securable('TABLE', name);
BEGIN
    PERFORM lakemill.require_read_committed();
    IF NOT EXISTS (SELECT FROM lakemill.tables t WHERE t.id = securable AND t.kind = 'STATE') THEN
        RAISE wrong_object_type USING MESSAGE = format('%s is no state table', name),
            HINT = 'only applications'' own tables have a row audit';
    ELSIF NOT lakemill.may_manage(lakemill.session_principal(), securable) THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s may not change the row audit of %s', session_user, name),
            HINT = format('its owner can: %s', (SELECT p.name FROM lakemill.principals p
                JOIN lakemill.securables s ON s.owner_id = p.id WHERE s.id = securable));
    END IF;
    RETURN securable;
END $$;

-- The commands that take a table's triggers away or put them back. Partitions have the row trigger
-- of their table, and one for TRUNCATE of their own.
CREATE OR REPLACE FUNCTION lakemill.change_row_audit(securable uuid, audited boolean, why text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := (SELECT regexp_match(s.location, '^postgres:([^.]+)\.(.+)$')
        FROM lakemill.securables s WHERE s.id = securable);
    relation regclass := coalesce(
        to_regclass(format('%I.%I', 'lakemill:' || parts[1], parts[2])),
        to_regclass(format('%I.%I', parts[1], parts[2])));
    command text;
    child record;
BEGIN
    IF relation IS NULL THEN
        RAISE undefined_table USING MESSAGE = format('%s.%s is not there', parts[1], parts[2]);
    ELSIF (SELECT c.relispartition FROM pg_class c WHERE c.oid = relation) THEN
        RAISE wrong_object_type USING MESSAGE = format('%s.%s is a partition', parts[1], parts[2]),
            HINT = 'name the table that it is part of';
    END IF;
    command := format('DROP TRIGGER IF EXISTS lakemill_row_audit ON %s;', relation);
    IF audited THEN
        command := command || format(
            'CREATE TRIGGER lakemill_row_audit AFTER INSERT OR UPDATE OR DELETE ON %1$s'
            || ' FOR EACH ROW EXECUTE FUNCTION lakemill.record_row(%2$L, %3$L);'
            || ' ALTER TABLE %1$s ENABLE ALWAYS TRIGGER lakemill_row_audit;',
            relation, parts[1], parts[2]);
    END IF;
    FOR child IN SELECT n.nspname, c.relname, c.oid::regclass AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = relation OR c.oid IN (SELECT relid FROM pg_partition_tree(relation))
    LOOP
        command := command || format(
            'DROP TRIGGER IF EXISTS lakemill_truncate_audit ON %s;', child.name);
        IF audited THEN
            command := command || format(
                'CREATE TRIGGER lakemill_truncate_audit AFTER TRUNCATE ON %1$s'
                || ' FOR EACH STATEMENT EXECUTE FUNCTION lakemill.record_truncate(%2$L, %3$L);'
                || ' ALTER TABLE %1$s ENABLE ALWAYS TRIGGER lakemill_truncate_audit;',
                child.name, regexp_replace(child.nspname, '^lakemill:', ''), child.relname);
        END IF;
    END LOOP;
    -- Past the guard, where there is one.
    IF to_regproc('lakemill.run_unguarded') IS NULL THEN
        EXECUTE command;
    ELSE
        PERFORM lakemill.run_unguarded(command);
    END IF;
    DELETE FROM lakemill.row_audit_opt_outs o
    WHERE (o.table_schema, o.table_name) = (parts[1], parts[2]);
    IF NOT audited THEN
        INSERT INTO lakemill.row_audit_opt_outs (table_schema, table_name, reason, changed_by)
        VALUES (parts[1], parts[2], why, session_user);
    END IF;
    INSERT INTO lakemill.audit (
        event_id, event_time, source_ip_address, user_agent, session_id, user_email,
        user_subject_name, service_name, action_name, request_id, request_params, status_code,
        error_message, audit_level, run_by, run_as, door)
    VALUES (
        gen_random_uuid(), clock_timestamp(), coalesce(host(inet_client_addr()), ''),
        current_setting('application_name'), pg_backend_pid()::text, session_user,
        lakemill.session_principal()::text, 'postgres',
        CASE WHEN audited THEN 'attachRowAudit' ELSE 'detachRowAudit' END, '',
        jsonb_build_object('table', parts[1] || '.' || parts[2], 'reason', why),
        200, '', 'ACCOUNT_LEVEL', session_user, session_user, 'postgres');
END $$;

-- SELECT lakemill.stop_row_audit('main.app.sessions', 'a cache, filled anew every night');
CREATE OR REPLACE FUNCTION lakemill.stop_row_audit(name text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(trim(reason), '') = '' OR length(reason) > 1000 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('%s would be audited no more for no reason', name),
            HINT = 'say why, in up to 1,000 characters; the reason is audited';
    END IF;
    PERFORM lakemill.change_row_audit(lakemill.require_state_table(name), false, trim(reason));
END $$;

-- SELECT lakemill.start_row_audit('main.app.sessions');
CREATE OR REPLACE FUNCTION lakemill.start_row_audit(name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lakemill.change_row_audit(lakemill.require_state_table($1), true, '')
$$;

-- How Postgres tells a table's row security, or what a view shows.
CREATE OR REPLACE FUNCTION lakemill.table_form(relation oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE c.relkind WHEN 'v' THEN concat(pg_get_viewdef(c.oid), c.reloptions) ELSE concat(
        (SELECT string_agg(concat_ws(' ', p.polname, p.polcmd, p.polpermissive, p.polroles,
            pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)), '; '
            ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid),
        CASE WHEN c.relrowsecurity THEN ' on' END, CASE WHEN c.relforcerowsecurity THEN ' force' END)
    END
    FROM pg_class c WHERE c.oid = relation
$$;

CREATE OR REPLACE FUNCTION lakemill.drop_policies(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    policy name;
BEGIN
    FOR policy IN SELECT polname FROM pg_policy WHERE polrelid = relation LOOP
        EXECUTE format('DROP POLICY %I ON %s', policy, relation);
    END LOOP;
    EXECUTE format(
        'ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', relation);
END $$;

CREATE OR REPLACE FUNCTION lakemill.remember_policies(
    schema_name text, table_name text, made_of text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO lakemill.projected_policies (postgres_schema, postgres_table, wanted, found)
    SELECT schema_name, table_name, made_of,
        lakemill.table_form(format('%I.%I', schema_name, table_name)::regclass)
    ON CONFLICT (postgres_schema, postgres_table) DO UPDATE
        SET wanted = EXCLUDED.wanted, found = EXCLUDED.found
$$;

REVOKE ALL ON FUNCTION lakemill.identities(uuid), lakemill.session_principal(),
    lakemill.may_manage(uuid, uuid), lakemill.require_read_committed(),
    lakemill.await_catalog(),
    lakemill.find_securable(text, text),
    lakemill.full_name(uuid), lakemill.change_grant(text, text, uuid, text),
    lakemill.require_state_table(text), lakemill.change_row_audit(uuid, boolean, text),
    lakemill.table_form(oid), lakemill.drop_policies(regclass),
    lakemill.remember_policies(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lakemill.session_name(), lakemill.is_member(text),
    lakemill.grant(text, text, text, text), lakemill.revoke(text, text, text, text),
    lakemill.show_grants(text, text), lakemill.stop_row_audit(text, text),
    lakemill.start_row_audit(text) TO PUBLIC;
