-- Gold: from whom to buy which seed now, and why.

-- The latest quote of each supplier for each SKU, as long as it is valid. No supplier's quote is
-- valid longer than two hours, so older ones are not looked at.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.live_quotes AS
WITH latest AS (
  SELECT offer, max(quoted_at) AS quoted_at
  FROM farm.silver.supplier_quotes
  WHERE quoted_at > now() - INTERVAL 2 HOURS
  GROUP BY offer
),
newest AS (
  SELECT
    q.*,
    row_number() OVER (PARTITION BY q.offer ORDER BY q.event_id DESC) AS n
  FROM farm.silver.supplier_quotes AS q
  JOIN latest AS l ON l.offer = q.offer AND l.quoted_at = q.quoted_at
  WHERE q.quoted_at > now() - INTERVAL 2 HOURS
)
SELECT
  sku,
  supplier_id,
  event_id,
  price_per_kg,
  currency,
  min_order_grams,
  lead_time_hours,
  valid_until,
  quoted_at
FROM newest
WHERE n = 1 AND valid_until > now();

-- Prices per SKU, supplier and quarter hour of the last 24 hours, once a second: for the means, and
-- the chart.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.quoted_by_quarter_hour
TBLPROPERTIES ('pipelines.trigger.interval' = '1 second') AS
SELECT
  timestamp_micros(unix_micros(quoted_at) - unix_micros(quoted_at) % 900000000) AS bucket,
  sku,
  supplier_id,
  sum(price_per_kg) AS prices,
  count(*) AS quotes
FROM farm.silver.supplier_quotes
WHERE quoted_at
  >= timestamp_micros(unix_micros(now()) - unix_micros(now()) % 900000000) - INTERVAL 24 HOURS
GROUP BY
  timestamp_micros(unix_micros(quoted_at) - unix_micros(quoted_at) % 900000000),
  sku,
  supplier_id;

-- What the ranking model sees of each offer, as it saw it in training:
--   demand_1h        demand of the last hour against the mean of 24 hours; 1 where there is none
--   lead_time        in weeks
--   price            against the median of the SKU's live quotes: -0.1 for 10 % under it
--   price_trend_24h  that median against the mean of 24 hours
--   reliability      the share of deliveries on time and in full
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.supplier_features AS
WITH medians AS (
  SELECT sku, median(CAST(price_per_kg AS DOUBLE)) AS median_price
  FROM farm.gold.live_quotes
  GROUP BY sku
),
means AS (
  SELECT sku, CAST(sum(prices) AS DOUBLE) / sum(quotes) AS mean_price
  FROM farm.gold.quoted_by_quarter_hour
  GROUP BY sku
)
SELECT
  q.sku,
  q.supplier_id,
  s.name AS supplier_name,
  q.price_per_kg,
  q.lead_time_hours,
  q.min_order_grams,
  coalesce(
    CASE WHEN p.demand_trays_24h > 0 THEN d.trays_per_hour * 24 / p.demand_trays_24h END,
    1D
  ) AS demand_1h,
  q.lead_time_hours / 168D AS lead_time,
  CAST(q.price_per_kg AS DOUBLE) / m.median_price - 1 AS price,
  coalesce(m.median_price / t.mean_price - 1, 0D) AS price_trend_24h,
  coalesce(s.reliability, 0D) AS reliability
FROM farm.gold.live_quotes AS q
JOIN medians AS m ON m.sku = q.sku
JOIN farm.silver.suppliers AS s ON s.supplier_id = q.supplier_id
JOIN farm.gold.stock_position AS p ON p.sku = q.sku
JOIN farm.gold.demand_1h AS d ON d.sku = q.sku
LEFT JOIN means AS t ON t.sku = q.sku;

-- Suppliers per SKU, best first; price_vs_median is -0.1 for 10 % under the median. The score is
-- the model's, from 0 to 1: how well an order placed now turns out. model_version says which
-- version gave it, and why_ what each feature adds to it: what the model gives less what it gives
-- where only that feature is a usual one, which is the median supplier's (60 h, 0.9), an even
-- demand, and the median price.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.supplier_leaderboard AS
WITH offers AS (
  SELECT
    *,
    1D AS usual_demand_1h,
    0.36D AS usual_lead_time,
    0D AS usual_price,
    0D AS usual_price_trend_24h,
    0.9D AS usual_reliability,
    predict(
      'farm.ml.supplier_rank@champion',
      demand_1h,
      lead_time,
      price,
      price_trend_24h,
      reliability
    ) AS raw_score
  FROM farm.gold.supplier_features
),
scores AS (
  SELECT
    sku,
    supplier_id,
    supplier_name,
    price_per_kg,
    price AS price_vs_median,
    lead_time_hours,
    reliability,
    min_order_grams,
    round(least(greatest(raw_score, 0D), 1D), 3) AS score,
    round(
      raw_score - predict(
        'farm.ml.supplier_rank@champion',
        usual_demand_1h,
        lead_time,
        price,
        price_trend_24h,
        reliability
      ),
      3
    ) AS why_demand,
    round(
      raw_score - predict(
        'farm.ml.supplier_rank@champion',
        demand_1h,
        usual_lead_time,
        price,
        price_trend_24h,
        reliability
      ),
      3
    ) AS why_lead_time,
    round(
      raw_score - predict(
        'farm.ml.supplier_rank@champion',
        demand_1h,
        lead_time,
        usual_price,
        price_trend_24h,
        reliability
      ),
      3
    ) AS why_price,
    round(
      raw_score - predict(
        'farm.ml.supplier_rank@champion',
        demand_1h,
        lead_time,
        price,
        usual_price_trend_24h,
        reliability
      ),
      3
    ) AS why_price_trend,
    round(
      raw_score - predict(
        'farm.ml.supplier_rank@champion',
        demand_1h,
        lead_time,
        price,
        price_trend_24h,
        usual_reliability
      ),
      3
    ) AS why_reliability,
    model_version('farm.ml.supplier_rank@champion') AS model_version
  FROM offers
)
SELECT
  sku,
  supplier_id,
  supplier_name,
  row_number() OVER (
    PARTITION BY sku
    ORDER BY score DESC, price_per_kg ASC, supplier_id ASC
  ) AS rank,
  score,
  price_per_kg,
  price_vs_median,
  lead_time_hours,
  reliability,
  min_order_grams,
  model_version,
  why_demand,
  why_lead_time,
  why_price,
  why_price_trend,
  why_reliability
