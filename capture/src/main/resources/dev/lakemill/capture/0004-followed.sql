-- The place of the log up to which a table's commands are in its shape. A slot can tell them again:
-- Postgres forgets in a crash what was confirmed since its last checkpoint.
ALTER TABLE lakemill.capture_tables ADD COLUMN followed bigint NOT NULL DEFAULT -1;
