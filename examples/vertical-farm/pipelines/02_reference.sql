-- Reference data: the latest change of each key. Two changes at the same microsecond are ordered
-- by event_id, so that the answer is one whatever the order of arrival.

CREATE OR REFRESH MATERIALIZED VIEW farm.silver.skus AS
SELECT sku, name, family, grams_per_tray, grow_days, shelf_life_days, changed_at
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY sku ORDER BY changed_at DESC, event_id DESC) AS newest
  FROM farm.bronze.sku_changes
  WHERE sku IS NOT NULL
)
WHERE newest = 1;

CREATE OR REFRESH MATERIALIZED VIEW farm.silver.suppliers AS
SELECT supplier_id, name, country, email, reliability, payment_terms_days, changed_at
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY supplier_id ORDER BY changed_at DESC, event_id DESC) AS newest
  FROM farm.bronze.supplier_changes
  WHERE supplier_id IS NOT NULL
)
WHERE newest = 1;

CREATE OR REFRESH MATERIALIZED VIEW farm.silver.sites AS
SELECT site, name, capacity_grams, changed_at
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY site ORDER BY changed_at DESC, event_id DESC) AS newest
  FROM farm.bronze.site_changes
  WHERE site IS NOT NULL
)
WHERE newest = 1;
