-- Run at each start. What people and applications do about runs: start, decide, delegate, cancel,
-- pause, resume, stop. The functions that end in _as take who acts from the node; the others take
-- the session's user.

-- Starts a run, once for each key. Returns its id, also of the one that was there.
CREATE OR REPLACE FUNCTION lakemill.agent_start_as(
    actor text, agent_name text, kind text, key text, given jsonb, behalf text) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    a lakemill.agents;
    found uuid;
BEGIN
    SELECT * INTO a FROM lakemill.agents x WHERE x.name = agent_name;
    IF a.name IS NULL OR NOT (lakemill.agent_is_one_of(actor, a.callers)
            OR lakemill.agent_may_manage(actor, agent_name)) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s may not start an agent %s', actor, agent_name),
            HINT = 'its owner can add you, or a group of yours, to its callers';
    ELSIF octet_length(given::text) > 1048576 OR length(key) NOT BETWEEN 1 AND 500 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the input has more than 1048576 bytes, or the key not 1 to 500 characters';
    END IF;
    INSERT INTO lakemill.agent_runs (agent, version, trigger_kind, trigger_key, input, started_by,
        on_behalf_of)
    VALUES (a.name, a.version, kind, key, given, actor, behalf)
    ON CONFLICT (agent, trigger_key) DO NOTHING RETURNING run_id INTO found;
    IF found IS NULL THEN
        RETURN (SELECT r.run_id FROM lakemill.agent_runs r
            WHERE r.agent = agent_name AND r.trigger_key = key);
    END IF;
    PERFORM lakemill.agent_audit('startRun', actor, behalf, jsonb_build_object(
        'run_id', found, 'agent', agent_name, 'trigger', kind), 200, '');
    RETURN found;
END $$;

-- Who acts. A read-only login does not, though it may set its transactions to READ WRITE.
CREATE OR REPLACE FUNCTION lakemill.agent_session_user() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM lakemill.session_principal();
    RETURN session_user;
END $$;

-- SELECT lakemill.agent_start('negotiator', '{"supplier": 7}', 'rfq-7-2026-11');
CREATE OR REPLACE FUNCTION lakemill.agent_start(agent_name text, given jsonb, key text)
RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lakemill.agent_start_as(lakemill.agent_session_user(), agent_name, 'message', key, given,
        coalesce(current_setting('lakemill.on_behalf_of', true), ''))
$$;

-- Asks people. The run waits, and goes on when they have decided; asking again waits again.
CREATE OR REPLACE FUNCTION lakemill.agent_ask(run uuid, held bigint, step int, ask jsonb)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_hold(run, held);
    found uuid;
BEGIN
    IF step <> r.steps_used + 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'LM004',
            MESSAGE = format('step %s is not the next of run %s', step, run);
    END IF;
    INSERT INTO lakemill.agent_approvals (run_id, seq, agent, name, input_hash, action, args,
        description, allowed, assignees, expires_at)
    SELECT run, step, r.agent, ask ->> 'name', ask ->> 'input_hash', ask ->> 'action',
        ask -> 'args', coalesce(ask ->> 'description', ''),
        ARRAY(SELECT jsonb_array_elements_text(ask -> 'allowed')),
        CASE WHEN jsonb_array_length(ask -> 'assignees') > 0
            THEN ARRAY(SELECT jsonb_array_elements_text(ask -> 'assignees'))
            ELSE a.approvers END,
        clock_timestamp() + make_interval(secs =>
            least(greatest((ask ->> 'expires_s')::bigint, 1), 31536000))
    FROM lakemill.agents a WHERE a.name = r.agent
    ON CONFLICT (run_id, seq) DO NOTHING RETURNING approval_id INTO found;
    IF found IS NOT NULL THEN
        PERFORM lakemill.agent_audit('askApproval', session_user, r.on_behalf_of,
            jsonb_build_object('run_id', run, 'agent', r.agent, 'approval', found,
                'action', ask ->> 'action'), 200, '');
    ELSE
        SELECT x.approval_id INTO found FROM lakemill.agent_approvals x
        WHERE x.run_id = run AND x.seq = step AND x.input_hash = ask ->> 'input_hash';
        IF found IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'LM004', MESSAGE = format(
                'run %s asks another thing in step %s than before', run, step);
        END IF;
    END IF;
    PERFORM lakemill.agent_leave(r, 'waiting', 'infinity');
    RETURN found;
