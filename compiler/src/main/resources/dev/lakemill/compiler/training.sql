-- What usual pipelines are made of. Compiled once when Lakemill is built, so that the JVM knows
-- what a first text needs; nobody runs it.
CREATE TABLE t.bronze.readings (
  id STRING NOT NULL, sensor STRING, site STRING, value DOUBLE, grams DECIMAL(18,3), body STRING,
  tags ARRAY<STRING>, at TIMESTAMP, day DATE);
CREATE TABLE t.bronze.sites (
  site STRING NOT NULL, name STRING, area DOUBLE, deleted BOOLEAN, at TIMESTAMP);

CREATE OR REFRESH STREAMING TABLE t.silver.readings (
  CONSTRAINT once EXPECT UNIQUE (id) ON VIOLATION DROP ROW,
  CONSTRAINT known EXPECT (site IS NOT NULL) ON VIOLATION QUARANTINE,
  CONSTRAINT sane EXPECT (value BETWEEN -100 AND 1000) ON VIOLATION QUARANTINE,
  CONSTRAINT late EXPECT (at < now() + INTERVAL 1 HOUR))
AS SELECT id, upper(trim(sensor)) AS sensor, site, value, grams, at, date_trunc('HOUR', at) AS hour,
  get_json_object(body, '$.unit') AS unit, size(tags) AS tags, coalesce(grams, 0) AS weight,
  CASE WHEN value > 10 THEN 'high' WHEN value > 5 THEN 'middle' ELSE 'low' END AS level
FROM STREAM(t.bronze.readings)
WHERE site RLIKE '^[a-z]+$' OR site LIKE 'x%';

CREATE OR REFRESH STREAMING TABLE t.silver.sites;
CREATE FLOW sites AS AUTO CDC INTO t.silver.sites FROM STREAM(t.bronze.sites)
KEYS (site) APPLY AS DELETE WHEN deleted SEQUENCE BY at COLUMNS * EXCEPT (deleted)
STORED AS SCD TYPE 1;

CREATE OR REFRESH MATERIALIZED VIEW t.gold.by_hour AS
SELECT r.site, s.name, r.hour, count(*) AS n, count(DISTINCT r.sensor) AS sensors,
  sum(r.grams) AS grams, avg(r.value) AS mean, min(r.at) AS first_at, max(r.at) AS last_at
FROM t.silver.readings r LEFT JOIN t.silver.sites s ON r.site = s.site
WHERE r.at > now() - INTERVAL 24 HOURS
GROUP BY r.site, s.name, r.hour
HAVING count(*) > 0;

CREATE OR REFRESH MATERIALIZED VIEW t.gold.newest AS
SELECT * FROM (
  SELECT sensor, site, value, at, row_number() OVER (PARTITION BY sensor ORDER BY at DESC) AS place
  FROM t.silver.readings)
WHERE place = 1;

CREATE OR REFRESH MATERIALIZED VIEW t.gold.report AS
WITH hot AS (SELECT site, count(*) AS n FROM t.silver.readings WHERE level = 'high' GROUP BY site)
SELECT b.site, round(b.mean, 2) AS mean, CAST(h.n AS INT) AS hot,
  lag(b.n) OVER (PARTITION BY b.site ORDER BY b.hour) AS before,
  named_struct('a', b.n, 'b', concat(b.name, '!')) AS pair
FROM t.gold.by_hour b JOIN hot h USING (site)
WHERE EXISTS (SELECT 1 FROM t.gold.newest n WHERE n.site = b.site)
UNION ALL
SELECT site, 0, 0, 0, NULL FROM t.silver.sites WHERE area IN (1, 2, 3);

CREATE SYNCED TABLE t.pg.newest FROM t.gold.newest PRIMARY KEY (sensor);
