-- Silver: one clean table per stream.
--
-- Every kind of bad row that the simulators make on purpose fails exactly one rule, so the count
-- of each rule can be held against the simulators' own count:
--
--   bad row              rule                    what happens
--   duplicate            once                    dropped
--   expired              not_expired             dropped (quotes)
--   late                 on_time                 kept, and counted (WARN)
--   unknown_sku          known_sku               quarantined
--   unknown_supplier     known_supplier          quarantined (quotes)
--   negative             sensible_sign, not_negative, positive_price   quarantined
--   over_capacity        within_capacity         quarantined (inventory)
--   not_a_number         a_number                quarantined (demand)
--   above_maximum        physically_possible     quarantined (demand)
--   absurd_price         plausible_price         quarantined (quotes)
--   wrong_currency       in_euro                 quarantined (quotes)
--   zero_lead_time       some_lead_time          quarantined (quotes)
--   epoch_seconds        in_microseconds         quarantined
--   future               not_from_the_future     quarantined
--   malformed, missing_field                     refused at the door, never in Bronze
--
-- The rules without a bad row of their own (known_place, known_commodity, some_minimum) are there
-- for producers other than the simulators.
--
-- A quarantined row stands in <table>_quarantine with the names of the rules it failed. Times are
-- judged by sent_at, not by this machine's clock, so that a replay judges as the first run did.
--
-- Gold groups by bin, offer and series, one text instead of two or three columns, and sums exact
-- decimals: what is made once here makes its views several times cheaper.

CREATE OR REFRESH STREAMING TABLE farm.silver.inventory_movements (
  CONSTRAINT once EXPECT UNIQUE (event_id) ON VIOLATION DROP ROW,
  CONSTRAINT on_time EXPECT (
    occurred_at >= sent_at - INTERVAL 1 HOUR OR occurred_at < TIMESTAMP '2020-01-01 00:00:00'
  ),
  CONSTRAINT known_sku EXPECT (family IS NOT NULL) ON VIOLATION QUARANTINE,
  CONSTRAINT sensible_sign EXPECT (
    CASE kind
      WHEN 'receipt' THEN grams > 0
      WHEN 'sowing' THEN grams < 0
      WHEN 'waste' THEN grams < 0
      WHEN 'count' THEN grams >= 0
    END
  ) ON VIOLATION QUARANTINE,
  CONSTRAINT within_capacity EXPECT (abs(grams) <= site_capacity_grams) ON VIOLATION QUARANTINE,
  CONSTRAINT in_microseconds EXPECT (occurred_at >= TIMESTAMP '2020-01-01 00:00:00')
    ON VIOLATION QUARANTINE,
  CONSTRAINT not_from_the_future EXPECT (occurred_at <= sent_at + INTERVAL 5 MINUTES)
    ON VIOLATION QUARANTINE
) COMMENT 'Clean movements of seed, with the SKU''s family and the site''s capacity' AS
SELECT
  m.event_id,
  m.sku,
  k.family,
  m.site,
  m.sku || '/' || m.site AS bin,
  s.capacity_grams AS site_capacity_grams,
  m.kind,
  m.grams,
  m.lot,
  m.occurred_at,
  m.sent_at
FROM STREAM(farm.bronze.inventory_movements) AS m
LEFT JOIN farm.silver.skus AS k ON k.sku = m.sku
LEFT JOIN farm.silver.sites AS s ON s.site = m.site;

CREATE OR REFRESH STREAMING TABLE farm.silver.supplier_quotes (
  CONSTRAINT once EXPECT UNIQUE (event_id) ON VIOLATION DROP ROW,
  CONSTRAINT not_expired EXPECT (valid_until > sent_at) ON VIOLATION DROP ROW,
  CONSTRAINT on_time EXPECT (
    quoted_at >= sent_at - INTERVAL 1 HOUR OR quoted_at < TIMESTAMP '2020-01-01 00:00:00'
  ),
  CONSTRAINT known_sku EXPECT (family IS NOT NULL) ON VIOLATION QUARANTINE,
  CONSTRAINT known_supplier EXPECT (supplier_name IS NOT NULL) ON VIOLATION QUARANTINE,
  CONSTRAINT positive_price EXPECT (price_per_kg > 0) ON VIOLATION QUARANTINE,
  CONSTRAINT plausible_price EXPECT (price_per_kg < 2500) ON VIOLATION QUARANTINE,
  CONSTRAINT in_euro EXPECT (currency = 'EUR') ON VIOLATION QUARANTINE,
  CONSTRAINT some_lead_time EXPECT (lead_time_hours > 0) ON VIOLATION QUARANTINE,
  CONSTRAINT some_minimum EXPECT (min_order_grams > 0) ON VIOLATION QUARANTINE,
  CONSTRAINT in_microseconds EXPECT (quoted_at >= TIMESTAMP '2020-01-01 00:00:00')
    ON VIOLATION QUARANTINE,
  CONSTRAINT not_from_the_future EXPECT (quoted_at <= sent_at + INTERVAL 5 MINUTES)
    ON VIOLATION QUARANTINE
) COMMENT 'Clean quotes in EUR' AS
SELECT
  q.event_id,
  q.supplier_id,
  s.name AS supplier_name,
  q.sku,
  q.sku || '/' || q.supplier_id AS offer,
  k.family,
  q.price_per_kg,
  q.currency,
  q.min_order_grams,
  q.lead_time_hours,
  q.valid_until,
  q.quoted_at,
  q.sent_at
