import {
  Card,
  Chip,
  formatAway,
  formatDate,
  formatGrams,
  formatNumber,
  formatShare,
  Meter,
  type Tone,
  useNow,
} from "@lakemill/console/ui";
import { Link } from "@tanstack/react-router";
import { formatMoney, total } from "../derive/money.ts";
import {
  type BilledInvoice,
  ORDER_STATES,
  type OrderView,
  RULES,
  VARIANCE_TONES,
  varianceKey,
} from "../derive/orders.ts";
import { useSkuName, useSupplierName } from "../frame/names.ts";
import { TraceLink } from "../frame/TraceLink.tsx";
import { TABLES } from "../tables.ts";

const INVOICE_STATES: Readonly<Record<string, { readonly label: string; readonly tone: Tone }>> = {
  received: { label: "Being checked", tone: "plain" },
  matched: { label: "As ordered", tone: "good" },
  varies: { label: "Varies", tone: "bad" },
};

/** An order against what came and what was billed. */
export function OrderDetail({ view }: { view: OrderView }) {
  const { order, lines, receipts, invoices, state } = view;
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const now = useNow();
  const { label, tone } = ORDER_STATES[state];
  return (
    <>
      <Card
        title={order.number}
        table={TABLES.orders}
        actions={
          <>
            <Chip tone={tone}>{label}</Chip>
            <TraceLink kind="order" id={order.number} of={order.number} />
          </>
        }
      >
        <p className="px-4 pb-3 text-muted sm:px-5">
          <bdi className="font-medium text-ink">{supplierName(order.supplier_id)}</bdi>, ordered{" "}
          {formatDate(order.ordered_at)} ({formatAway(order.ordered_at, now)}) for{" "}
          <span className="font-medium text-ink">{formatMoney(order.total, order.currency)}</span>{" "}
          before {formatNumber(order.tax_percent)} % tax.{" "}
          <Link to="/negotiations" search={{ id: order.rfq_id }} className="text-accent underline">
            To the negotiation
          </Link>
        </p>
        <table className="w-full">
          <thead className="text-sm text-muted">
            <tr>
              <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
                SKU
              </th>
              <th scope="col" className="px-3 py-1.5 text-right font-normal">
                Ordered
              </th>
              <th scope="col" className="px-3 py-1.5 text-left font-normal">
                Received
              </th>
              <th scope="col" className="px-3 py-1.5 text-right font-normal max-sm:hidden">
                Price/kg
              </th>
              <th scope="col" className="py-1.5 pr-4 pl-3 text-right font-normal sm:pr-5">
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.line} className="border-t border-line">
                <th scope="row" className="w-2/5 py-2.5 pl-4 text-left font-medium sm:pl-5">
                  <bdi>{skuName(line.sku)}</bdi>
                  <span className="block text-sm font-normal text-muted sm:hidden">
                    {formatMoney(line.pricePerKg, order.currency, 4)}/kg
                  </span>
                </th>
                <td className="px-3 py-2.5 text-right whitespace-nowrap">
                  {formatGrams(line.orderedGrams)}
                </td>
                <td className="px-3 py-2.5">
                  <span className="whitespace-nowrap">{formatGrams(line.receivedGrams)}</span>
                  <Meter
                    value={line.receivedGrams}
                    max={line.orderedGrams}
                    tone={line.receivedGrams >= line.orderedGrams ? "good" : "warn"}
                    className="mt-1 min-w-12"
                  />
                </td>
                <td className="px-3 py-2.5 text-right whitespace-nowrap max-sm:hidden">
                  {formatMoney(line.pricePerKg, order.currency, 4)}
                </td>
                <td className="py-2.5 pr-4 pl-3 text-right font-medium whitespace-nowrap sm:pr-5">
                  {formatMoney(line.cost, order.currency)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className="border-t border-line px-4 py-2.5 text-sm text-muted sm:px-5">
          {receipts.length === 0
            ? "Nothing has come yet."
            : `${receipts.length} deliver${receipts.length === 1 ? "y" : "ies"}, ${formatShare(received(view))} of what was ordered.`}
          {invoices.length === 0 && " No bill yet."}
        </p>
      </Card>
      {invoices.map((billed) => (
        <InvoiceCard key={billed.invoice.id} billed={billed} />
      ))}
    </>
  );
}

function received({ lines }: OrderView): number {
  const ordered = lines.reduce((sum, line) => sum + line.orderedGrams, 0);
  const came = lines.reduce((sum, line) => sum + line.receivedGrams, 0);
  return ordered > 0 ? came / ordered : 0;
}

/** A bill as it came, and what is wrong with it. */
export function InvoiceCard({ billed }: { billed: BilledInvoice }) {
  const { invoice, lines, variances } = billed;
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const now = useNow();
  const { label, tone } = INVOICE_STATES[invoice.state] ?? {
    label: invoice.state,
    tone: "plain" as const,
  };
  const money = (amount: number | null, digits = 2) =>
    formatMoney(amount, invoice.currency, digits);
  return (
    <Card
      title={`Bill ${invoice.number}`}
      table={TABLES.invoices}
      actions={
        <>
          <Chip tone={tone}>{label}</Chip>
          <TraceLink kind="invoice" id={invoice.id} of={`bill ${invoice.number}`} />
        </>
      }
    >
      <p className="px-4 pb-2 break-words text-muted sm:px-5">
        <bdi className="text-ink">{supplierName(invoice.supplier_id)}</bdi>, for{" "}
        <bdi>{invoice.po_number}</bdi>, came {formatAway(invoice.received_at, now)}
      </p>
      <ul>
        {lines.map((line) => (
          <li
            key={line.line}
            className="flex flex-wrap justify-between gap-x-4 border-t border-line px-4 py-2 sm:px-5"
          >
            <bdi className="min-w-0 truncate">{skuName(line.sku)}</bdi>
            <span>
              {formatGrams(line.grams)} at {money(line.price_per_kg, 4)}/kg
            </span>
          </li>
        ))}
      </ul>
      <dl className="flex flex-wrap justify-end gap-x-6 gap-y-1 border-t border-line px-4 py-2.5 sm:px-5">
        {[
          ["Net", invoice.net],
          ["Tax", invoice.tax],
          ["Total", total([invoice.net, invoice.tax])],
        ].map(([name, amount]) => (
          <div key={name} className="flex gap-1.5">
            <dt className="text-muted">{name}</dt>
            <dd className="font-medium">{money(amount as number | null)}</dd>
          </div>
        ))}
      </dl>
      {variances.length > 0 && (
        <ul aria-label="What is wrong with it" className="border-t border-line bg-bad-tint/40">
          {variances.map((variance) => (
            <li key={varianceKey(variance)}>
              <Link
                to="/variances"
                search={{ id: varianceKey(variance) }}
                className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 hover:underline sm:px-5"
              >
                <span className="font-medium text-bad">
                  {RULES[variance.rule] ?? variance.rule}
                </span>
                <span className="text-sm">{money(variance.amount)}</span>
                <span className="ml-auto">
                  <Chip tone={VARIANCE_TONES[variance.state] ?? "plain"}>{variance.state}</Chip>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
