-- Versions of Delta tables that are shown, and how old the newest row was when it was shown.
ALTER TABLE lakemill.sync_state
    ADD COLUMN source_versions jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN lag interval GENERATED ALWAYS AS (applied_at - received_at) STORED;

-- Whether the table has all rows of the versions that the state names; else it is compared in full.
ALTER TABLE lakemill.synced_tables
    ADD COLUMN whole boolean NOT NULL DEFAULT false,
    ADD COLUMN rows bigint NOT NULL DEFAULT 0;

-- Waits until a synced table shows a position (of the log, as producers are told, or a version of
-- Delta) of its source, or of the one that is named; false when that takes too long.
CREATE FUNCTION lakemill.wait_for(
    synced_table text, wanted bigint, timeout interval DEFAULT '5 seconds',
    of_source text DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + timeout;
    found_group text;
    reached jsonb;
    pause double precision := 0.002;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'lakemill.wait_for sees nothing new in a % transaction',
            current_setting('transaction_isolation')
            USING HINT = 'call it before BEGIN ISOLATION LEVEL REPEATABLE READ';
    END IF;
    SELECT t.pipeline INTO found_group FROM lakemill.synced_tables t
    WHERE lower(t.name) = lower(synced_table)
        OR lower(t.postgres_schema || '.' || t.postgres_table) = lower(synced_table);
    IF found_group IS NULL THEN
        RAISE EXCEPTION 'there is no synced table % that is kept up to date', synced_table
            USING HINT = 'lakemill.synced_tables lists them';
    END IF;
    LOOP
        SELECT s.sources INTO reached FROM lakemill.sync_state s WHERE s.pipeline = found_group;
        IF of_source IS NULL AND
            (SELECT count(*) FROM jsonb_object_keys(coalesce(reached, '{}'))) > 1 THEN
            RAISE EXCEPTION '% has several sources: %', synced_table,
                (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(reached) k)
                USING HINT = 'name the one whose position it is as the fourth argument';
        END IF;
        IF EXISTS (
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