END $$;

-- An e-mail, to the address that the agent's table has for a key. It is sent when people have
-- accepted it, or at once where the agent needs nobody. Only the agent's approvers are asked, so
-- that no agent picks who lets its e-mail out. A key is one e-mail's: of two runs at once the index
-- has one wait for the other. One that died before it went out, but for people's no, gives it free.
CREATE OR REPLACE FUNCTION lakemill.agent_mail(run uuid, held bigint, step int, mail jsonb)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_hold(run, held);
    a lakemill.agents;
    o lakemill.agent_outbox;
    address text;
    approval uuid;
    dedup text := mail ->> 'dedup_key';
BEGIN
    SELECT * INTO a FROM lakemill.agents x WHERE x.name = r.agent;
    IF a.address_table = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'LM005', MESSAGE = format(
            'agent %s has no table of addresses, and so sends no e-mail', a.name);
    ELSIF NOT has_table_privilege(session_user, a.address_table, 'SELECT') THEN
        RAISE EXCEPTION USING ERRCODE = 'LM005', MESSAGE = format(
            '%s may not read %s, where addresses are', session_user, a.address_table);
    END IF;
    EXECUTE format('SELECT %I::text FROM %s WHERE %I::text = $1', a.address_column,
        a.address_table::regclass, a.address_key) INTO address USING mail ->> 'recipient_key';
    IF address IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'LM005', MESSAGE = format(
            '%s has no address for %s', a.address_table, left(mail ->> 'recipient_key', 100));
    END IF;
    LOOP
        INSERT INTO lakemill.agent_outbox (agent, run_id, seq, dedup_key, recipient_key, recipient,
            subject, body, drafted_by, model, state)
        VALUES (r.agent, run, step, dedup, mail ->> 'recipient_key', address, mail ->> 'subject',
            mail ->> 'body', mail ->> 'drafted_by', coalesce(mail ->> 'model', ''),
            CASE WHEN a.mail_needs_approval THEN 'draft' ELSE 'approved' END)
        ON CONFLICT (agent, dedup_key) DO NOTHING;
        EXIT WHEN FOUND;
        SELECT * INTO o FROM lakemill.agent_outbox x
        WHERE x.agent = r.agent AND x.dedup_key = dedup FOR UPDATE;
        EXIT WHEN o.run_id = run AND o.seq = step;
        IF o.state = 'dead' AND o.error NOT IN ('ignore', 'respond') THEN
            UPDATE lakemill.agent_outbox x SET dedup_key = format('%s (dead %s)', dedup, x.id)
            WHERE x.id = o.id;
        ELSIF o.id IS NOT NULL THEN
            PERFORM lakemill.agent_append(r, mail || jsonb_build_object('seq', step,
                'kind', 'effect', 'output', jsonb_build_object('state', 'duplicate')));
            RETURN true;
        END IF;
    END LOOP;
    IF a.mail_needs_approval THEN
        approval := lakemill.agent_ask(run, held, step, jsonb_build_object(
            'name', mail ->> 'name', 'input_hash', mail ->> 'input_hash',
            'action', 'send_email', 'description', coalesce(mail ->> 'description', ''),
            'args', jsonb_build_object('recipient', address, 'subject', mail ->> 'subject',
                'body', mail ->> 'body', 'drafted_by', mail ->> 'drafted_by'),
            'allowed', '["accept","edit","respond","ignore"]'::jsonb,
            'assignees', '[]'::jsonb, 'expires_s', mail -> 'expires_s'));
        UPDATE lakemill.agent_outbox x SET approval_id = approval
        WHERE x.agent = r.agent AND x.dedup_key = dedup;
    END IF;
    IF approval IS NULL THEN
        PERFORM lakemill.agent_append(r, mail || jsonb_build_object('seq', step, 'kind', 'effect',
            'output', jsonb_build_object('state', 'approved')));
        PERFORM lakemill.agent_audit('queueEmail', session_user, r.on_behalf_of,
            jsonb_build_object('run_id', run, 'agent', r.agent, 'recipient', address), 200, '');
    END IF;
    RETURN approval IS NULL;
END $$;

