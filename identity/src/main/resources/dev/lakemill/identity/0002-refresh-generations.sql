-- A session dies when all tokens of its principal are revoked, also where that met its refresh.
ALTER TABLE lakemill.refresh_tokens ADD COLUMN generation bigint NOT NULL DEFAULT 0;
UPDATE lakemill.refresh_tokens AS r SET generation = g.generation
FROM lakemill.token_generations AS g WHERE g.principal_id = r.principal_id;
ALTER TABLE lakemill.refresh_tokens ALTER COLUMN generation DROP DEFAULT;