FROM scores;

-- What a tray costs in EUR: seed at the best supplier's price, and grow inputs at the price now.
-- Per tray and day in the rack: 0.06 kWh and 0.012 l of nutrient; per tray: 0.35 kg of substrate
-- and 4 pieces of packaging.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.tray_cost AS
WITH inputs AS (
  SELECT
    max(CASE WHEN commodity = 'electricity' THEN price_now END) AS electricity,
    max(CASE WHEN commodity = 'nutrient' THEN price_now END) AS nutrient,
    max(CASE WHEN commodity = 'substrate' THEN price_now END) AS substrate,
    max(CASE WHEN commodity = 'packaging' THEN price_now END) AS packaging
  FROM farm.gold.input_trend_24h
),
costs AS (
  SELECT
    k.sku,
    k.grams_per_tray / 1000 * CAST(b.price_per_kg AS DOUBLE) AS seed_cost,
    k.grow_days * (0.06D * i.electricity + 0.012D * i.nutrient)
      + 0.35D * i.substrate
      + 4 * i.packaging AS input_cost
  FROM farm.silver.skus AS k
  CROSS JOIN inputs AS i
  LEFT JOIN farm.gold.supplier_leaderboard AS b ON b.sku = k.sku AND b.rank = 1
)
SELECT
  sku,
  round(seed_cost, 4) AS seed_cost,
  round(input_cost, 4) AS input_cost,
  round(seed_cost + input_cost, 4) AS total_cost
FROM costs;

-- What to buy: every SKU with less than five days of cover, from the supplier that leads its
-- board, as many minimum orders as bring the cover to ten days. The deadline is the hour in which
-- the order must be out, so that the seed comes half a day before the last gram is sown; when
-- that has passed, it is this hour. Confidence: half the score, three tenths for at least four
-- offers to choose from, two tenths for at least thirty readings of demand in the last hour.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.procurement_recommendations AS
WITH offers AS (
  SELECT sku, count(*) AS offers
  FROM farm.gold.supplier_leaderboard
  GROUP BY sku
),
needs AS (
  SELECT
    p.sku,
    p.name,
    b.supplier_id,
    b.supplier_name,
    b.score,
    b.price_per_kg,
    b.price_vs_median,
    b.lead_time_hours,
    p.days_of_cover,
    o.offers,
    d.events,
    b.min_order_grams,
    (10 - p.days_of_cover) * p.demand_trays_24h * p.grams_per_tray / b.min_order_grams
      AS least_orders,
    abs(b.price_vs_median) * 100 AS percent_off,
    greatest(p.days_of_cover * 24 - b.lead_time_hours - 12, 0D) AS hours_left,
    p.days_of_cover * 24 - b.lead_time_hours - 12 AS slack_hours
  FROM farm.gold.stock_position AS p
  JOIN farm.gold.supplier_leaderboard AS b ON b.sku = p.sku AND b.rank = 1
  JOIN offers AS o ON o.sku = p.sku
  JOIN farm.gold.demand_1h AS d ON d.sku = p.sku
  WHERE p.days_of_cover < 5
),
orders AS (
  SELECT *, CAST(ceil(least_orders) AS BIGINT) * min_order_grams AS grams
  FROM needs
)
SELECT
  sku,
  name,
  supplier_id,
  supplier_name,
  grams,
  CAST(price_per_kg * CAST(grams AS DECIMAL(12,0)) * 0.001 AS DECIMAL(12,2)) AS expected_cost,
  date_trunc(
    'HOUR',
    timestamp_micros(
      unix_micros(now()) + CAST(floor(hours_left) AS BIGINT) * 3600000000
    )
  ) AS deadline,
  days_of_cover,
  CAST(CAST(days_of_cover AS DECIMAL(6,1)) AS STRING)
    || ' days of cover; '
    || supplier_name
    || ' delivers in '
    || CAST(lead_time_hours AS STRING)
    || ' h at '
    || CAST(CAST(percent_off AS DECIMAL(6,1)) AS STRING)
    || CASE WHEN price_vs_median < 0 THEN ' % under' ELSE ' % over' END
    || ' the median of '
    || CAST(offers AS STRING)
    || ' offers'
    || CASE WHEN slack_hours < 0 THEN '; seed runs short before it comes' ELSE '' END AS reason,
  round(
    0.5D * score
      + 0.3D * least(offers / 4D, 1D)
      + 0.2D * least(events / 30D, 1D),
    2
  ) AS confidence
FROM orders;