-- Writes the end of an approval as the run's step, which nothing else can, and wakes the run. The
-- run is locked by the caller.
CREATE OR REPLACE FUNCTION lakemill.agent_settle(p lakemill.agent_approvals) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs;
    accepted boolean := p.decision IN ('accept', 'edit');
BEGIN
    SELECT * INTO r FROM lakemill.agent_runs x WHERE x.run_id = p.run_id;
    UPDATE lakemill.agent_outbox o SET state = CASE WHEN accepted THEN 'approved' ELSE 'dead' END,
        error = CASE WHEN accepted THEN '' ELSE p.decision END,
        subject = coalesce(p.decided_args ->> 'subject', o.subject),
        body = coalesce(p.decided_args ->> 'body', o.body),
        drafted_by = CASE WHEN p.decision = 'edit' THEN 'human' ELSE o.drafted_by END
    WHERE o.approval_id = p.approval_id AND o.state = 'draft';
    PERFORM lakemill.agent_append(r, jsonb_build_object('seq', p.seq, 'kind', 'wait',
        'name', p.name, 'input_hash', p.input_hash, 'output', jsonb_build_object(
            'decision', p.decision, 'args', coalesce(p.decided_args, p.args),
            'response', p.response, 'decided_by', p.decided_by, 'approval_id', p.approval_id)));
    UPDATE lakemill.agent_runs x SET status = 'queued', next_at = clock_timestamp()
    WHERE x.run_id = p.run_id AND x.status = 'waiting';
END $$;

