-- Whoever may read a synced table may know which batch it shows, and since when.
CREATE FUNCTION lakemill.shows_to_session(of_pipeline text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM lakemill.synced_tables t
        CROSS JOIN LATERAL to_regclass(
            format('%I.%I', t.postgres_schema, t.postgres_table)) r (relation)
        WHERE t.pipeline = of_pipeline AND r.relation IS NOT NULL
            AND has_table_privilege(session_user, r.relation, 'SELECT'))
$$;
ALTER TABLE lakemill.sync_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON lakemill.sync_state FOR SELECT
    USING (current_user = 'lakemill_reader' OR lakemill.shows_to_session(pipeline));
GRANT SELECT (pipeline, batch, now, received_at, applied_at, lag) ON lakemill.sync_state TO PUBLIC;
GRANT EXECUTE ON FUNCTION lakemill.shows_to_session(text) TO PUBLIC;
