-- Serving: read-only copies in Postgres, always of one and the same batch. What stands here is
-- all that pages and apps read; farm.serving.x is the Postgres table serving.x.

CREATE SYNCED TABLE farm.serving.stock_position FROM farm.gold.stock_position
  PRIMARY KEY (sku) INDEX (days_of_cover);

CREATE SYNCED TABLE farm.serving.demand_1h FROM farm.gold.demand_1h
  PRIMARY KEY (sku) INDEX (family);

CREATE SYNCED TABLE farm.serving.demand_24h FROM farm.gold.demand_24h
  PRIMARY KEY (bucket, family);

CREATE SYNCED TABLE farm.serving.input_trend_24h FROM farm.gold.input_trend_24h
  PRIMARY KEY (commodity);

CREATE SYNCED TABLE farm.serving.input_prices_24h FROM farm.gold.input_prices_24h
  PRIMARY KEY (bucket, commodity);

CREATE SYNCED TABLE farm.serving.live_quotes FROM farm.gold.live_quotes
  PRIMARY KEY (sku, supplier_id) INDEX (supplier_id);

CREATE SYNCED TABLE farm.serving.quoted_by_quarter_hour FROM farm.gold.quoted_by_quarter_hour
  PRIMARY KEY (sku, supplier_id, bucket);

CREATE SYNCED TABLE farm.serving.tray_cost FROM farm.gold.tray_cost
  PRIMARY KEY (sku);

CREATE SYNCED TABLE farm.serving.supplier_leaderboard FROM farm.gold.supplier_leaderboard
  PRIMARY KEY (sku, supplier_id) INDEX (sku, rank) INDEX (supplier_id);

CREATE SYNCED TABLE farm.serving.procurement_recommendations
  FROM farm.gold.procurement_recommendations
  PRIMARY KEY (sku) INDEX (deadline);

-- Where suppliers' e-mail goes.
CREATE SYNCED TABLE farm.serving.suppliers FROM farm.silver.suppliers
  PRIMARY KEY (supplier_id);