-- Takes a decision: once, by somebody who was asked, never by an agent.
CREATE OR REPLACE FUNCTION lakemill.agent_decide_as(
    actor text, approval uuid, taken text, given jsonb, words text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    p lakemill.agent_approvals;
BEGIN
    PERFORM FROM lakemill.agent_runs x WHERE x.run_id = (SELECT y.run_id
        FROM lakemill.agent_approvals y WHERE y.approval_id = approval) FOR UPDATE;
    SELECT * INTO p FROM lakemill.agent_approvals x WHERE x.approval_id = approval;
    IF p.approval_id IS NULL OR NOT lakemill.agent_is_one_of(actor, p.assignees)
            OR EXISTS (SELECT FROM lakemill.agents a WHERE a.principal = actor) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s has no approval %s to decide', actor, approval);
    ELSIF NOT taken = ANY (p.allowed) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('%s is none of %s', taken, array_to_string(p.allowed, ', '));
    ELSIF taken = 'edit' AND (given IS NULL OR jsonb_typeof(given) <> 'object'
            OR EXISTS (SELECT FROM jsonb_object_keys(given) k WHERE NOT p.args ? k)
            OR p.action = 'send_email' AND given - '{subject,body}'::text[] <> '{}') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'an edit changes arguments that there are; of an e-mail subject and body';
    ELSIF taken = 'respond' AND coalesce(words, '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'a response has words';
    END IF;
    UPDATE lakemill.agent_approvals x
    SET state = 'decided', decision = taken, decided_by = actor, decided_at = clock_timestamp(),
        decided_args = CASE WHEN taken = 'edit' THEN x.args || given END,
        response = left(coalesce(words, ''), 10000)
    WHERE x.approval_id = approval AND x.state = 'pending' AND x.expires_at > clock_timestamp()
    RETURNING x.* INTO p;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = (
            SELECT CASE WHEN x.state = 'decided'
                THEN format('%s has decided already: %s', x.decided_by, x.decision)
                WHEN x.state = 'cancelled' THEN 'its run has ended'
                ELSE 'the time to decide is over' END
            FROM lakemill.agent_approvals x WHERE x.approval_id = approval);
    END IF;
    PERFORM lakemill.agent_settle(p);
    PERFORM lakemill.agent_audit('decideApproval', actor, '', jsonb_build_object(
        'run_id', p.run_id, 'agent', p.agent, 'approval', approval, 'action', p.action,
        'decision', taken), 200, '');
END $$;

-- SELECT lakemill.agent_decide('…', 'edit', '{"subject": "RFQ basil"}', '');
CREATE OR REPLACE FUNCTION lakemill.agent_decide(
    approval uuid, decision text, args jsonb, response text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lakemill.agent_decide_as(lakemill.agent_session_user(), approval, decision, args,
        response)
$$;

-- Hands an approval on to somebody else, who then is asked in the place of all before.
CREATE OR REPLACE FUNCTION lakemill.agent_delegate_as(actor text, approval uuid, receiver text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    p lakemill.agent_approvals;
BEGIN
    IF NOT EXISTS (SELECT FROM lakemill.principals x WHERE x.name = receiver AND x.active)
            OR EXISTS (SELECT FROM lakemill.agents a WHERE a.principal = receiver) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format(
            '%s is no active principal, or an agent''s', receiver);
    END IF;
    UPDATE lakemill.agent_approvals x SET assignees = ARRAY[receiver]
    WHERE x.approval_id = approval AND x.state = 'pending'
        AND x.expires_at > clock_timestamp()
        AND lakemill.agent_is_one_of(actor, x.assignees)
        AND NOT EXISTS (SELECT FROM lakemill.agents a WHERE a.principal = actor)
    RETURNING x.* INTO p;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s has no approval %s to hand on', actor, approval);
    END IF;
    PERFORM lakemill.agent_audit('delegateApproval', actor, '', jsonb_build_object(
        'run_id', p.run_id, 'agent', p.agent, 'approval', approval, 'to', receiver), 200, '');
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_delegate(approval uuid, receiver text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lakemill.agent_delegate_as(lakemill.agent_session_user(), approval, receiver)
$$;

-- Approvals whose time is over end so; each run goes on and sees that. Returns how many.
CREATE OR REPLACE FUNCTION lakemill.agent_expire() RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r record;
    p lakemill.agent_approvals;
    ended int := 0;
BEGIN
    FOR r IN SELECT x.run_id FROM lakemill.agent_runs x WHERE x.run_id IN (
            SELECT y.run_id FROM lakemill.agent_approvals y
            WHERE y.state = 'pending' AND y.expires_at <= clock_timestamp())
            ORDER BY x.run_id FOR UPDATE SKIP LOCKED LOOP
        UPDATE lakemill.agent_approvals y
        SET state = 'expired', decision = 'expired', decided_at = clock_timestamp()
        WHERE y.run_id = r.run_id AND y.state = 'pending' AND y.expires_at <= clock_timestamp()
        RETURNING y.* INTO p;
        IF FOUND THEN
            PERFORM lakemill.agent_settle(p);
            PERFORM lakemill.agent_audit('expireApproval', 'system', '', jsonb_build_object(
                'run_id', p.run_id, 'agent', p.agent, 'approval', p.approval_id), 200, '');
            ended := ended + 1;
        END IF;
    END LOOP;
    RETURN ended;
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_require_manage(actor text, agent_name text)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT lakemill.agent_may_manage(actor, coalesce(agent_name, '')) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s does not manage an agent %s', actor, agent_name),
            HINT = 'its owner and metastore admins do';
    END IF;
END $$;

-- Ends a run for good. Whatever its worker does then is refused. False when it had ended.
CREATE OR REPLACE FUNCTION lakemill.agent_cancel_as(actor text, run uuid, why text)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs;
BEGIN
    SELECT * INTO r FROM lakemill.agent_runs x WHERE x.run_id = run FOR UPDATE;
    IF r.run_id IS NOT NULL AND r.started_by = actor THEN
        NULL;
    ELSE
        PERFORM lakemill.agent_require_manage(actor, r.agent);
    END IF;
    IF r.status IN ('succeeded', 'failed', 'cancelled') THEN
        RETURN false;
    END IF;
    PERFORM lakemill.agent_end(run, 'cancelled', NULL, 'CANCELLED',
        format('by %s: %s', actor, why));
    PERFORM lakemill.agent_audit('cancelRun', actor, '', jsonb_build_object(
        'run_id', run, 'agent', r.agent, 'reason', why), 200, '');
    RETURN true;
END $$;

-- Pauses a run or lets it go on. What its worker is at is not recorded any more.
CREATE OR REPLACE FUNCTION lakemill.agent_pause_run_as(actor text, run uuid, pause boolean)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs;
BEGIN
    SELECT * INTO r FROM lakemill.agent_runs x WHERE x.run_id = run FOR UPDATE;
    PERFORM lakemill.agent_require_manage(actor, r.agent);
    UPDATE lakemill.agent_runs x SET paused = pause WHERE x.run_id = run;
    PERFORM lakemill.agent_audit(CASE WHEN pause THEN 'pauseRun' ELSE 'resumeRun' END, actor, '',
        jsonb_build_object('run_id', run, 'agent', r.agent), 200, '');
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_pause_as(actor text, agent_name text, pause boolean)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM lakemill.agent_require_manage(actor, agent_name);
    UPDATE lakemill.agents x SET paused = pause WHERE x.name = agent_name;
    PERFORM lakemill.agent_audit(CASE WHEN pause THEN 'pauseAgent' ELSE 'resumeAgent' END, actor,
        '', jsonb_build_object('agent', agent_name), 200, '');
END $$;

-- The kill switch. Returns when what was being written has ended, which a worker that keeps its
-- transaction open does not choose; nothing is written after that.
CREATE OR REPLACE FUNCTION lakemill.agent_stop_all_as(actor text, stop boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $$
BEGIN
    IF NOT lakemill.agent_is_one_of(actor, '{admins}') THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s may not stop all agents', actor),
            HINT = 'metastore admins can';
    END IF;
    BEGIN
        LOCK TABLE "lakemill locks".agents IN EXCLUSIVE MODE;
    EXCEPTION WHEN lock_not_available THEN
        PERFORM pg_terminate_backend(l.pid) FROM pg_locks l
        WHERE l.relation = '"lakemill locks".agents'::regclass AND l.mode = 'RowShareLock';
        LOCK TABLE "lakemill locks".agents IN EXCLUSIVE MODE;
    END;
    UPDATE lakemill.agent_switch SET stopped = stop, changed_by = actor, changed_at = now();
    PERFORM lakemill.agent_audit(CASE WHEN stop THEN 'stopAllAgents' ELSE 'startAllAgents' END,
        actor, '', '{}', 200, '');
END $$;

-- Forgets runs that ended before a time, with their steps and approvals. Keys of effects and of
-- e-mail stay, so that nothing is done again. Returns how many.
CREATE OR REPLACE FUNCTION lakemill.agent_purge(before timestamptz, runs_max int) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old uuid[];
BEGIN
    SELECT array_agg(x.run_id) INTO old FROM (
        SELECT r.run_id FROM lakemill.agent_runs r
        WHERE r.status IN ('succeeded', 'failed', 'cancelled') AND r.finished_at < before
            AND NOT EXISTS (SELECT FROM lakemill.agent_outbox o
                WHERE o.run_id = r.run_id AND o.state = 'approved')
        ORDER BY r.finished_at LIMIT runs_max FOR UPDATE OF r SKIP LOCKED) x;
    UPDATE lakemill.agent_outbox o SET approval_id = NULL, body = '' WHERE o.run_id = ANY (old);
    DELETE FROM lakemill.agent_runs r WHERE r.run_id = ANY (old);
    RETURN coalesce(cardinality(old), 0);
END $$;

-- A change of a row starts a run in the transaction that makes it: both stand, or neither. The run
-- learns the row's key alone, and reads the row by its own rights. Arguments: the trigger, the
-- agent, the column that has to change (or ''), what it has to become (or no argument).
CREATE OR REPLACE FUNCTION lakemill.agent_row_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t lakemill.agent_triggers;
    a lakemill.agents;
    before jsonb := to_jsonb(OLD);
    after jsonb := to_jsonb(NEW);
    present jsonb := coalesce(to_jsonb(NEW), to_jsonb(OLD));
BEGIN
    SELECT * INTO t FROM lakemill.agent_triggers x WHERE x.name = TG_ARGV[0];
    SELECT * INTO a FROM lakemill.agents x WHERE x.name = t.agent;
    IF t.name IS NULL OR t.paused OR a.principal = session_user
            OR NOT lower(TG_OP) = ANY (t.operations)
            OR t.changed_column <> '' AND (
                TG_OP = 'UPDATE'
                    AND before -> t.changed_column IS NOT DISTINCT FROM after -> t.changed_column
                OR t.becomes IS NOT NULL
                    AND (after ->> t.changed_column) IS DISTINCT FROM t.becomes) THEN
        RETURN NULL;
    END IF;
    INSERT INTO lakemill.agent_runs (agent, version, trigger_kind, trigger_key, input, started_by,
        on_behalf_of)
    VALUES (a.name, a.version, 'row_change', format('%s:%s:%s', t.name, pg_current_xact_id(),
            nextval('lakemill.agent_changes')),
        t.input || jsonb_build_object('trigger', t.name, 'table', t.table_name,
            'operation', lower(TG_OP), 'key',
            (SELECT jsonb_object_agg(k, present -> k) FROM unnest(t.key_columns) k)),
        session_user, coalesce(current_setting('lakemill.on_behalf_of', true), ''));
    RETURN NULL;
END $$;

-- Whether the session's principal is among those asked, or may see all of an agent's runs.
CREATE OR REPLACE FUNCTION lakemill.agent_may_decide(assignees text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT lakemill.agent_is_one_of(lakemill.session_name(), assignees) $$;

CREATE OR REPLACE FUNCTION lakemill.agent_may_see(agent_name text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT lakemill.agent_may_manage(lakemill.session_name(), agent_name) $$;

-- What a principal may see, in plain SQL.
CREATE OR REPLACE VIEW lakemill.agent_inbox WITH (security_barrier) AS
SELECT p.approval_id, p.run_id, p.agent, p.action, p.args, p.description, p.allowed, p.assignees,
    p.created_at, p.expires_at
FROM lakemill.agent_approvals p
WHERE p.state = 'pending' AND lakemill.agent_may_decide(p.assignees);

CREATE OR REPLACE VIEW lakemill.agent_activity WITH (security_barrier) AS
SELECT r.run_id, r.agent, r.trigger_kind, r.trigger_key, r.status, r.paused, r.input, r.output,
    r.error_code, r.error, r.started_by, r.on_behalf_of, r.steps_used, r.tokens_used,
    r.cost_micros_used, r.ran_ms, r.created_at, r.finished_at
FROM lakemill.agent_runs r JOIN lakemill.agents a ON a.name = r.agent
WHERE r.started_by = lakemill.session_name() OR r.on_behalf_of = lakemill.session_name()
    OR a.principal = lakemill.session_name()
    OR lakemill.agent_may_see(r.agent);

-- The steps of those runs, without what was asked and answered: that may be more than whoever
-- started a run may read.
CREATE OR REPLACE VIEW lakemill.agent_activity_steps WITH (security_barrier) AS
SELECT s.run_id, r.agent, s.seq, s.kind, s.name, s.model, s.tokens_in, s.tokens_out, s.cost_micros,
    s.ms, s.created_at, p.action, p.decision, p.decided_by, e.state AS effect_state
FROM lakemill.agent_activity r
JOIN lakemill.agent_steps s ON s.run_id = r.run_id
LEFT JOIN lakemill.agent_approvals p ON p.run_id = s.run_id AND p.seq = s.seq
LEFT JOIN lakemill.agent_effects e ON e.run_id = s.run_id AND e.seq = s.seq;

GRANT SELECT ON lakemill.agent_inbox, lakemill.agent_activity, lakemill.agent_activity_steps
    TO PUBLIC;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
            WHERE p.pronamespace = 'lakemill'::regnamespace
                AND (p.proname LIKE 'agent\_%' OR p.proname = 'agents_stopped') LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION lakemill.agent_claim(text, text, bigint),
    lakemill.agent_renew(uuid[], bigint[], bigint), lakemill.agent_journal(uuid, bigint),
    lakemill.agent_check(uuid, bigint, boolean), lakemill.agent_touched(),
    lakemill.agent_record(uuid, bigint, jsonb, text[]),
    lakemill.agent_effect(uuid, bigint, int, text, text, boolean),
    lakemill.agent_effect_done(uuid, bigint, text, jsonb),
    lakemill.agent_succeed(uuid, bigint, jsonb),
    lakemill.agent_fail(uuid, bigint, text, text, bigint),
    lakemill.agent_release(uuid, bigint),
    lakemill.agent_sleep(uuid, bigint, jsonb, timestamptz),
    lakemill.agent_ask(uuid, bigint, int, jsonb), lakemill.agent_mail(uuid, bigint, int, jsonb),
    lakemill.agent_start(text, jsonb, text),
    lakemill.agent_decide(uuid, text, jsonb, text), lakemill.agent_delegate(uuid, text),
    lakemill.agent_row_changed(), lakemill.agent_may_decide(text[]),
    lakemill.agent_may_see(text) TO PUBLIC;
