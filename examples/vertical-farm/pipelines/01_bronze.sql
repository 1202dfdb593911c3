-- Bronze: what the producers send, exactly as they send it, bad rows too.
--
-- Only event_id and sent_at are NOT NULL: a row without an identity or a time of sending is
-- refused at the door, like a row that is no JSON at all. Everything else is judged in Silver,
-- where it is counted and can be looked at.
--
-- Weights are whole grams, money is EUR, times are UTC. A producer with protobuf records numbers
-- its fields by these columns: the first is 1.

CREATE TABLE IF NOT EXISTS farm.bronze.inventory_movements (
  event_id STRING NOT NULL,
  sku STRING,
  site STRING,
  kind STRING COMMENT 'receipt, sowing, waste or count',
  grams BIGINT COMMENT 'signed, but of a count the weight found in the bin',
  lot STRING,
  occurred_at TIMESTAMP,
  sent_at TIMESTAMP NOT NULL
) COMMENT 'Seed coming in, going out, and weighed';

CREATE TABLE IF NOT EXISTS farm.bronze.supplier_quotes (
  event_id STRING NOT NULL,
  supplier_id STRING,
  sku STRING,
  price_per_kg DECIMAL(10,4),
  currency STRING,
  min_order_grams BIGINT,
  lead_time_hours INT,
  valid_until TIMESTAMP,
  quoted_at TIMESTAMP,
  sent_at TIMESTAMP NOT NULL
) COMMENT 'What a supplier asks for a kilogram of a seed';

CREATE TABLE IF NOT EXISTS farm.bronze.demand_events (
  event_id STRING NOT NULL,
  sku STRING,
  site STRING,
  channel STRING COMMENT 'retail, restaurant or subscription',
  trays_per_hour DOUBLE COMMENT 'the rate at which this channel now asks for trays',
  occurred_at TIMESTAMP,
  sent_at TIMESTAMP NOT NULL
) COMMENT 'Readings of the demand rate per SKU, site and channel';

CREATE TABLE IF NOT EXISTS farm.bronze.commodity_prices (
  event_id STRING NOT NULL,
  commodity STRING COMMENT 'electricity, substrate, nutrient or packaging',
  unit STRING,
  price DECIMAL(12,6) COMMENT 'EUR per unit',
  market STRING,
  observed_at TIMESTAMP,
  sent_at TIMESTAMP NOT NULL
) COMMENT 'Prices of everything else that a tray needs';

-- Reference data come as changes; 02_reference.sql keeps the latest of each.

CREATE TABLE IF NOT EXISTS farm.bronze.sku_changes (
  event_id STRING NOT NULL,
  sku STRING,
  name STRING,
  family STRING,
  grams_per_tray DOUBLE,
  grow_days INT,
  shelf_life_days INT,
  changed_at TIMESTAMP,
  sent_at TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS farm.bronze.supplier_changes (
  event_id STRING NOT NULL,
  supplier_id STRING,
  name STRING,
  country STRING,
  email STRING,
  reliability DOUBLE COMMENT 'share of deliveries on time and in full, 0 to 1',
  payment_terms_days INT,
  changed_at TIMESTAMP,
  sent_at TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS farm.bronze.site_changes (
  event_id STRING NOT NULL,
  site STRING,
  name STRING,
  capacity_grams BIGINT COMMENT 'seed that the site can store, all SKUs together',
  changed_at TIMESTAMP,
  sent_at TIMESTAMP NOT NULL
);
