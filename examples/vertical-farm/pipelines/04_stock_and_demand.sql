-- Gold: how much is asked for, how much seed there is, and how long it lasts.
--
-- Raw rows are aggregated once into a small view, and everything else is built on that. Sums run
-- over DECIMAL and BIGINT, never over DOUBLE, so that the order of the rows cannot change the last
-- digit of an answer.

-- Demand per SKU in quarter hours, of the last 24 hours and the quarter that runs. A reading is a
-- rate, so within a quarter the readings of a series (a site's channel) are averaged, and the
-- averages of a SKU's series are added up. Whole quarters only: an older one changes only when a
-- late reading comes in. Once a second is enough for means of a day and for charts.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.demand_by_quarter_hour
TBLPROPERTIES ('pipelines.trigger.interval' = '1 second') AS
WITH by_series AS (
  SELECT
    quarter_hour,
    series,
    CAST(sum(exact_trays_per_hour) AS DOUBLE) / count(*) AS trays_per_hour,
    count(*) AS events
  FROM farm.silver.demand_events
  WHERE quarter_hour
    >= timestamp_micros(unix_micros(now()) - unix_micros(now()) % 900000000) - INTERVAL 24 HOURS
  GROUP BY quarter_hour, series
)
SELECT
  quarter_hour AS bucket,
  split_part(series, '/', 1) AS sku,
  sum(CAST(trays_per_hour AS DECIMAL(12,4))) AS trays_per_hour,
  sum(events) AS events
FROM by_series
GROUP BY quarter_hour, split_part(series, '/', 1);

-- For the chart: one line per family, in quarter hours.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.demand_24h
TBLPROPERTIES ('pipelines.trigger.interval' = '1 second') AS
SELECT
  d.bucket,
  k.family,
  CAST(sum(d.trays_per_hour) AS DOUBLE) AS trays_per_hour,
  sum(d.events) AS events
FROM farm.gold.demand_by_quarter_hour AS d
JOIN farm.silver.skus AS k ON k.sku = d.sku
GROUP BY d.bucket, k.family;

-- Planting demand of the last hour, by event time.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.demand_1h AS
WITH by_series AS (
  SELECT
    series,
    CAST(sum(exact_trays_per_hour) AS DOUBLE) / count(*) AS trays_per_hour,
    count(*) AS events,
    max(occurred_at) AS last_at
  FROM farm.silver.demand_events
  WHERE occurred_at > now() - INTERVAL 1 HOUR
  GROUP BY series
),
by_sku AS (
  SELECT
    split_part(series, '/', 1) AS sku,
    CAST(sum(CAST(trays_per_hour AS DECIMAL(12,4))) AS DOUBLE) AS trays_per_hour,
    sum(events) AS events,
    max(last_at) AS last_at
  FROM by_series
  GROUP BY split_part(series, '/', 1)
)
SELECT
  k.sku,
  k.name,
  k.family,
  coalesce(d.trays_per_hour, 0D) AS trays_per_hour,
  coalesce(d.events, 0L) AS events,
  d.last_at
FROM farm.silver.skus AS k
LEFT JOIN by_sku AS d ON d.sku = k.sku;

-- Grams per bin (a SKU at a site): the latest count, and what moved since. Scales under the bins
-- count all the time, so an error in the books heals with the next count, and a movement that
-- comes in late, from before the count, changes nothing: the scale has seen it already. A bin is
-- known from its first count on. The second time condition follows from the first; it lets the
-- engine skip all but the newest rows.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.stock_by_bin AS
WITH counted AS (
  SELECT bin, max(occurred_at) AS counted_at
  FROM farm.silver.inventory_movements
  WHERE kind = 'count'
  GROUP BY bin
)
SELECT
  m.sku,
  m.site,
  max(CASE WHEN m.kind = 'count' THEN m.grams END)
    + coalesce(
      sum(CASE WHEN m.kind <> 'count' AND m.occurred_at > c.counted_at THEN m.grams END),
      0L
    ) AS on_hand_grams,
  max(m.occurred_at) AS last_movement_at
FROM farm.silver.inventory_movements AS m
JOIN counted AS c ON c.bin = m.bin
WHERE m.occurred_at >= c.counted_at
  AND m.occurred_at >= (SELECT min(counted_at) FROM counted)
GROUP BY m.sku, m.site;

-- Days of cover = grams on hand / (trays of 24 hours x grams per tray). The trays of 24 hours are
-- the mean rate over the quarters that have readings, times 24: a gap in the feed is not a lull.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.stock_position AS
WITH demand AS (
  SELECT sku, CAST(sum(trays_per_hour) AS DOUBLE) * 24 / count(*) AS demand_trays_24h
  FROM farm.gold.demand_by_quarter_hour
  GROUP BY sku
),
stock AS (
  SELECT sku, sum(on_hand_grams) AS on_hand_grams, max(last_movement_at) AS last_movement_at
  FROM farm.gold.stock_by_bin
  GROUP BY sku
)
SELECT
  k.sku,
  k.name,
  k.family,
  coalesce(s.on_hand_grams, 0L) AS on_hand_grams,
  coalesce(d.demand_trays_24h, 0D) AS demand_trays_24h,
  k.grams_per_tray,
  CASE WHEN d.demand_trays_24h > 0
    THEN greatest(coalesce(s.on_hand_grams, 0L), 0L) / (d.demand_trays_24h * k.grams_per_tray)
  END AS days_of_cover,
  s.last_movement_at
FROM farm.silver.skus AS k
LEFT JOIN stock AS s ON s.sku = k.sku
LEFT JOIN demand AS d ON d.sku = k.sku
-- A SKU without a weight per tray cannot be sown, so it has no cover.
WHERE k.grams_per_tray > 0;