FROM STREAM(farm.bronze.supplier_quotes) AS q
LEFT JOIN farm.silver.suppliers AS s ON s.supplier_id = q.supplier_id
LEFT JOIN farm.silver.skus AS k ON k.sku = q.sku;

CREATE OR REFRESH STREAMING TABLE farm.silver.demand_events (
  CONSTRAINT once EXPECT UNIQUE (event_id) ON VIOLATION DROP ROW,
  CONSTRAINT on_time EXPECT (
    occurred_at >= sent_at - INTERVAL 1 HOUR OR occurred_at < TIMESTAMP '2020-01-01 00:00:00'
  ),
  CONSTRAINT known_sku EXPECT (family IS NOT NULL) ON VIOLATION QUARANTINE,
  CONSTRAINT known_place EXPECT (site IS NOT NULL AND channel IS NOT NULL)
    ON VIOLATION QUARANTINE,
  CONSTRAINT a_number EXPECT (NOT isnan(trays_per_hour)) ON VIOLATION QUARANTINE,
  CONSTRAINT not_negative EXPECT (trays_per_hour >= 0) ON VIOLATION QUARANTINE,
  -- One channel of one site never sows more than 250 trays of a SKU in an hour.
  CONSTRAINT physically_possible EXPECT (trays_per_hour <= 250 OR isnan(trays_per_hour))
    ON VIOLATION QUARANTINE,
  CONSTRAINT in_microseconds EXPECT (occurred_at >= TIMESTAMP '2020-01-01 00:00:00')
    ON VIOLATION QUARANTINE,
  CONSTRAINT not_from_the_future EXPECT (occurred_at <= sent_at + INTERVAL 5 MINUTES)
    ON VIOLATION QUARANTINE
) COMMENT 'Clean readings of demand, with the SKU''s family' AS
SELECT
  d.event_id,
  d.sku,
  k.family,
  d.site,
  d.channel,
  d.sku || '/' || d.site || '/' || d.channel AS series,
  d.trays_per_hour,
  try_cast(d.trays_per_hour AS DECIMAL(12,4)) AS exact_trays_per_hour,
  d.occurred_at,
  timestamp_micros(unix_micros(d.occurred_at) - unix_micros(d.occurred_at) % 900000000)
    AS quarter_hour,
  d.sent_at
FROM STREAM(farm.bronze.demand_events) AS d
LEFT JOIN farm.silver.skus AS k ON k.sku = d.sku;

CREATE OR REFRESH STREAMING TABLE farm.silver.commodity_prices (
  CONSTRAINT once EXPECT UNIQUE (event_id) ON VIOLATION DROP ROW,
  CONSTRAINT on_time EXPECT (
    observed_at >= sent_at - INTERVAL 1 HOUR OR observed_at < TIMESTAMP '2020-01-01 00:00:00'
  ),
  CONSTRAINT known_commodity EXPECT (
    commodity IN ('electricity', 'substrate', 'nutrient', 'packaging')
  ) ON VIOLATION QUARANTINE,
  CONSTRAINT positive_price EXPECT (price > 0) ON VIOLATION QUARANTINE,
  CONSTRAINT in_microseconds EXPECT (observed_at >= TIMESTAMP '2020-01-01 00:00:00')
    ON VIOLATION QUARANTINE,
  CONSTRAINT not_from_the_future EXPECT (observed_at <= sent_at + INTERVAL 5 MINUTES)
    ON VIOLATION QUARANTINE
) COMMENT 'Clean prices of grow inputs' AS
SELECT event_id, commodity, unit, price, market, observed_at, sent_at
FROM STREAM(farm.bronze.commodity_prices);
