-- One row for every call of a model, written before the call (status_code is null while it runs)
-- and completed after it.
CREATE TABLE lakemill.model_usage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL UNIQUE,
    event_time timestamptz NOT NULL,
    endpoint text NOT NULL,
    api text NOT NULL,
    requester_id uuid NOT NULL,
    requester text NOT NULL,
    on_behalf_of text,
    door text NOT NULL,
    is_stream boolean NOT NULL,
    provider text,
    model text,
    is_template boolean,
    status_code int,
    error text,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    is_estimated boolean NOT NULL DEFAULT true,
    cost_micros bigint NOT NULL,
    latency_ms bigint,
    first_token_ms bigint,
    attempts int
);
CREATE INDEX ON lakemill.model_usage (event_time);
CREATE INDEX ON lakemill.model_usage (id) WHERE status_code IS NULL;

-- What has been used or reserved of each limit.
CREATE TABLE lakemill.model_spend (
    endpoint text NOT NULL,
    counted_as text NOT NULL,
    period text NOT NULL,
    period_start timestamptz NOT NULL,
    calls bigint NOT NULL,
    tokens bigint NOT NULL,
    cost_micros bigint NOT NULL,
    PRIMARY KEY (endpoint, counted_as, period, period_start)
);

-- What was asked and answered, of endpoints whose inference_log is on; personal data is masked.
CREATE TABLE lakemill.model_payload (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL,
    event_time timestamptz NOT NULL,
    endpoint text NOT NULL,
    requester text NOT NULL,
    status_code int NOT NULL,
    request text NOT NULL,
    response text NOT NULL
);
CREATE INDEX ON lakemill.model_payload (event_time);
