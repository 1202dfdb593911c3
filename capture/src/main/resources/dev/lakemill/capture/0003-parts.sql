-- Partitions of captured tables: what is dropped can be asked for its table no more.
CREATE TABLE lakemill.capture_parts (
    part bigint PRIMARY KEY,
    root bigint NOT NULL
);

INSERT INTO lakemill.capture_parts
SELECT DISTINCT p.relid::oid::bigint, t.relation
FROM lakemill.capture_tables t CROSS JOIN pg_partition_tree(t.relation::oid::regclass) p
WHERE p.level > 0;
