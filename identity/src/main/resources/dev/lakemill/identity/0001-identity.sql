-- Private keys, sealed by the node's key file.
CREATE TABLE lakemill.signing_keys (
    id text PRIMARY KEY,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- Tokens and sessions that ended early, until they would have ended anyway.
CREATE TABLE lakemill.revoked_tokens (
    id text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE TABLE lakemill.token_generations (
    principal_id uuid PRIMARY KEY REFERENCES lakemill.principals ON DELETE CASCADE,
    generation bigint NOT NULL
);

-- A verifier proves that somebody knows the password; the password cannot be had from it.
CREATE TABLE lakemill.passwords (
    principal_id uuid PRIMARY KEY REFERENCES lakemill.principals ON DELETE CASCADE,
    verifier text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE lakemill.login_codes (
    hash bytea PRIMARY KEY,
    principal_id uuid NOT NULL REFERENCES lakemill.principals ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE TABLE lakemill.client_secrets (
    id text PRIMARY KEY,
    principal_id uuid NOT NULL REFERENCES lakemill.principals ON DELETE CASCADE,
    verifier text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX client_secrets_principal ON lakemill.client_secrets (principal_id);

-- Each is used once; a second use ends its session.
CREATE TABLE lakemill.refresh_tokens (
    hash bytea PRIMARY KEY,
    session text NOT NULL,
    principal_id uuid NOT NULL REFERENCES lakemill.principals ON DELETE CASCADE,
    client_id text NOT NULL,
    scope text NOT NULL,
    expires_at timestamptz NOT NULL,
    used boolean NOT NULL DEFAULT false,
    number bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX refresh_tokens_session ON lakemill.refresh_tokens (session);

-- Tokens that somebody asked for by name, so that they can be listed and ended.
CREATE TABLE lakemill.personal_tokens (
    id text PRIMARY KEY,
    principal_id uuid NOT NULL REFERENCES lakemill.principals ON DELETE CASCADE,
    comment text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX personal_tokens_principal ON lakemill.personal_tokens (principal_id);
