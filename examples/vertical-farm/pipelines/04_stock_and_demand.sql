-- Gold: how much is asked for, how much seed there is, and how long it lasts.
--
-- Views are recomputed whole, so they are cheap on purpose: raw rows are aggregated once into a
-- small view, and everything else is built on that. Sums run over DECIMAL and BIGINT, never over
-- DOUBLE, so that the order of the rows cannot change the last digit of an answer.

-- Demand per SKU in quarter hours, of the last 24 hours and the quarter that runs. A reading is a
-- rate, so within a quarter readings of one site and channel are averaged, and the averages of
-- all sites and channels are added up. Whole quarters only: the older ones never change again.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.demand_by_quarter_hour AS
SELECT
  bucket,
  sku,
  family,
  sum(trays_per_hour) AS trays_per_hour,
  sum(events) AS events
FROM (
  SELECT
    timestamp_micros(unix_micros(occurred_at) - unix_micros(occurred_at) % 900000000) AS bucket,
    sku,
    family,
    site,
    channel,
    CAST(
      CAST(sum(CAST(trays_per_hour AS DECIMAL(12,4))) AS DOUBLE) / count(*) AS DECIMAL(12,4)
    ) AS trays_per_hour,
    count(*) AS events
  FROM farm.silver.demand_events
  WHERE occurred_at
    >= timestamp_micros(unix_micros(now()) - unix_micros(now()) % 900000000) - INTERVAL 24 HOURS
  GROUP BY
    timestamp_micros(unix_micros(occurred_at) - unix_micros(occurred_at) % 900000000),
    sku,
    family,
    site,
    channel
)
GROUP BY bucket, sku, family;

-- For the chart: one line per family.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.demand_24h AS
SELECT
  bucket,
  family,
  CAST(sum(trays_per_hour) AS DOUBLE) AS trays_per_hour,
  sum(events) AS events
FROM farm.gold.demand_by_quarter_hour
GROUP BY bucket, family;

-- Planting demand of the last hour, by event time.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.demand_1h AS
SELECT
  k.sku,
  k.name,
  k.family,
  coalesce(d.trays_per_hour, CAST(0 AS DOUBLE)) AS trays_per_hour,
  coalesce(d.events, CAST(0 AS BIGINT)) AS events,
  d.last_at
FROM farm.silver.skus AS k
LEFT JOIN (
  SELECT
    sku,
    CAST(sum(trays_per_hour) AS DOUBLE) AS trays_per_hour,
    sum(events) AS events,
    max(last_at) AS last_at
  FROM (
    SELECT
      sku,
      site,
      channel,
      CAST(
        CAST(sum(CAST(trays_per_hour AS DECIMAL(12,4))) AS DOUBLE) / count(*) AS DECIMAL(12,4)
      ) AS trays_per_hour,
      count(*) AS events,
      max(occurred_at) AS last_at
    FROM farm.silver.demand_events
    WHERE occurred_at > now() - INTERVAL 1 HOUR
    GROUP BY sku, site, channel
  )
  GROUP BY sku
) AS d ON d.sku = k.sku;

-- Grams per bin (a SKU at a site): the latest count, and what moved since. Scales under the bins
-- count all the time, so an error in the books heals with the next count, and a movement that
-- comes in late, from before the count, changes nothing: the scale has seen it already.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.stock_by_bin AS
WITH counted AS (
  SELECT sku, site, max(occurred_at) AS counted_at
  FROM farm.silver.inventory_movements
  WHERE kind = 'count'
  GROUP BY sku, site
)
SELECT
  m.sku,
  m.site,
  coalesce(max(CASE WHEN m.kind = 'count' THEN m.grams END), CAST(0 AS BIGINT))
    + coalesce(
      sum(CASE WHEN m.kind <> 'count' AND (c.counted_at IS NULL OR m.occurred_at > c.counted_at)
        THEN m.grams END),
      CAST(0 AS BIGINT)
    ) AS on_hand_grams,
  max(m.occurred_at) AS last_movement_at
FROM farm.silver.inventory_movements AS m
LEFT JOIN counted AS c ON c.sku = m.sku AND c.site = m.site
WHERE c.counted_at IS NULL OR m.occurred_at >= c.counted_at
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
  coalesce(s.on_hand_grams, CAST(0 AS BIGINT)) AS on_hand_grams,
  coalesce(d.demand_trays_24h, CAST(0 AS DOUBLE)) AS demand_trays_24h,
  k.grams_per_tray,
  CASE WHEN d.demand_trays_24h > 0
    THEN greatest(coalesce(s.on_hand_grams, CAST(0 AS BIGINT)), CAST(0 AS BIGINT))
      / (d.demand_trays_24h * k.grams_per_tray)
  END AS days_of_cover,
  s.last_movement_at
FROM farm.silver.skus AS k
LEFT JOIN stock AS s ON s.sku = k.sku
LEFT JOIN demand AS d ON d.sku = k.sku
-- A SKU without a weight per tray cannot be sown, so it has no cover.
WHERE k.grams_per_tray > 0;
