import { useRows } from "@lakemill/console/live";
import { Card, Chip, Empty, formatAway, useNow, Waiting } from "@lakemill/console/ui";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { formatMoney } from "../derive/money.ts";
import { byStakes, RULES, varianceKey } from "../derive/orders.ts";
import { Fresh } from "../frame/Fresh.tsx";
import { useSkuName, useSupplierName } from "../frame/names.ts";
import { INBOX, INVOICES, RFQS, TABLES, VARIANCES } from "../tables.ts";

const SHOWN = 3;

/** What cannot go on without the reader: the oldest approvals, and the dearest variances. */
export function AttentionCard({ className = "" }: { className?: string }) {
  const inbox = useRows(TABLES.inbox, INBOX);
  const rfqs = useRows(TABLES.rfqs, RFQS) ?? [];
  const variances = useRows(TABLES.variances, VARIANCES);
  const invoices = useRows(TABLES.invoices, INVOICES) ?? [];
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const now = useNow();
  const oldest = (inbox ?? []).toSorted((a, b) => (a.requested_at ?? 0) - (b.requested_at ?? 0));
  const open = (variances ?? []).filter(({ state }) => state === "open").sort(byStakes);
  const nothing = inbox?.length === 0 && open.length === 0;
  return (
    <Card
      title="Waiting for you"
      className={className}
      table={TABLES.inbox}
      actions={<Fresh tables={[TABLES.inbox, TABLES.variances]} />}
    >
      {(inbox === undefined || variances === undefined) && <Waiting lines={3} />}
      {nothing && variances !== undefined && (
        <Empty title="Nothing waits for you">
          Drafts to approve and invoices that vary from their orders appear here.
        </Empty>
      )}
      <ul className="pb-1">
        {oldest.slice(0, SHOWN).map((approval) => {
          const rfq = rfqs.find(({ id }) => id === approval.rfq_id);
          return (
            <Item
              key={approval.approval_id}
              to="/negotiations"
              id={rfq?.id ?? approval.approval_id}
              chip={approval.action === "accept_counter_offer" ? "Counter-offer" : "Draft"}
              note={formatAway(approval.requested_at, now)}
            >
              {rfq ? (
                <>
                  {skuName(rfq.sku)} from <bdi>{supplierName(rfq.supplier_id)}</bdi>,{" "}
                  {formatMoney(rfq.expected_cost, rfq.currency)}
                </>
              ) : (
                approval.action
              )}
            </Item>
          );
        })}
        {open.slice(0, SHOWN).map((variance) => {
          const invoice = invoices.find(({ id }) => id === variance.invoice_id);
          return (
            <Item
              key={varianceKey(variance)}
              to="/variances"
              id={varianceKey(variance)}
              chip="Variance"
              note={formatAway(variance.created_at, now)}
            >
              {RULES[variance.rule] ?? variance.rule}:{" "}
              {formatMoney(variance.amount, invoice?.currency ?? "EUR")}
              {invoice && (
                <>
                  {" "}
                  of <bdi>{supplierName(invoice.supplier_id)}</bdi>
                </>
              )}
            </Item>
          );
        })}
      </ul>
    </Card>
  );
}

interface ItemProps {
  readonly to: "/negotiations" | "/variances";
  readonly id: string;
  readonly chip: string;
  readonly note: string;
  readonly children: ReactNode;
}

function Item({ to, id, chip, note, children }: ItemProps) {
  return (
    <li className="border-t border-line">
      <Link to={to} search={{ id }} className="block px-4 py-2 hover:bg-sunken sm:px-5">
        <span className="block truncate">{children}</span>
        <span className="flex items-center justify-between gap-3 text-sm text-muted">
          <Chip tone="warn">{chip}</Chip>
          {note}
        </span>
      </Link>
    </li>
  );
}
