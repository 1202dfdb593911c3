-- A read-only login may set its transactions to READ WRITE, and remembers nothing all the same: it
-- is not whom it is named after, and would write rows under a name of its own.
DO $$
DECLARE
    name text;
    own text := '(principal = session_user AND session_user = (SELECT lakemill.session_name()))';
BEGIN
    FOREACH name IN ARRAY '{agent_threads,agent_messages,agent_checkpoints,agent_memories}'::text[] LOOP
        EXECUTE format('ALTER POLICY own_insert ON lakemill.%1$I WITH CHECK %2$s;
            ALTER POLICY own_update ON lakemill.%1$I USING %2$s WITH CHECK %2$s;
            ALTER POLICY own_delete ON lakemill.%1$I USING %2$s', name, own);
    END LOOP;
END $$;
