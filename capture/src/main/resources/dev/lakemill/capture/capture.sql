-- The functions and event triggers of capture. A node that is a superuser runs it at each start; for
-- others a superuser runs it once.

-- A table as the reader needs to know it; nothing for what is not captured.
CREATE OR REPLACE FUNCTION lakemill.capture_shape(captured oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object(
        'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'identity', c.relreplident,
        'columns', coalesce((SELECT jsonb_agg(jsonb_build_object(
                'number', a.attnum,
                'name', a.attname,
                'type', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                    ELSE format_type(a.atttypid, a.atttypmod) END,
                'missing', CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END,
                'filled', a.atthasdef OR a.attidentity <> '') ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attgenerated = ''), '[]'),
        'key', coalesce((SELECT jsonb_agg(k.number ORDER BY k.place)
            FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY k (number, place)
            WHERE i.indrelid = c.oid AND k.place <= i.indnkeyatts
                AND CASE c.relreplident WHEN 'i' THEN i.indisreplident
                    WHEN 'n' THEN false ELSE i.indisprimary AND i.indimmediate END), '[]'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = captured AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relpersistence = 'p'
$$;

-- Without a key, Postgres refuses to update or delete what is published unless it may send the
-- whole old row. A deferrable key is none to it, for rows may have the same one for a while. Runs
-- past the triggers that keep principals to the catalog.
CREATE OR REPLACE FUNCTION lakemill.capture_whole_rows(captured oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET session_replication_role = replica
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', captured::regclass);
END $$;

CREATE OR REPLACE FUNCTION lakemill.capture_note(captured oid, tag text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shape jsonb := lakemill.capture_shape(captured);
    part oid;
BEGIN
    FOR part IN SELECT p.relid FROM pg_partition_tree(captured) p
        JOIN pg_class c ON c.oid = p.relid
        WHERE c.relreplident = 'd' AND c.relpersistence = 'p' AND NOT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)
        UNION SELECT c.oid FROM pg_class c
        WHERE c.oid = captured AND c.relkind = 'r' AND c.relreplident = 'd'
            AND c.relpersistence = 'p' AND NOT EXISTS (
                SELECT FROM pg_index i
                WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)
    LOOP
        PERFORM lakemill.capture_whole_rows(part);
    END LOOP;
    IF shape IS NOT NULL THEN
        INSERT INTO lakemill.capture_ddl (tag, relation, shape)
        VALUES (capture_note.tag, captured::bigint, lakemill.capture_shape(captured));
    END IF;
END $$;

-- Whether a table is captured, or on its way there.
CREATE OR REPLACE FUNCTION lakemill.capture_knows(asked bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM lakemill.capture_tables t WHERE t.relation = asked)
        OR EXISTS (SELECT FROM lakemill.capture_ddl t WHERE t.relation = asked);
END $$;

-- Rows that come or go with a partition are not in the log, so that the table is compared. A
-- partition that is made where it belongs is empty.
CREATE OR REPLACE FUNCTION lakemill.capture_partitions(captured oid, tag text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shape jsonb := lakemill.capture_shape(captured);
    part oid;
    differs boolean;
BEGIN
    IF to_regclass('lakemill.capture_parts') IS NULL OR shape IS NULL THEN
        RETURN;
    END IF;
    WITH gone AS (DELETE FROM lakemill.capture_parts p WHERE p.root = captured::bigint
        AND NOT EXISTS (SELECT FROM pg_partition_tree(captured) t WHERE t.relid = p.part::oid)
        RETURNING 1)
    SELECT count(*) > 0 INTO differs FROM gone;
    FOR part IN SELECT t.relid FROM pg_partition_tree(captured) t
        JOIN pg_class c ON c.oid = t.relid AND c.relkind IN ('r', 'p')
        WHERE t.level > 0 AND NOT EXISTS (SELECT FROM lakemill.capture_parts p
            WHERE p.part = t.relid::oid::bigint AND p.root = captured::bigint)
    LOOP
        INSERT INTO lakemill.capture_parts VALUES (part::bigint, captured::bigint)
        ON CONFLICT ON CONSTRAINT capture_parts_pkey DO UPDATE SET root = EXCLUDED.root;
        IF capture_partitions.tag = 'ALTER TABLE' THEN
            IF NOT differs THEN
                EXECUTE format('SELECT EXISTS (SELECT FROM %s)', part::regclass) INTO differs;
            END IF;
            -- It was a table by itself.
            INSERT INTO lakemill.capture_ddl (tag, relation)
            SELECT 'DROP TABLE', part::bigint WHERE lakemill.capture_knows(part::bigint);
        END IF;
    END LOOP;
    IF differs THEN
        INSERT INTO lakemill.capture_ddl (tag, relation, shape)
        VALUES ('COMPARE', captured::bigint, shape);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION lakemill.capture_end() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command record;
BEGIN
    IF to_regclass('lakemill.capture_schemas') IS NULL THEN
        RETURN; -- The node has not been started yet.
    END IF;
    FOR command IN SELECT DISTINCT s.publication, s.name FROM pg_event_trigger_ddl_commands() d
        JOIN pg_namespace n ON n.oid = d.objid
        JOIN lakemill.capture_schemas s ON s.name = n.nspname
        JOIN pg_publication p ON p.pubname = s.publication
        WHERE d.classid = 'pg_namespace'::regclass AND d.command_tag = 'CREATE SCHEMA'
    LOOP
        EXECUTE format('ALTER PUBLICATION %I ADD TABLES IN SCHEMA %I',
            command.publication, command.name);
    END LOOP;
    FOR command IN SELECT d.objid, min(d.command_tag) AS tag
        FROM pg_event_trigger_ddl_commands() d
        JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
        JOIN pg_publication_namespace p ON p.pnnspid = c.relnamespace
        JOIN pg_publication u ON u.oid = p.pnpubid AND u.pubname LIKE 'lakemill\_%'
        WHERE d.classid = 'pg_class'::regclass GROUP BY d.objid
    LOOP
        PERFORM lakemill.capture_note(command.objid, command.tag);
    END LOOP;
    FOR command IN SELECT pg_partition_root(d.objid) AS root, max(d.command_tag) AS tag
        FROM pg_event_trigger_ddl_commands() d
        JOIN pg_class c ON c.oid = pg_partition_root(d.objid)
        JOIN pg_publication_namespace p ON p.pnnspid = c.relnamespace
        JOIN pg_publication u ON u.oid = p.pnpubid AND u.pubname LIKE 'lakemill\_%'
        WHERE d.classid = 'pg_class'::regclass GROUP BY 1
    LOOP
        PERFORM lakemill.capture_partitions(command.root, command.tag);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION lakemill.capture_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('lakemill.capture_ddl') IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO lakemill.capture_ddl (tag, relation)
    SELECT 'DROP TABLE', d.objid::bigint FROM pg_event_trigger_dropped_objects() d
    WHERE d.classid = 'pg_class'::regclass AND d.object_type = 'table'
        AND lakemill.capture_knows(d.objid::bigint);
    IF to_regclass('lakemill.capture_parts') IS NULL THEN
        RETURN;
    END IF;
    WITH gone AS (DELETE FROM lakemill.capture_parts p USING pg_event_trigger_dropped_objects() d
        WHERE d.classid = 'pg_class'::regclass AND d.objid::bigint = p.part RETURNING p.root)
    INSERT INTO lakemill.capture_ddl (tag, relation, shape)
    SELECT DISTINCT 'COMPARE', g.root, lakemill.capture_shape(g.root::oid) FROM gone g
    WHERE lakemill.capture_shape(g.root::oid) IS NOT NULL AND lakemill.capture_knows(g.root);
END $$;

-- Publications of schemas take a superuser: these make and change them for a node that is none, under
-- names of its own alone.
CREATE OR REPLACE FUNCTION lakemill.capture_publications(tables text, commands text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT starts_with(tables, 'lakemill_') OR NOT starts_with(commands, 'lakemill_') THEN
        RAISE 'publications of capture are called lakemill_…';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = tables) THEN
        EXECUTE format('CREATE PUBLICATION %I WITH (publish_via_partition_root = true)', tables);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = commands) THEN
        EXECUTE format('CREATE PUBLICATION %I FOR TABLE lakemill.capture_ddl'
            ' WITH (publish = ''insert'')', commands);
    END IF;
END $$;

-- Publishes these schemas and no others. An update of a published table without a key would fail from
-- then on, so that those get ready first.
CREATE OR REPLACE FUNCTION lakemill.capture_publish(tables text, schemas text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    captured oid;
    names text;
BEGIN
    IF NOT starts_with(tables, 'lakemill_') THEN
        RAISE 'publications of capture are called lakemill_…';
    END IF;
    FOR captured IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (schemas) AND c.relkind = 'r' AND c.relpersistence = 'p'
            AND c.relreplident = 'd' AND NOT EXISTS (
                SELECT FROM pg_index i
                WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)
    LOOP
        PERFORM lakemill.capture_whole_rows(captured);
    END LOOP;
    IF to_regclass('lakemill.capture_parts') IS NOT NULL THEN
        INSERT INTO lakemill.capture_parts
        SELECT p.relid::oid::bigint, c.oid::bigint FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN pg_partition_tree(c.oid) p
        WHERE n.nspname = ANY (schemas) AND c.relkind = 'p' AND NOT c.relispartition
            AND p.level > 0
        ON CONFLICT DO NOTHING;
    END IF;
    SELECT string_agg(quote_ident(name), ', ') INTO names FROM unnest(schemas) name;
    IF names IS NOT NULL THEN
        EXECUTE format('ALTER PUBLICATION %I SET TABLES IN SCHEMA %s', tables, names);
        RETURN;
    END IF;
    SELECT string_agg(quote_ident(n.nspname), ', ') INTO names FROM pg_publication_namespace p
        JOIN pg_namespace n ON n.oid = p.pnnspid JOIN pg_publication u ON u.oid = p.pnpubid
        WHERE u.pubname = tables;
    EXECUTE format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA %s', tables, names);
END $$;

CREATE OR REPLACE FUNCTION lakemill.capture_unpublish(tables text, commands text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT starts_with(tables, 'lakemill_') OR NOT starts_with(commands, 'lakemill_') THEN
        RAISE 'publications of capture are called lakemill_…';
    END IF;
    EXECUTE format('DROP PUBLICATION IF EXISTS %I', tables);
    EXECUTE format('DROP PUBLICATION IF EXISTS %I', commands);
END $$;

REVOKE ALL ON FUNCTION lakemill.capture_shape(oid), lakemill.capture_whole_rows(oid),
    lakemill.capture_note(oid, text), lakemill.capture_partitions(oid, text),
    lakemill.capture_knows(bigint), lakemill.capture_end(), lakemill.capture_drop(),
    lakemill.capture_publications(text, text), lakemill.capture_publish(text, text[]),
    lakemill.capture_unpublish(text, text) FROM PUBLIC;

DROP EVENT TRIGGER IF EXISTS lakemill_capture_end;
DROP EVENT TRIGGER IF EXISTS lakemill_capture_drop;
CREATE EVENT TRIGGER lakemill_capture_end ON ddl_command_end
    WHEN TAG IN ('CREATE SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    EXECUTE FUNCTION lakemill.capture_end();
CREATE EVENT TRIGGER lakemill_capture_drop ON sql_drop EXECUTE FUNCTION lakemill.capture_drop();
