-- What policies and views with masks were made of, and how Postgres tells them back: a difference
-- on either side means that they are to be made again.
CREATE TABLE lakemill.projected_policies (
    postgres_schema text NOT NULL,
    postgres_table text NOT NULL,
    wanted text NOT NULL,
    found text NOT NULL,
    PRIMARY KEY (postgres_schema, postgres_table)
);

-- Which privileges a kind of securable can be granted; written at each start.
CREATE TABLE lakemill.grantable_privileges (
    securable_type text NOT NULL,
    privilege text NOT NULL,
    PRIMARY KEY (securable_type, privilege)
);

-- What principals did to tables by SQL, for the catalog to follow, in the order of number.
CREATE TABLE lakemill.table_changes (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL,
    principal text NOT NULL,
    catalog_schema text NOT NULL,
    postgres_schema text NOT NULL,
    postgres_table text NOT NULL
);

-- Where synced tables lie was not told before.
UPDATE lakemill.securables s
SET location = 'postgres:' || lower(p.name) || '.' || lower(s.name)
FROM lakemill.tables t, lakemill.securables p
WHERE t.id = s.id AND t.kind = 'SYNCED' AND p.id = s.parent_id;
