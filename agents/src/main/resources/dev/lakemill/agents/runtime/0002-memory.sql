-- What agents and applications remember: threads with their messages and checkpoints, and values by
-- key for good. Whoever is logged in sees and writes rows of its own alone: Postgres says so, for
-- every statement. A read-only login, ro: and a name, reads its principal's and writes nothing.
CREATE TABLE lakemill.agent_threads (
    principal text NOT NULL DEFAULT session_user,
    thread_id text NOT NULL CHECK (length(thread_id) BETWEEN 1 AND 200),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(metadata::text) <= 1048576),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, thread_id)
);
CREATE TABLE lakemill.agent_messages (
    principal text NOT NULL DEFAULT session_user,
    thread_id text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    role text NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
    content jsonb NOT NULL CHECK (octet_length(content::text) <= 1048576),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, thread_id, number),
    FOREIGN KEY (principal, thread_id) REFERENCES lakemill.agent_threads ON DELETE CASCADE
);
CREATE TABLE lakemill.agent_checkpoints (
    principal text NOT NULL DEFAULT session_user,
    thread_id text NOT NULL,
    checkpoint_id text NOT NULL CHECK (length(checkpoint_id) BETWEEN 1 AND 200),
    parent_id text,
    state jsonb NOT NULL CHECK (octet_length(state::text) <= 1048576),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, thread_id, checkpoint_id),
    FOREIGN KEY (principal, thread_id) REFERENCES lakemill.agent_threads ON DELETE CASCADE
);
CREATE TABLE lakemill.agent_memories (
    principal text NOT NULL DEFAULT session_user,
    namespace text NOT NULL CHECK (length(namespace) <= 500),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 500),
    value jsonb NOT NULL CHECK (octet_length(value::text) <= 1048576),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, namespace, key)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{agent_threads,agent_messages,agent_checkpoints,agent_memories}'::text[] LOOP
        EXECUTE format('ALTER TABLE lakemill.%1$I ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own_read ON lakemill.%1$I FOR SELECT
                USING (principal = (SELECT lakemill.session_name()));
            CREATE POLICY own_insert ON lakemill.%1$I FOR INSERT
                WITH CHECK (principal = session_user);
            CREATE POLICY own_update ON lakemill.%1$I FOR UPDATE
                USING (principal = session_user) WITH CHECK (principal = session_user);
            CREATE POLICY own_delete ON lakemill.%1$I FOR DELETE USING (principal = session_user);
            GRANT SELECT, INSERT, UPDATE, DELETE ON lakemill.%1$I TO PUBLIC;
            CREATE TRIGGER lakemill_row_audit AFTER INSERT OR UPDATE OR DELETE ON lakemill.%1$I
                FOR EACH ROW EXECUTE FUNCTION lakemill.record_row(''lakemill'', %1$L);
            ALTER TABLE lakemill.%1$I ENABLE ALWAYS TRIGGER lakemill_row_audit', name);
    END LOOP;
END $$;
