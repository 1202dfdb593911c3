-- Durable agents: what is registered, what runs, and each step of it. Nobody but the owner reads or
-- writes these tables; agents and people come in by the functions of runtime.sql.
CREATE TABLE lakemill.agents (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
    principal text NOT NULL,
    owner text NOT NULL,
    description text NOT NULL DEFAULT '',
    version int NOT NULL DEFAULT 1,
    callers text[] NOT NULL DEFAULT '{}',
    approvers text[] NOT NULL DEFAULT '{}',
    steps_max int NOT NULL DEFAULT 200 CHECK (steps_max BETWEEN 1 AND 10000),
    tokens_max bigint NOT NULL DEFAULT 200000 CHECK (tokens_max >= 0),
    cost_micros_max bigint NOT NULL DEFAULT 1000000 CHECK (cost_micros_max >= 0),
    seconds_max int NOT NULL DEFAULT 3600 CHECK (seconds_max > 0),
    failures_max int NOT NULL DEFAULT 5 CHECK (failures_max > 0),
    paused boolean NOT NULL DEFAULT false,
    -- Where addresses of e-mail are looked up, so that no text that an agent reads names one.
    address_table text NOT NULL DEFAULT '',
    address_key text NOT NULL DEFAULT '',
    address_column text NOT NULL DEFAULT '',
    mail_needs_approval boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The kill switch: one row.
CREATE TABLE lakemill.agent_switch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    stopped boolean NOT NULL DEFAULT false,
    changed_by text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO lakemill.agent_switch DEFAULT VALUES;

-- The fence rises with every claim; who holds an older one writes nothing any more.
CREATE TABLE lakemill.agent_runs (
    run_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    agent text NOT NULL REFERENCES lakemill.agents,
    version int NOT NULL,
    trigger_kind text NOT NULL
        CHECK (trigger_kind IN ('api', 'message', 'schedule', 'row_change')),
    trigger_key text NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN
        ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled')),
    input jsonb NOT NULL,
    output jsonb,
    error_code text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    started_by text NOT NULL,
    on_behalf_of text NOT NULL DEFAULT '',
    paused boolean NOT NULL DEFAULT false,
    lease_owner text NOT NULL DEFAULT '',
    lease_until timestamptz,
    claimed_at timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    takeovers int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    steps_used int NOT NULL DEFAULT 0,
    tokens_used bigint NOT NULL DEFAULT 0,
    cost_micros_used bigint NOT NULL DEFAULT 0,
    ran_ms bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (agent, trigger_key)
);
CREATE INDEX agent_runs_due ON lakemill.agent_runs (agent, next_at)
    WHERE status IN ('queued', 'waiting');
CREATE INDEX agent_runs_leased ON lakemill.agent_runs (agent, lease_until)
    WHERE status = 'running';
CREATE INDEX agent_runs_created ON lakemill.agent_runs (created_at);

CREATE TABLE lakemill.agent_steps (
    run_id uuid NOT NULL REFERENCES lakemill.agent_runs ON DELETE CASCADE,
    seq int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('llm', 'tool', 'effect', 'wait', 'note')),
    name text NOT NULL,
    input_hash text NOT NULL,
    input jsonb,
    output jsonb,
    model text NOT NULL DEFAULT '',
    tokens_in bigint NOT NULL DEFAULT 0,
    tokens_out bigint NOT NULL DEFAULT 0,
    cost_micros bigint NOT NULL DEFAULT 0,
    ms bigint NOT NULL DEFAULT 0,
    fence bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, seq)
);
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON lakemill.agent_steps
    FOR EACH STATEMENT EXECUTE FUNCTION lakemill.refuse_change();
ALTER TABLE lakemill.agent_steps ENABLE ALWAYS TRIGGER append_only;

-- One row for each side effect. One in the database is done in the transaction that writes it here;
-- one outside is intended first, done by its key as often as it takes, and then done.
CREATE TABLE lakemill.agent_effects (
    agent text NOT NULL REFERENCES lakemill.agents,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 500),
    run_id uuid NOT NULL,
    seq int NOT NULL,
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('intended', 'done', 'failed')),
    receipt jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    PRIMARY KEY (agent, idempotency_key)
);
CREATE INDEX agent_effects_run ON lakemill.agent_effects (run_id, seq);

-- Tables of the catalog that a run has read: what its writes are made from.
CREATE TABLE lakemill.agent_reads (
    run_id uuid NOT NULL REFERENCES lakemill.agent_runs ON DELETE CASCADE,
    table_name text NOT NULL,
    PRIMARY KEY (run_id, table_name)
);

CREATE TABLE lakemill.agent_approvals (
    approval_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id uuid NOT NULL REFERENCES lakemill.agent_runs ON DELETE CASCADE,
    seq int NOT NULL,
    agent text NOT NULL REFERENCES lakemill.agents,
    name text NOT NULL,
    input_hash text NOT NULL,
    action text NOT NULL,
    args jsonb NOT NULL,
    description text NOT NULL DEFAULT '',
    allowed text[] NOT NULL DEFAULT '{accept,edit,respond,ignore}'
        CHECK (allowed <@ '{accept,edit,respond,ignore}' AND cardinality(allowed) > 0),
    assignees text[] NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'decided', 'expired', 'cancelled')),
    decision text NOT NULL DEFAULT '',
    decided_args jsonb,
    response text NOT NULL DEFAULT '',
    decided_by text NOT NULL DEFAULT '',
    decided_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    UNIQUE (run_id, seq)
);
CREATE INDEX agent_approvals_pending ON lakemill.agent_approvals (expires_at)
    WHERE state = 'pending';

-- E-mail: written once, sent at least once.
CREATE TABLE lakemill.agent_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent text NOT NULL REFERENCES lakemill.agents,
    run_id uuid NOT NULL,
    seq int NOT NULL,
    approval_id uuid REFERENCES lakemill.agent_approvals,
    dedup_key text NOT NULL,
    recipient_key text NOT NULL,
    recipient text NOT NULL CHECK (recipient ~ '^[^[:space:][:cntrl:]<>,;:"()\\@]+@[A-Za-z0-9.-]+$'),
    subject text NOT NULL CHECK (subject !~ '[[:cntrl:]]' AND length(subject) <= 300),
    body text NOT NULL CHECK (length(body) <= 100000),
    drafted_by text NOT NULL CHECK (drafted_by IN ('model', 'template', 'human')),
    model text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('draft', 'approved', 'sent', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    error text NOT NULL DEFAULT '',
    message_id text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    UNIQUE (agent, dedup_key)
);
CREATE INDEX agent_outbox_due ON lakemill.agent_outbox (next_at) WHERE state = 'approved';

-- What starts runs: a schedule, or changed rows of a table.
CREATE TABLE lakemill.agent_triggers (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
    agent text NOT NULL REFERENCES lakemill.agents ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('schedule', 'row_change')),
    cron text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT 'UTC',
    next_at timestamptz,
    table_name text NOT NULL DEFAULT '',
    key_columns text[] NOT NULL DEFAULT '{}',
    operations text[] NOT NULL DEFAULT '{insert,update,delete}'
        CHECK (operations <@ '{insert,update,delete}'),
    changed_column text NOT NULL DEFAULT '',
    becomes text,
    input jsonb NOT NULL DEFAULT '{}',
    paused boolean NOT NULL DEFAULT false,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE lakemill.agent_changes;
