-- Waits as before. A table that is refused, or new, and that the others of its group went on without
-- does not show what the group's state says: it is waited for.
CREATE OR REPLACE FUNCTION lakemill.wait_for(
    synced_table text, wanted bigint, timeout interval DEFAULT '5 seconds',
    of_source text DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + timeout;
    found_name text;
    found_group text;
    is_whole boolean;
    reached jsonb;
    pause double precision := 0.002;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'lakemill.wait_for sees nothing new in a % transaction',
            current_setting('transaction_isolation')
            USING HINT = 'call it before BEGIN ISOLATION LEVEL REPEATABLE READ';
    END IF;
    SELECT t.name, t.pipeline INTO found_name, found_group FROM lakemill.synced_tables t
    WHERE (lower(t.name) = lower(synced_table)
            OR lower(t.postgres_schema || '.' || t.postgres_table) = lower(synced_table))
        AND lakemill.shows_to_session(t.pipeline);
    IF found_group IS NULL THEN
        RAISE EXCEPTION 'there is no synced table % that is kept up to date', synced_table
            USING HINT = 'its name is schema.table, and you need SELECT on it';
    END IF;
    LOOP
        SELECT s.sources, t.whole INTO reached, is_whole FROM lakemill.synced_tables t
        LEFT JOIN lakemill.sync_state s ON s.pipeline = found_group WHERE t.name = found_name;
        IF of_source IS NULL AND
            (SELECT count(*) FROM jsonb_object_keys(coalesce(reached, '{}'))) > 1 THEN
            RAISE EXCEPTION '% has several sources: %', synced_table,
                (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(reached) k)
                USING HINT = 'name the one whose position it is as the fourth argument';
        END IF;
        IF is_whole AND EXISTS (
            SELECT FROM jsonb_each_text(coalesce(reached, '{}')) r
            WHERE (of_source IS NULL OR lower(r.key) = lower(of_source))
                AND r.value::bigint >= wanted) THEN
            RETURN true;
        END IF;
        IF clock_timestamp() >= deadline THEN
            RETURN false;
        END IF;
        PERFORM pg_sleep(least(pause,
            greatest(0, extract(epoch FROM deadline - clock_timestamp()))));
        pause := least(pause * 1.5, 0.1);
    END LOOP;
END $$;
