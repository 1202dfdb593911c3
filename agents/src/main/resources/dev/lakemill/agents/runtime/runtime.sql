-- Run at each start. The protocol between a run's worker and its journal. A worker is a session of
-- the agent's own principal: session_user says which agents it may work for, and no function here
-- does more than that principal's runs. Errors have SQLSTATEs of their own:
--   LM001 the run is not the caller's any more: taken over, cancelled or ended
--   LM002 paused, or stopped by the kill switch
--   LM003 a cap on steps, tokens, cost or time is reached
--   LM004 the agent's code does not repeat what it did before
--   LM005 refused: a rule of the journal is broken

CREATE OR REPLACE FUNCTION lakemill.agent_audit(
    action text, actor text, behalf text, about jsonb, status int, problem text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO lakemill.audit (
        event_id, event_time, source_ip_address, user_agent, session_id, user_email,
        user_subject_name, service_name, action_name, request_id, request_params, status_code,
        error_message, audit_level, run_by, run_as, door)
    VALUES (
        gen_random_uuid(), clock_timestamp(), coalesce(host(inet_client_addr()), ''),
        current_setting('application_name'), pg_backend_pid()::text, actor,
        coalesce((SELECT p.id::text FROM lakemill.principals p WHERE p.name = actor), ''),
        'agents', action, coalesce(about ->> 'run_id', ''), about, status, left(problem, 4096),
        'WORKSPACE_LEVEL', CASE WHEN behalf = '' THEN actor ELSE behalf END, actor, 'agent')
$$;

-- Whether a principal is one of the named, or in a group among them.
CREATE OR REPLACE FUNCTION lakemill.agent_is_one_of(actor text, names text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM lakemill.principals me
        CROSS JOIN LATERAL lakemill.identities(me.id) i (id)
        JOIN lakemill.principals p ON p.id = i.id
        WHERE me.name = actor AND me.active AND p.name = ANY (names));
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_may_manage(actor text, agent_name text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM lakemill.agents a WHERE a.name = agent_name
        AND lakemill.agent_is_one_of(actor, ARRAY[a.owner, 'admins']));
END $$;

-- Holds the kill switch still: whoever stops all agents waits for what is being written, and
-- nothing is written after that, nor by a snapshot from before.
CREATE OR REPLACE FUNCTION lakemill.agents_stopped() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM lakemill.require_read_committed();
    LOCK TABLE "lakemill locks".agents IN ROW SHARE MODE;
    RETURN (SELECT stopped FROM lakemill.agent_switch);
END $$;

-- The run, locked for the transaction, when it is still the caller's.
CREATE OR REPLACE FUNCTION lakemill.agent_hold(run uuid, held bigint)
RETURNS lakemill.agent_runs
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stopped boolean := lakemill.agents_stopped();
    r lakemill.agent_runs;
    a lakemill.agents;
BEGIN
    SELECT * INTO r FROM lakemill.agent_runs x WHERE x.run_id = run FOR UPDATE;
    SELECT * INTO a FROM lakemill.agents x WHERE x.name = r.agent;
    IF r.run_id IS NULL OR a.principal <> session_user THEN
        RAISE EXCEPTION USING ERRCODE = 'LM001',
            MESSAGE = format('%s has no run %s', session_user, run);
    ELSIF r.status <> 'running' OR r.fence <> held THEN
        RAISE EXCEPTION USING ERRCODE = 'LM001', MESSAGE = format(
            'run %s is %s, and at claim %s, not %s', run, r.status, r.fence, held);
    ELSIF stopped OR a.paused OR r.paused THEN
        RAISE EXCEPTION USING ERRCODE = 'LM002', MESSAGE = format(
            CASE WHEN stopped THEN 'all agents are stopped' ELSE 'run %s is paused' END, run);
    ELSIF r.ran_ms + 1000 * extract(epoch FROM clock_timestamp() - r.claimed_at)
            > 1000 * a.seconds_max::bigint THEN
        RAISE EXCEPTION USING ERRCODE = 'LM003',
            MESSAGE = format('run %s has run for %s s', run, a.seconds_max);
    ELSIF r.steps_used >= a.steps_max THEN
        RAISE EXCEPTION USING ERRCODE = 'LM003',
            MESSAGE = format('run %s has taken %s steps', run, a.steps_max);
    END IF;
    RETURN r;
END $$;

-- The next run of an agent that may be worked on: one that is due, or whose worker is gone.
CREATE OR REPLACE FUNCTION lakemill.agent_claim(agent_name text, worker text, lease_ms bigint)
RETURNS SETOF lakemill.agent_runs
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs;
BEGIN
    IF NOT EXISTS (SELECT FROM lakemill.agents a
            WHERE a.name = agent_name AND a.principal = session_user) THEN
        RAISE EXCEPTION USING ERRCODE = 'LM005',
            MESSAGE = format('%s is not the principal of an agent %s', session_user, agent_name);
    ELSIF lakemill.agents_stopped()
            OR (SELECT a.paused FROM lakemill.agents a WHERE a.name = agent_name) THEN
        RETURN;
    END IF;
    LOOP
        SELECT * INTO r FROM lakemill.agent_runs x
        WHERE x.agent = agent_name AND NOT x.paused
            AND (x.status IN ('queued', 'waiting') AND x.next_at <= clock_timestamp()
                OR x.status = 'running' AND x.lease_until < clock_timestamp())
        ORDER BY x.next_at LIMIT 1 FOR UPDATE SKIP LOCKED;
        EXIT WHEN r.run_id IS NULL;
        IF r.status = 'running' THEN
            r.takeovers := r.takeovers + 1;
            r.ran_ms := r.ran_ms
                + greatest(0, 1000 * extract(epoch FROM r.lease_until - r.claimed_at))::bigint;
        END IF;
        IF r.takeovers > 50 THEN
            PERFORM lakemill.agent_end(r.run_id, 'failed', NULL, 'WORKER_LOST',
                'its worker was lost 50 times without a step between');
            CONTINUE;
        END IF;
        RETURN QUERY UPDATE lakemill.agent_runs x
            SET status = 'running', fence = x.fence + 1, lease_owner = worker,
                claimed_at = clock_timestamp(), takeovers = r.takeovers, ran_ms = r.ran_ms,
                lease_until = clock_timestamp()
                    + make_interval(secs => least(greatest(lease_ms, 100), 600000) / 1000.0)
            WHERE x.run_id = r.run_id RETURNING x.*;
        RETURN;
    END LOOP;
END $$;

-- Keeps runs with their worker. Returns those that are its own no more, or are to be left.
CREATE OR REPLACE FUNCTION lakemill.agent_renew(runs uuid[], held bigint[], lease_ms bigint)
RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE lakemill.agent_runs x SET lease_until = clock_timestamp()
        + make_interval(secs => least(greatest(lease_ms, 100), 600000) / 1000.0)
    WHERE x.run_id IN (
        SELECT y.run_id FROM unnest(runs, held) w (run_id, fence)
        JOIN lakemill.agent_runs y ON y.run_id = w.run_id AND y.fence = w.fence
        JOIN lakemill.agents a ON a.name = y.agent AND a.principal = session_user
        WHERE y.status = 'running' FOR UPDATE OF y SKIP LOCKED);
    RETURN QUERY SELECT w.run_id FROM unnest(runs, held) w (run_id, fence)
        WHERE NOT EXISTS (SELECT FROM lakemill.agent_runs y JOIN lakemill.agents a
            ON a.name = y.agent AND NOT a.paused
            WHERE y.run_id = w.run_id AND y.fence = w.fence AND y.status = 'running'
                AND NOT y.paused AND NOT (SELECT s.stopped FROM lakemill.agent_switch s));
END $$;

-- What a run has recorded, for its replay.
CREATE OR REPLACE FUNCTION lakemill.agent_journal(run uuid, held bigint)
RETURNS TABLE (seq int, kind text, name text, input_hash text, output jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lakemill.agent_runs r JOIN lakemill.agents a ON a.name = r.agent
            WHERE r.run_id = run AND r.fence = held AND a.principal = session_user) THEN
        RAISE EXCEPTION USING ERRCODE = 'LM001',
            MESSAGE = format('run %s is not at claim %s', run, held);
    END IF;
    RETURN QUERY SELECT s.seq, s.kind, s.name, s.input_hash, s.output
        FROM lakemill.agent_steps s WHERE s.run_id = run ORDER BY s.seq;
END $$;

-- Asked before a model or another system is called: whether the run may go on.
CREATE OR REPLACE FUNCTION lakemill.agent_check(run uuid, held bigint, for_model boolean)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_hold(run, held);
    a lakemill.agents;
BEGIN
    SELECT * INTO a FROM lakemill.agents x WHERE x.name = r.agent;
    IF for_model AND r.tokens_used >= a.tokens_max THEN
        RAISE EXCEPTION USING ERRCODE = 'LM003', MESSAGE = format(
            'run %s has used %s tokens of %s', run, r.tokens_used, a.tokens_max);
    ELSIF for_model AND r.cost_micros_used >= a.cost_micros_max THEN
        RAISE EXCEPTION USING ERRCODE = 'LM003', MESSAGE = format(
            'run %s has cost %s micros of %s', run, r.cost_micros_used, a.cost_micros_max);
    END IF;
END $$;

-- The catalog's tables that this transaction has read or written so far. Counters of transactions
-- before are sent away first, by the call of pg_stat_force_next_flush in each of them.
CREATE OR REPLACE FUNCTION lakemill.agent_touched()
RETURNS TABLE (table_name text, kind text, reads boolean, rows_written bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_stat_force_next_flush();
    RETURN QUERY
    SELECT lakemill.full_name(s.id), 'TABLE'::text,
        bool_or(coalesce(t.seq_scan, 0) + coalesce(t.idx_scan, 0) > 0),
        sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del)::bigint
    FROM pg_stat_xact_all_tables t
    JOIN lakemill.securables s ON s.type = 'TABLE' AND s.location =
        'postgres:' || regexp_replace(t.schemaname, '^lakemill:', '') || '.' || t.relname
    WHERE coalesce(t.seq_scan, 0) + coalesce(t.idx_scan, 0)
        + t.n_tup_ins + t.n_tup_upd + t.n_tup_del > 0
    GROUP BY s.id;
END $$;

-- Lineage: what a step read joins what the run has read; what it wrote is made from all of that.
CREATE OR REPLACE FUNCTION lakemill.agent_flow(r lakemill.agent_runs, read_tables text[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    written record;
BEGIN
    INSERT INTO lakemill.agent_reads
    SELECT r.run_id, n FROM unnest(read_tables) n
    WHERE EXISTS (SELECT FROM lakemill.securables s WHERE s.type = 'TABLE'
        AND s.name = split_part(n, '.', 3))
    LIMIT 100 ON CONFLICT DO NOTHING;
    FOR written IN SELECT t.table_name, t.rows_written FROM lakemill.agent_touched() t
            WHERE t.rows_written > 0 LOOP
        INSERT INTO lakemill.table_lineage AS l (entity_type, entity_id, entity_run_id, source_type,
            source_name, target_type, target_name, created_by, window_start, event_time, row_count)
        SELECT 'AGENT', r.agent, r.run_id::text, x.source_type, x.source_name, 'TABLE',
            written.table_name, session_user, date_trunc('hour', now()), now(),
            written.rows_written
        FROM (SELECT 'TABLE' AS source_type, d.table_name AS source_name
            FROM lakemill.agent_reads d WHERE d.run_id = r.run_id
            UNION ALL SELECT '', '' WHERE NOT EXISTS (
                SELECT FROM lakemill.agent_reads d WHERE d.run_id = r.run_id)) x
        ON CONFLICT (target_name, source_name, entity_type, entity_id, created_by, window_start)
        DO UPDATE SET event_time = greatest(l.event_time, excluded.event_time),
            entity_run_id = excluded.entity_run_id, row_count = l.row_count + excluded.row_count;
    END LOOP;
    INSERT INTO lakemill.table_lineage AS l (entity_type, entity_id, entity_run_id, source_type,
        source_name, target_type, target_name, created_by, window_start, event_time, row_count)
    SELECT 'AGENT', r.agent, r.run_id::text, 'TABLE', d.table_name, '', '', session_user,
        date_trunc('hour', now()), now(), 0
    FROM lakemill.agent_reads d WHERE d.run_id = r.run_id AND d.table_name = ANY (read_tables)
    ON CONFLICT (target_name, source_name, entity_type, entity_id, created_by, window_start)
    DO UPDATE SET event_time = greatest(l.event_time, excluded.event_time),
        entity_run_id = excluded.entity_run_id;
END $$;

-- Appends a step without asking whose run it is.
CREATE OR REPLACE FUNCTION lakemill.agent_append(r lakemill.agent_runs, step jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (step ->> 'seq')::int <> r.steps_used + 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'LM004', MESSAGE = format(
            'run %s has %s steps; step %s is not the next', r.run_id, r.steps_used,
            step ->> 'seq');
    ELSIF octet_length(step::text) > 1048576 THEN
        RAISE EXCEPTION USING ERRCODE = 'LM005', MESSAGE = format(
            'step %s of run %s has %s bytes, more than 1048576', step ->> 'name', r.run_id,
            octet_length(step::text));
    END IF;
    INSERT INTO lakemill.agent_steps (run_id, seq, kind, name, input_hash, input, output, model,
        tokens_in, tokens_out, cost_micros, ms, fence)
    VALUES (r.run_id, r.steps_used + 1, step ->> 'kind', step ->> 'name', step ->> 'input_hash',
        step -> 'input', step -> 'output', coalesce(step ->> 'model', ''),
        greatest(0, coalesce((step ->> 'tokens_in')::bigint, 0)),
        greatest(0, coalesce((step ->> 'tokens_out')::bigint, 0)),
        greatest(0, coalesce((step ->> 'cost_micros')::bigint, 0)),
        coalesce((step ->> 'ms')::bigint, 0), r.fence);
    UPDATE lakemill.agent_runs x SET steps_used = x.steps_used + 1, failures = 0, takeovers = 0,
        tokens_used = x.tokens_used + greatest(0, coalesce((step ->> 'tokens_in')::bigint, 0))
            + greatest(0, coalesce((step ->> 'tokens_out')::bigint, 0)),
        cost_micros_used = x.cost_micros_used
            + greatest(0, coalesce((step ->> 'cost_micros')::bigint, 0))
    WHERE x.run_id = r.run_id;
END $$;

-- Appends a step, in the transaction that did what it says.
CREATE OR REPLACE FUNCTION lakemill.agent_record(
    run uuid, held bigint, step jsonb, read_tables text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_hold(run, held);
BEGIN
    IF step ->> 'kind' = 'wait' AND step ->> 'name' <> 'sleep' THEN
        RAISE EXCEPTION USING ERRCODE = 'LM005', MESSAGE = 'a decision is people''s to record';
    END IF;
    PERFORM lakemill.agent_append(r, step);
    PERFORM lakemill.agent_flow(r, read_tables);
    PERFORM lakemill.agent_audit('runStep', session_user, r.on_behalf_of, jsonb_build_object(
        'run_id', run, 'agent', r.agent, 'seq', step ->> 'seq', 'kind', step ->> 'kind',
        'name', left(step ->> 'name', 200), 'model', coalesce(step ->> 'model', ''),
        'reads', array_to_string(read_tables, ',')), 200, '');
END $$;

-- Begins an effect: null when it is to be done, and its receipt when it was done before. One in
-- the database commits with what it does; one outside has its intention committed first.
CREATE OR REPLACE FUNCTION lakemill.agent_effect(
    run uuid, held bigint, step int, effect_name text, idempotency text, outside boolean)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_hold(run, held);
    e lakemill.agent_effects;
BEGIN
    INSERT INTO lakemill.agent_effects (agent, idempotency_key, run_id, seq, name, state)
    VALUES (r.agent, idempotency, run, step, effect_name, 'intended')
    ON CONFLICT (agent, idempotency_key) DO NOTHING;
    SELECT * INTO e FROM lakemill.agent_effects x
    WHERE x.agent = r.agent AND x.idempotency_key = idempotency FOR UPDATE;
    PERFORM set_config('lakemill.on_behalf_of', r.on_behalf_of, true);
    PERFORM pg_stat_force_next_flush();
    RETURN CASE WHEN e.state = 'done' THEN coalesce(e.receipt, 'null') END;
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_effect_done(
    run uuid, held bigint, idempotency text, given jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_hold(run, held);
BEGIN
    UPDATE lakemill.agent_effects x
    SET state = 'done', receipt = given, done_at = clock_timestamp()
    WHERE x.agent = r.agent AND x.idempotency_key = idempotency AND x.state <> 'done';
END $$;

-- Ends a run, whoever holds it; what it waited for ends with it.
CREATE OR REPLACE FUNCTION lakemill.agent_end(
    run uuid, ending text, result jsonb, code text, problem text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs;
BEGIN
    UPDATE lakemill.agent_runs x
    SET status = ending, output = result, error_code = code, error = left(problem, 4000),
        lease_owner = '', lease_until = NULL, finished_at = clock_timestamp(),
        ran_ms = x.ran_ms + CASE WHEN x.status = 'running' THEN
            (1000 * extract(epoch FROM clock_timestamp() - x.claimed_at))::bigint ELSE 0 END
    WHERE x.run_id = run RETURNING x.* INTO r;
    UPDATE lakemill.agent_approvals x SET state = 'cancelled', decided_at = clock_timestamp()
    WHERE x.run_id = run AND x.state = 'pending';
    UPDATE lakemill.agent_outbox x SET state = 'dead', error = 'the run ended: ' || ending
    WHERE x.run_id = run AND x.state = 'draft';
    PERFORM lakemill.agent_audit('endRun', (SELECT a.principal FROM lakemill.agents a
        WHERE a.name = r.agent), r.on_behalf_of, jsonb_build_object(
        'run_id', run, 'agent', r.agent, 'status', ending, 'code', code),
        CASE WHEN ending = 'failed' THEN 500 ELSE 200 END, problem);
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_succeed(run uuid, held bigint, result jsonb)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- A run that has used its last step may still end.
    r lakemill.agent_runs := lakemill.agent_own(run, held);
BEGIN
    PERFORM lakemill.agent_end(run, 'succeeded', result, '', '');
END $$;

-- The run, locked, when it is the caller's: paused, stopped or at a cap.
CREATE OR REPLACE FUNCTION lakemill.agent_own(run uuid, held bigint) RETURNS lakemill.agent_runs
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs;
BEGIN
    SELECT x.* INTO r FROM lakemill.agent_runs x JOIN lakemill.agents a ON a.name = x.agent
    WHERE x.run_id = run AND x.fence = held AND x.status = 'running'
        AND a.principal = session_user
    FOR UPDATE OF x;
    IF r.run_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'LM001',
            MESSAGE = format('run %s is not at claim %s', run, held);
    END IF;
    RETURN r;
END $$;

-- Gives a run up: for good, or until later when trying again may help.
CREATE OR REPLACE FUNCTION lakemill.agent_fail(
    run uuid, held bigint, code text, problem text, retry_ms bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r lakemill.agent_runs := lakemill.agent_own(run, held);
BEGIN
    IF retry_ms IS NULL OR r.failures + 1 >= (
            SELECT a.failures_max FROM lakemill.agents a WHERE a.name = r.agent) THEN
        PERFORM lakemill.agent_end(run, 'failed', NULL, code, problem);
    ELSE
        PERFORM lakemill.agent_leave(r, 'queued',
            clock_timestamp() + make_interval(secs => retry_ms / 1000.0));
        UPDATE lakemill.agent_runs x SET failures = x.failures + 1, error_code = code,
            error = left(problem, 4000)
        WHERE x.run_id = run;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION lakemill.agent_leave(
    r lakemill.agent_runs, state text, until timestamptz) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE lakemill.agent_runs x SET status = state, next_at = until, lease_owner = '',
        lease_until = NULL, ran_ms = x.ran_ms
            + (1000 * extract(epoch FROM clock_timestamp() - x.claimed_at))::bigint
    WHERE x.run_id = r.run_id
$$;

-- Puts a run back, as it is: its worker ends, or the run is paused.
CREATE OR REPLACE FUNCTION lakemill.agent_release(run uuid, held bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM lakemill.agent_leave(lakemill.agent_own(run, held), 'queued', clock_timestamp());
END $$;

-- Lets a run sleep; the step is recorded, so that it wakes behind it.
CREATE OR REPLACE FUNCTION lakemill.agent_sleep(
    run uuid, held bigint, step jsonb, until timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM lakemill.agent_record(run, held, step, '{}');
    PERFORM lakemill.agent_leave(lakemill.agent_own(run, held), 'waiting', until);
END $$;
