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

-- Suppliers per SKU, best first; price_vs_median is -0.1 for 10 % under the median. The score runs from 0 to 1:
--   0.40  price: all at 75 % of the median of the SKU's live quotes or less, none at 125 % or more;
--   0.25  lead time: all for none, none when the seed runs out before it comes (with no demand,
--         against seven days);
--   0.25  reliability: the share of deliveries on time and in full;
--   0.10  minimum order: all when it is no more than a week's use, else a week's use / minimum.
CREATE OR REFRESH MATERIALIZED VIEW farm.gold.supplier_leaderboard AS
WITH medians AS (
  SELECT sku, median(CAST(price_per_kg AS DOUBLE)) AS median_price
  FROM farm.gold.live_quotes
  GROUP BY sku
),
parts AS (
  SELECT
    q.sku,
    q.supplier_id,
    s.name AS supplier_name,
    q.price_per_kg,
    CAST(q.price_per_kg AS DOUBLE) / m.median_price - 1 AS price_vs_median,
    q.lead_time_hours,
    s.reliability,
    q.min_order_grams,
    coalesce(p.days_of_cover, 7D) * 24 AS cover_hours,
    p.demand_trays_24h * p.grams_per_tray * 7 AS week_grams
  FROM farm.gold.live_quotes AS q
  JOIN medians AS m ON m.sku = q.sku
  JOIN farm.silver.suppliers AS s ON s.supplier_id = q.supplier_id
  JOIN farm.gold.stock_position AS p ON p.sku = q.sku
),
scores AS (
  SELECT
    sku,
    supplier_id,
    supplier_name,
    price_per_kg,
    price_vs_median,
    lead_time_hours,
    reliability,
    min_order_grams,
    round(
      0.40D * least(greatest((0.25D - price_vs_median) / 0.5D, 0D), 1D)
        + 0.25D * CASE WHEN cover_hours > lead_time_hours
            THEN 1D - lead_time_hours / cover_hours ELSE 0D END
        + 0.25D * least(greatest(coalesce(reliability, 0D), 0D), 1D)
        + 0.10D * least(week_grams / min_order_grams, 1D),
      3
    ) AS score
  FROM parts
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
  min_order_grams
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
    CAST(
      ceil((10 - p.days_of_cover) * p.demand_trays_24h * p.grams_per_tray / b.min_order_grams)
      AS BIGINT
    ) * b.min_order_grams AS grams,
    p.days_of_cover * 24 - b.lead_time_hours - 12 AS slack_hours
  FROM farm.gold.stock_position AS p
  JOIN farm.gold.supplier_leaderboard AS b ON b.sku = p.sku AND b.rank = 1
  JOIN offers AS o ON o.sku = p.sku
  JOIN farm.gold.demand_1h AS d ON d.sku = p.sku
  WHERE p.days_of_cover < 5
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
      unix_micros(now()) + CAST(floor(greatest(slack_hours, 0D)) AS BIGINT) * 3600000000
    )
  ) AS deadline,
  days_of_cover,
  CAST(CAST(days_of_cover AS DECIMAL(6,1)) AS STRING)
    || ' days of cover; '
    || supplier_name
    || ' delivers in '
    || CAST(lead_time_hours AS STRING)
    || ' h at '
    || CAST(CAST(abs(price_vs_median) * 100 AS DECIMAL(6,1)) AS STRING)
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
FROM needs;
