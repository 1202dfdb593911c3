-- Run at each start. Messages to a run that goes on: kept in their order until the run takes them,
-- each once, as a step of its journal.
CREATE TABLE IF NOT EXISTS lakemill.agent_run_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES lakemill.agent_runs ON DELETE CASCADE,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 500),
    sender text NOT NULL,
    on_behalf_of text NOT NULL,
    message jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The step that took it.
    seq int,
    UNIQUE (run_id, key)
);
CREATE INDEX IF NOT EXISTS agent_run_messages_waiting ON lakemill.agent_run_messages (run_id, id)
    WHERE seq IS NULL;

-- Runs that wait for a message, and for nothing else.
CREATE TABLE IF NOT EXISTS lakemill.agent_listening (
    run_id uuid PRIMARY KEY REFERENCES lakemill.agent_runs ON DELETE CASCADE
);

-- Sends a run a message, once for each key, and wakes it when it waits for one. Whoever may start
-- runs of the agent may, and for whom this one runs.
CREATE OR REPLACE FUNCTION lakemill.agent_tell_as(
    actor text, run uuid, message_key text, given jsonb, behalf text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs;
    a lakemill.agents;
    found_id bigint;
BEGIN
    SELECT * INTO r FROM lakemill.agent_runs x WHERE x.run_id = run FOR UPDATE;
    SELECT * INTO a FROM lakemill.agents x WHERE x.name = r.agent;
    IF r.run_id IS NULL OR NOT (actor IN (r.started_by, r.on_behalf_of)
            OR lakemill.agent_is_one_of(actor, a.callers)
            OR lakemill.agent_may_manage(actor, r.agent)) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s has no run %s to send a message to', actor, run);
    END IF;
    SELECT m.id INTO found_id FROM lakemill.agent_run_messages m
    WHERE m.run_id = run AND m.key = message_key;
    IF found_id IS NOT NULL THEN
        RETURN found_id;
    ELSIF r.status IN ('succeeded', 'failed', 'cancelled') THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('run %s is %s and takes no messages any more', run, r.status);
    ELSIF octet_length(given::text) > 524288 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the message has more than 524288 bytes';
    ELSIF (SELECT count(*) FROM lakemill.agent_run_messages m
            WHERE m.run_id = run AND m.seq IS NULL) >= 1000 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('1000 messages wait for run %s already', run);
    END IF;
    INSERT INTO lakemill.agent_run_messages (run_id, key, sender, on_behalf_of, message)
    VALUES (run, message_key, actor, behalf, given) RETURNING id INTO found_id;
    DELETE FROM lakemill.agent_listening x WHERE x.run_id = run;
    IF FOUND THEN
        UPDATE lakemill.agent_runs x SET status = 'queued', next_at = clock_timestamp()
        WHERE x.run_id = run AND x.status = 'waiting';
    END IF;
    PERFORM lakemill.agent_audit('tellRun', actor, behalf, jsonb_build_object(
        'run_id', run, 'agent', r.agent, 'message', found_id::text), 200, '');
    RETURN found_id;
END $$;

-- SELECT lakemill.agent_tell('…', '{"price": 12.4}', 'reply-7');
CREATE OR REPLACE FUNCTION lakemill.agent_tell(run uuid, message jsonb, key text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lakemill.agent_tell_as(lakemill.agent_session_user(), run, key, message,
        coalesce(current_setting('lakemill.on_behalf_of', true), ''))
$$;

-- Takes the oldest message as the run's step. Without one the run waits, until a time at most, and
-- null says so; after that time the step says that none came.
CREATE OR REPLACE FUNCTION lakemill.agent_receive(
    run uuid, held bigint, step jsonb, until timestamptz) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_hold(run, held);
    m lakemill.agent_run_messages;
    taken jsonb := jsonb_build_object('received', false);
BEGIN
    SELECT * INTO m FROM lakemill.agent_run_messages x
    WHERE x.run_id = run AND x.seq IS NULL ORDER BY x.id LIMIT 1;
    IF m.id IS NULL AND clock_timestamp() < until THEN
        INSERT INTO lakemill.agent_listening VALUES (run) ON CONFLICT DO NOTHING;
        PERFORM lakemill.agent_leave(r, 'waiting', until);
        RETURN NULL;
    ELSIF m.id IS NOT NULL THEN
        UPDATE lakemill.agent_run_messages x SET seq = (step ->> 'seq')::int WHERE x.id = m.id;
        taken := jsonb_build_object('received', true, 'message', m.message, 'sender', m.sender,
            'on_behalf_of', m.on_behalf_of, 'sent_at', m.created_at);
    END IF;
    DELETE FROM lakemill.agent_listening x WHERE x.run_id = run;
    PERFORM lakemill.agent_append(r, step || jsonb_build_object('kind', 'wait', 'output', taken));
    PERFORM lakemill.agent_audit('runStep', session_user, r.on_behalf_of, jsonb_build_object(
        'run_id', run, 'agent', r.agent, 'seq', step ->> 'seq', 'kind', 'wait',
        'name', left(step ->> 'name', 200), 'message', coalesce(m.id::text, '')), 200, '');
    RETURN taken;
END $$;

REVOKE ALL ON FUNCTION lakemill.agent_tell_as(text, uuid, text, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lakemill.agent_tell(uuid, jsonb, text),
    lakemill.agent_receive(uuid, bigint, jsonb, timestamptz) TO PUBLIC;
