-- The state of procurement: what people and agents decide and do. Money is in the currency of its
-- row, grams are whole, times are UTC. Run by farm_procurement, at every start.

-- What should be bought, from whom, and what it would cost by the quote of that moment.
CREATE TABLE IF NOT EXISTS procurement.rfq (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  sku text NOT NULL,
  supplier_id text NOT NULL,
  grams bigint NOT NULL CHECK (grams > 0),
  quoted_price_per_kg numeric(10, 4) NOT NULL CHECK (quoted_price_per_kg > 0),
  currency char(3) NOT NULL DEFAULT 'EUR',
  expected_cost numeric(14, 2) NOT NULL CHECK (expected_cost > 0),
  needed_by timestamptz NOT NULL,
  reason text NOT NULL,
  requested_by text NOT NULL,
  state text NOT NULL DEFAULT 'requested'
    CHECK (state IN ('requested', 'drafted', 'sent', 'ordered', 'declined', 'dismissed', 'blocked')),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- One open request for a SKU: two people who click at once do not buy it twice.
CREATE UNIQUE INDEX IF NOT EXISTS rfq_open ON procurement.rfq (sku)
  WHERE state IN ('requested', 'drafted', 'sent');

-- E-mails to suppliers. A draft that is approved is committed once its cost is reserved in the
-- budget, and only then sent.
CREATE TABLE IF NOT EXISTS procurement.email_outbox (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  rfq_id uuid NOT NULL UNIQUE REFERENCES procurement.rfq,
  supplier_id text NOT NULL,
  subject text NOT NULL,
  body text NOT NULL,
  cost numeric(14, 2) NOT NULL CHECK (cost > 0),
  currency char(3) NOT NULL DEFAULT 'EUR',
  drafted_by text NOT NULL CHECK (drafted_by IN ('model', 'template', 'human')),
  model text NOT NULL DEFAULT '',
  state text NOT NULL DEFAULT 'draft'
    CHECK (state IN ('draft', 'approved', 'committed', 'sent', 'dismissed', 'blocked')),
  decided_by text NOT NULL DEFAULT '',
  blocked_reason text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  committed_at timestamptz,
  sent_at timestamptz
);

-- What suppliers answer.
CREATE TABLE IF NOT EXISTS procurement.supplier_reply (
  id text PRIMARY KEY,
  rfq_id uuid NOT NULL,
  supplier_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('accept', 'counter', 'decline')),
  price_per_kg numeric(10, 4),
  grams bigint,
  text text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS procurement.purchase_order (
  serial bigint GENERATED ALWAYS AS IDENTITY,
  number text PRIMARY KEY GENERATED ALWAYS AS ('PO-' || lpad(serial::text, 6, '0')) STORED,
  rfq_id uuid NOT NULL UNIQUE REFERENCES procurement.rfq,
  supplier_id text NOT NULL,
  currency char(3) NOT NULL,
  tax_percent numeric(5, 2) NOT NULL CHECK (tax_percent >= 0),
  total numeric(14, 2) NOT NULL CHECK (total > 0),
  ordered_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS procurement.po_line (
  po_number text NOT NULL REFERENCES procurement.purchase_order,
  line integer NOT NULL,
  sku text NOT NULL,
  grams bigint NOT NULL CHECK (grams > 0),
  price_per_kg numeric(10, 4) NOT NULL CHECK (price_per_kg > 0),
  PRIMARY KEY (po_number, line)
);

CREATE TABLE IF NOT EXISTS procurement.goods_receipt (
  id text PRIMARY KEY,
  po_number text NOT NULL,
  line integer NOT NULL,
  grams bigint NOT NULL CHECK (grams > 0),
  received_at timestamptz NOT NULL DEFAULT now()
);

-- As it came: nothing here is held to be true.
CREATE TABLE IF NOT EXISTS procurement.invoice (
  id text PRIMARY KEY,
  supplier_id text NOT NULL,
  number text NOT NULL,
  po_number text NOT NULL,
  currency text NOT NULL,
  net numeric(14, 2) NOT NULL,
  tax numeric(14, 2) NOT NULL,
  state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'matched', 'varies')),
  received_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS procurement.invoice_line (
  invoice_id text NOT NULL REFERENCES procurement.invoice,
  line integer NOT NULL,
  sku text NOT NULL,
  grams bigint NOT NULL,
  price_per_kg numeric(10, 4) NOT NULL,
  PRIMARY KEY (invoice_id, line)
);

CREATE TABLE IF NOT EXISTS procurement.variance_review (
  invoice_id text NOT NULL REFERENCES procurement.invoice,
  rule text NOT NULL,
  line integer NOT NULL DEFAULT 0,
  expected text NOT NULL,
  found text NOT NULL,
  amount numeric(14, 2) NOT NULL,
  explanation text NOT NULL,
  drafted_by text NOT NULL CHECK (drafted_by IN ('model', 'template')),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'disputed', 'closed')),
  decided_by text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (invoice_id, rule, line)
);

