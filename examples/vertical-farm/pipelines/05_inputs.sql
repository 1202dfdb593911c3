-- Gold: what a tray needs besides seed.

-- For the chart, once a second: the mean price per quarter hour over all markets.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.input_prices_24h
TBLPROPERTIES ('pipelines.trigger.interval' = '1 second') AS
SELECT
  timestamp_micros(unix_micros(observed_at) - unix_micros(observed_at) % 900000000) AS bucket,
  commodity,
  CAST(sum(price) AS DOUBLE) / count(*) AS price
FROM farm.silver.commodity_prices
WHERE observed_at
  >= timestamp_micros(unix_micros(now()) - unix_micros(now()) % 900000000) - INTERVAL 24 HOURS
GROUP BY
  timestamp_micros(unix_micros(observed_at) - unix_micros(observed_at) % 900000000),
  commodity;

-- The price now is the mean of the markets' latest prices. Mean, deviation and trend are taken
-- over the quarters of the chart. The slope is that of a least-squares line in EUR
-- per unit and hour; the z-score says how many standard deviations the price now is off the mean.
-- Prices move by the minute: once a second is enough.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.input_trend_24h
TBLPROPERTIES ('pipelines.trigger.interval' = '1 second') AS
WITH latest AS (
  SELECT commodity, market, max(observed_at) AS observed_at
  FROM farm.silver.commodity_prices
  WHERE observed_at > now() - INTERVAL 24 HOURS
  GROUP BY commodity, market
),
price_now AS (
  SELECT
    p.commodity,
    min(p.unit) AS unit,
    CAST(sum(p.price) AS DOUBLE) / count(*) AS price_now,
    max(p.observed_at) AS observed_at
  FROM farm.silver.commodity_prices AS p
  JOIN latest AS l
    ON l.commodity = p.commodity AND l.market = p.market AND l.observed_at = p.observed_at
  WHERE p.observed_at > now() - INTERVAL 24 HOURS
  GROUP BY p.commodity
),
-- x counts quarter hours back from now, y is the price in exact micro-euros.
points AS (
  SELECT
    commodity,
    (unix_micros(now()) - unix_micros(bucket)) div 900000000 AS x,
    CAST(price AS DECIMAL(12,6)) AS y
  FROM farm.gold.input_prices_24h
),
sums AS (
  SELECT
    commodity,
    CAST(count(*) AS DOUBLE) AS n,
    CAST(sum(x) AS DOUBLE) AS sx,
    CAST(sum(x * x) AS DOUBLE) AS sxx,
    CAST(sum(y) AS DOUBLE) AS sy,
    CAST(sum(x * y) AS DOUBLE) AS sxy,
    CAST(sum(y * y) AS DOUBLE) AS syy
  FROM points
  GROUP BY commodity
),
fits AS (
  SELECT
    commodity,
    sy / n AS mean_24h,
    CASE WHEN n * sxx - sx * sx > 0
      THEN -4 * (n * sxy - sx * sy) / (n * sxx - sx * sx)
      ELSE 0D
    END AS slope_per_hour,
    CASE WHEN n > 1 THEN sqrt(greatest((syy - sy * sy / n) / (n - 1), 0D)) END
      AS deviation
  FROM sums
)
SELECT
  p.commodity,
  p.unit,
  p.price_now,
  f.mean_24h,
  f.slope_per_hour,
  CASE WHEN f.deviation > 0.000001
    THEN (p.price_now - f.mean_24h) / f.deviation
    ELSE 0D
  END AS z_score,
  p.observed_at
FROM price_now AS p
JOIN fits AS f ON f.commodity = p.commodity;
