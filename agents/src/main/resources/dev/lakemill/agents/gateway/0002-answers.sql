-- What pipelines' ai_query has been answered, or why it never will be. A batch sees the newest row of
-- a key that is not younger than its now(); of each key the two newest rows stay.
CREATE TABLE lakemill.model_answers (
    pipeline text NOT NULL,
    key text NOT NULL,
    since timestamptz NOT NULL,
    endpoint text NOT NULL,
    version text NOT NULL,
    answer text,
    error text,
    PRIMARY KEY (pipeline, key, since),
    CHECK ((answer IS NULL) <> (error IS NULL))
);
