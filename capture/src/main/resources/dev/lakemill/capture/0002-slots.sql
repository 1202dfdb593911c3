-- Whether the slot of the generation stands. The generation of one that was taken away is known until
-- the next one stands: up to there, positions in the lake tell what is in which table.
ALTER TABLE lakemill.capture_slots ADD COLUMN stands boolean NOT NULL DEFAULT true;
