-- Run at each start. Whether an agent can be deleted by the actor: nothing of it may be open, unless
-- that is to be cancelled. Its e-mail that people accepted has to be gone out, or to be dead.
CREATE OR REPLACE FUNCTION lakemill.agent_require_deletable(
    actor text, agent_name text, cancel_open boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    runs bigint;
    mails bigint;
BEGIN
    PERFORM lakemill.agent_require_manage(actor, agent_name);
    SELECT count(*) INTO runs FROM lakemill.agent_runs r
    WHERE r.agent = agent_name AND r.status IN ('queued', 'running', 'waiting');
    SELECT count(*) INTO mails FROM lakemill.agent_outbox o
    WHERE o.agent = agent_name AND o.state = 'approved';
    IF runs > 0 AND NOT cancel_open THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the agent %s has %s open runs', agent_name, runs),
            HINT = 'wait until they have ended, or cancel them with it';
    ELSIF mails > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('%s e-mails of the agent %s are accepted and not sent yet', mails,
                agent_name),
            HINT = 'wait until they are sent; GET /api/2.0/agent-runs/RUN tells why they are not';
    END IF;
END $$;

-- Deletes an agent whose triggers are gone, with its runs, steps, effects, approvals and e-mail.
-- What it was and did stays in the audit. Returns how many runs went with it.
CREATE OR REPLACE FUNCTION lakemill.agent_delete_as(
    actor text, agent_name text, cancel_open boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    run uuid;
    gone bigint;
BEGIN
    PERFORM FROM lakemill.agents a WHERE a.name = agent_name FOR UPDATE;
    PERFORM lakemill.agent_require_deletable(actor, agent_name, cancel_open);
    FOR run IN SELECT r.run_id FROM lakemill.agent_runs r WHERE r.agent = agent_name
            AND r.status IN ('queued', 'running', 'waiting') ORDER BY r.run_id LOOP
        PERFORM lakemill.agent_cancel_as(actor, run, 'the agent is deleted');
    END LOOP;
    DELETE FROM lakemill.agent_outbox o WHERE o.agent = agent_name;
    DELETE FROM lakemill.agent_effects e WHERE e.agent = agent_name;
    DELETE FROM lakemill.agent_runs r WHERE r.agent = agent_name;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM lakemill.agents a WHERE a.name = agent_name;
    PERFORM lakemill.agent_audit('deleteAgent', actor, '', jsonb_build_object(
        'agent', agent_name, 'runs', gone), 200, '');
    RETURN gone;
END $$;

REVOKE ALL ON FUNCTION lakemill.agent_require_deletable(text, text, boolean),
    lakemill.agent_delete_as(text, text, boolean)
FROM PUBLIC;
