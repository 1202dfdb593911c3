-- Run at each start. Puts a trigger of changed rows on its table. False when it is there already, or
-- the table is not.
CREATE OR REPLACE FUNCTION lakemill.agent_attach_trigger(t lakemill.agent_triggers)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[];
    relation oid;
    keys text[];
BEGIN
    SELECT regexp_match(s.location, '^postgres:([^.]+)\.(.+)$') INTO parts
    FROM lakemill.securables s
    WHERE s.type = 'TABLE' AND s.location LIKE 'postgres:%'
        AND lower(lakemill.full_name(s.id)) = lower(t.table_name);
    relation := coalesce(
        to_regclass(format('%I.%I', 'lakemill:' || parts[1], parts[2])),
        to_regclass(format('%I.%I', parts[1], parts[2])));
    IF relation IS NULL OR EXISTS (SELECT FROM pg_trigger g
            WHERE g.tgrelid = relation AND g.tgname = 'lakemill_agent_' || t.name) THEN
        RETURN false;
    ELSIF (SELECT c.relkind FROM pg_class c WHERE c.oid = relation) NOT IN ('r', 'p') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('%s is no table in Postgres that rows are written to', t.table_name);
    END IF;
    SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO keys
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = relation AND i.indisprimary;
    IF cardinality(t.key_columns) = 0 AND keys IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('%s has no primary key', t.table_name),
            HINT = 'name key_columns, by which a run finds the row';
    ELSIF EXISTS (SELECT FROM unnest(t.key_columns || CASE WHEN t.changed_column = ''
            THEN '{}' ELSE ARRAY[t.changed_column] END) k WHERE NOT EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = k)) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('%s lacks a column that the trigger names', t.table_name);
    END IF;
    UPDATE lakemill.agent_triggers x SET key_columns = keys
    WHERE x.name = t.name AND cardinality(x.key_columns) = 0;
    EXECUTE format('CREATE TRIGGER %1$I AFTER INSERT OR UPDATE OR DELETE ON %2$s '
        'FOR EACH ROW EXECUTE FUNCTION lakemill.agent_row_changed(%3$L); '
        'ALTER TABLE %2$s ENABLE ALWAYS TRIGGER %1$I',
        'lakemill_agent_' || t.name, relation::regclass, t.name);
    RETURN true;
END $$;

-- All of them, also on a table that was made anew; one that cannot be put on does not hinder the
-- others. Returns how many were put on.
CREATE OR REPLACE FUNCTION lakemill.agent_attach_triggers() RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
    t lakemill.agent_triggers;
    put_on int := 0;
BEGIN
    FOR t IN SELECT * FROM lakemill.agent_triggers x WHERE x.kind = 'row_change' LOOP
        BEGIN
            IF lakemill.agent_attach_trigger(t) THEN
                put_on := put_on + 1;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'the trigger % is not put on %: %', t.name, t.table_name, SQLERRM;
        END;
    END LOOP;
    RETURN put_on;
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_drop_trigger(trigger_name text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation oid;
BEGIN
    FOR relation IN SELECT g.tgrelid FROM pg_trigger g
            WHERE g.tgname = 'lakemill_agent_' || trigger_name AND g.tgparentid = 0 LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', 'lakemill_agent_' || trigger_name,
            relation::regclass);
    END LOOP;
    DELETE FROM lakemill.agent_triggers x WHERE x.name = trigger_name;
    RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION lakemill.agent_attach_trigger(lakemill.agent_triggers),
    lakemill.agent_attach_triggers(), lakemill.agent_drop_trigger(text)
FROM PUBLIC;
