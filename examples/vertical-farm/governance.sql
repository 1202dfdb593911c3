-- Who may do what on the farm. The node applies this file at every start, before its pipelines,
-- so every statement is one that can be repeated.

CREATE CATALOG IF NOT EXISTS farm COMMENT 'Seed procurement of a vertical farm';
CREATE SCHEMA IF NOT EXISTS farm.bronze COMMENT 'Rows as they came';
CREATE SCHEMA IF NOT EXISTS farm.silver COMMENT 'Clean rows, and what was set aside';
CREATE SCHEMA IF NOT EXISTS farm.gold COMMENT 'What people and programs ask';
CREATE SCHEMA IF NOT EXISTS farm.ml COMMENT 'Models, trained from what the farm has seen';
CREATE SCHEMA IF NOT EXISTS farm.serving COMMENT 'Gold, in Postgres';
CREATE SCHEMA IF NOT EXISTS farm.procurement COMMENT 'What people and agents decide and do';

-- Principals, each with the least that its work needs.

-- 1. The scales, quotes and meters: they write Bronze, and see nothing else.
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_sensors;
GRANT USE CATALOG ON CATALOG farm TO farm_sensors;
GRANT USE SCHEMA, SELECT, MODIFY ON SCHEMA farm.bronze TO farm_sensors;

-- 2. The pipeline runs as its owner: it declares and reads Bronze, and makes what comes after it.
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_pipeline;
GRANT USE CATALOG ON CATALOG farm TO farm_pipeline;
GRANT USE SCHEMA, CREATE TABLE, SELECT ON SCHEMA farm.bronze TO farm_pipeline;
GRANT USE SCHEMA, CREATE TABLE, CREATE MATERIALIZED VIEW ON SCHEMA farm.silver TO farm_pipeline;
GRANT USE SCHEMA, CREATE TABLE, CREATE MATERIALIZED VIEW ON SCHEMA farm.gold TO farm_pipeline;
GRANT USE SCHEMA, CREATE TABLE ON SCHEMA farm.serving TO farm_pipeline;
GRANT USE SCHEMA, EXECUTE ON SCHEMA farm.ml TO farm_pipeline;

-- 3. The screens: whoever looks at the farm's page reads the serving tables, in Postgres.
CREATE GROUP IF NOT EXISTS farm_viewers;
GRANT USE CATALOG ON CATALOG farm TO farm_viewers;
GRANT USE SCHEMA, SELECT ON SCHEMA farm.serving TO farm_viewers;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_screen;
ALTER GROUP farm_viewers ADD SERVICE PRINCIPAL farm_screen;

-- 4. The procurement lead: sees the screens, and asks Gold in SQL.
CREATE USER IF NOT EXISTS farm_lead;
CREATE USER IF NOT EXISTS farm_clerk;
ALTER GROUP farm_viewers ADD USER farm_lead, USER farm_clerk, GROUP admins;
GRANT USE SCHEMA, SELECT ON SCHEMA farm.gold TO farm_lead;

-- 5. The checker compares every layer with the one before it, and changes nothing.
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_checker;
GRANT USE CATALOG, USE SCHEMA, SELECT ON CATALOG farm TO farm_checker;
GRANT EXECUTE ON SCHEMA farm.ml TO farm_checker;

-- 6. Procurement: the app owns the state tables, and grants the others what they need of them in
-- procurement/schema.sql. Each agent is a principal of its own; farm_desk stands in for the person
-- who accepts what they ask, and farm_suppliers for those who answer.
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_procurement;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_negotiator;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_budget;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_dispatcher;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_buyer;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_reconciler;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_suppliers;
CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_desk;
CREATE GROUP IF NOT EXISTS farm_procurement_parties;
ALTER GROUP farm_procurement_parties ADD SERVICE PRINCIPAL farm_procurement,
  SERVICE PRINCIPAL farm_negotiator, SERVICE PRINCIPAL farm_budget,
  SERVICE PRINCIPAL farm_dispatcher, SERVICE PRINCIPAL farm_buyer,
  SERVICE PRINCIPAL farm_reconciler, SERVICE PRINCIPAL farm_suppliers;
GRANT USE CATALOG ON CATALOG farm TO farm_procurement_parties;
GRANT USE SCHEMA ON SCHEMA farm.procurement TO farm_procurement_parties;
GRANT CREATE TABLE ON SCHEMA farm.procurement TO farm_procurement;
GRANT USE SCHEMA, SELECT ON SCHEMA farm.serving TO farm_procurement;
GRANT USE SCHEMA, SELECT ON SCHEMA farm.serving TO farm_negotiator;
GRANT USE SCHEMA ON SCHEMA farm.serving TO farm_dispatcher;
GRANT SELECT ON TABLE farm.serving.suppliers TO farm_dispatcher;

-- 7. The people of procurement: they ask for quotations, decide what agents ask, and settle
-- variances, in the app. They own the agents, and so may pause them and see what they did.
CREATE GROUP IF NOT EXISTS farm_buyers;
ALTER GROUP farm_buyers ADD USER farm_lead, USER farm_clerk, GROUP admins;
ALTER GROUP farm_viewers ADD GROUP farm_buyers;
GRANT USE CATALOG ON CATALOG farm TO farm_buyers;
GRANT USE SCHEMA ON SCHEMA farm.procurement TO farm_buyers;