-- More than the amount cannot be committed, whoever tries.
CREATE TABLE IF NOT EXISTS procurement.budget (
  month date PRIMARY KEY CHECK (month = date_trunc('month', month)),
  currency char(3) NOT NULL DEFAULT 'EUR',
  amount numeric(14, 2) NOT NULL CHECK (amount >= 0),
  committed numeric(14, 2) NOT NULL DEFAULT 0 CHECK (committed >= 0 AND committed <= amount)
);

-- Double entry: a posting has one debit and one credit of the posting's own amount; the foreign
-- keys let no other stand.
CREATE TABLE IF NOT EXISTS procurement.ledger_posting (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  key text NOT NULL UNIQUE,
  month date NOT NULL REFERENCES procurement.budget,
  amount numeric(14, 2) NOT NULL CHECK (amount > 0),
  memo text NOT NULL,
  posted_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (id, amount)
);

CREATE TABLE IF NOT EXISTS procurement.ledger_entry (
  posting_id uuid NOT NULL,
  side text NOT NULL CHECK (side IN ('debit', 'credit')),
  account text NOT NULL CHECK (account IN ('budget', 'commitments', 'payables')),
  amount numeric(14, 2) NOT NULL,
  PRIMARY KEY (posting_id, side),
  FOREIGN KEY (posting_id, amount) REFERENCES procurement.ledger_posting (id, amount)
);

-- Columns that came later: rows of an earlier run stay.
ALTER TABLE procurement.email_outbox ADD COLUMN IF NOT EXISTS decided_at timestamptz;
ALTER TABLE procurement.variance_review ADD COLUMN IF NOT EXISTS decided_at timestamptz;
ALTER TABLE procurement.variance_review ADD COLUMN IF NOT EXISTS note text NOT NULL DEFAULT '';
ALTER TABLE procurement.ledger_entry
  ADD COLUMN IF NOT EXISTS posted_at timestamptz NOT NULL DEFAULT now();

-- Pages show the newest rows of each.
CREATE INDEX IF NOT EXISTS rfq_newest ON procurement.rfq (created_at);
CREATE INDEX IF NOT EXISTS email_outbox_newest ON procurement.email_outbox (created_at);
CREATE INDEX IF NOT EXISTS supplier_reply_newest ON procurement.supplier_reply (received_at);
CREATE INDEX IF NOT EXISTS purchase_order_newest ON procurement.purchase_order (ordered_at);
CREATE INDEX IF NOT EXISTS goods_receipt_newest ON procurement.goods_receipt (received_at);
CREATE INDEX IF NOT EXISTS invoice_newest ON procurement.invoice (received_at);
CREATE INDEX IF NOT EXISTS variance_review_newest ON procurement.variance_review (created_at);
CREATE INDEX IF NOT EXISTS ledger_posting_newest ON procurement.ledger_posting (posted_at);
CREATE INDEX IF NOT EXISTS ledger_entry_newest ON procurement.ledger_entry (posted_at);

-- Who may do what with them; farm_buyers are people, who also see all of it.
SELECT lakemill.grant(g.privilege, 'TABLE', 'farm.procurement.' || g.name, 'farm_' || grantee)
FROM (VALUES
  ('SELECT', 'rfq', '{negotiator,budget,dispatcher,buyer,suppliers,buyers}'),
  ('MODIFY', 'rfq', '{negotiator,budget,dispatcher,buyer,buyers}'),
  ('SELECT', 'email_outbox', '{negotiator,budget,dispatcher,buyers}'),
  ('MODIFY', 'email_outbox', '{negotiator,budget,dispatcher}'),
  ('SELECT', 'supplier_reply', '{buyer,suppliers,buyers}'),
  ('MODIFY', 'supplier_reply', '{suppliers}'),
  ('SELECT', 'purchase_order', '{budget,buyer,reconciler,suppliers,buyers}'),
  ('MODIFY', 'purchase_order', '{buyer}'),
  ('SELECT', 'po_line', '{buyer,reconciler,suppliers,buyers}'),
  ('MODIFY', 'po_line', '{buyer}'),
  ('SELECT', 'goods_receipt', '{reconciler,suppliers,buyers}'),
  ('MODIFY', 'goods_receipt', '{suppliers}'),
  ('SELECT', 'invoice', '{budget,reconciler,suppliers,buyers}'),
  ('MODIFY', 'invoice', '{reconciler,suppliers}'),
  ('SELECT', 'invoice_line', '{reconciler,suppliers,buyers}'),
  ('MODIFY', 'invoice_line', '{suppliers}'),
  ('SELECT', 'variance_review', '{budget,reconciler,buyers}'),
  ('MODIFY', 'variance_review', '{budget,reconciler,buyers}'),
  ('SELECT', 'budget', '{budget,buyer,buyers}'),
  ('MODIFY', 'budget', '{budget,buyer}'),
  ('SELECT', 'ledger_posting', '{budget,buyer,reconciler,buyers}'),
  ('MODIFY', 'ledger_posting', '{budget,buyer,reconciler}'),
  ('SELECT', 'ledger_entry', '{budget,buyer,reconciler,buyers}'),
  ('MODIFY', 'ledger_entry', '{budget,buyer,reconciler}')
) AS g (privilege, name, grantees), unnest(g.grantees::text[]) AS grantee;
