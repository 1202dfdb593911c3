import { useRows } from "@lakemill/console/live";
import { Card, Chip, Empty, formatAway, useNow, Waiting } from "@lakemill/console/ui";
import { useMemo } from "react";
import { formatMoney } from "../derive/money.ts";
import {
  type BilledInvoice,
  ORDER_STATES,
  type OrderTables,
  type OrderView,
  orderViews,
  strayInvoices,
} from "../derive/orders.ts";
import { useAddress } from "../frame/address.ts";
import { Filter, matches } from "../frame/Filter.tsx";
import { Fresh } from "../frame/Fresh.tsx";
import { ListDetail, Rows, useChosen } from "../frame/ListDetail.tsx";
import { useSkuName, useSupplierName } from "../frame/names.ts";
import { Tabs } from "../frame/Tabs.tsx";
import { InvoiceCard, OrderDetail } from "../parts/OrderDetail.tsx";
import {
  INVOICE_LINES,
  INVOICES,
  ORDER_LINES,
  ORDERS,
  RECEIPTS,
  TABLES,
  VARIANCES,
} from "../tables.ts";

const numberOf = (row: OrderView) => row.order.number;
const invoiceIdOf = (row: BilledInvoice) => row.invoice.id;
const FOLLOWED = [TABLES.orders, TABLES.orderLines, TABLES.receipts, TABLES.invoices] as const;

/** What was ordered, what came of it, and what was billed. */
export function OrdersPage() {
  const tables = useOrderTables();
  const { search, change } = useAddress();
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const orders = useMemo(() => tables && orderViews(tables), [tables]);
  const strays = useMemo(() => tables && strayInvoices(tables), [tables]);
  const isStrayNamed = strays?.some(({ invoice }) => invoice.id === search.id) ?? false;
  const box =
    search.box === "strays" || (search.box === undefined && isStrayNamed) ? "strays" : "orders";
  const shownOrders = (orders ?? []).filter(({ order, lines }) =>
    matches(
      search.q ?? "",
      order.number,
      supplierName(order.supplier_id),
      ...lines.map(({ sku }) => skuName(sku)),
    ),
  );
  const shownStrays = (strays ?? []).filter(({ invoice }) =>
    matches(search.q ?? "", invoice.number, invoice.po_number, supplierName(invoice.supplier_id)),
  );
  const ids = box === "orders" ? shownOrders.map(numberOf) : shownStrays.map(invoiceIdOf);
  const chosen = useChosen(ids, search.id);
  const order = box === "orders" ? shownOrders.find((row) => numberOf(row) === chosen) : undefined;
  const stray =
    box === "strays" ? shownStrays.find((row) => invoiceIdOf(row) === chosen) : undefined;
  const all = box === "orders" ? orders : strays;
  const choose = (id: string, by: "key" | "press") =>
    change({ id, box }, { replace: by === "key" });
  return (
    <ListDetail
      isOpen={search.id !== undefined && chosen !== null}
      onBack={() => change({ id: undefined })}
      list={
        <Card title="Orders" table={TABLES.orders} actions={<Fresh tables={FOLLOWED} />}>
          <Tabs
            label="Orders"
            chosen={box}
            onChoose={(box) => change({ box, id: undefined })}
            tabs={[
              { id: "orders", label: "Orders", count: orders?.length ?? 0 },
              { id: "strays", label: "Bills without an order", count: strays?.length ?? 0 },
            ]}
          />
          <Filter
            label="Filter orders"
            value={search.q ?? ""}
            onChange={(q) => change({ q })}
            className="mx-4 mb-3 sm:mx-5"
          />
          {all === undefined && <Waiting lines={7} />}
          {all?.length === 0 &&
            (box === "orders" ? (
              <Empty title="Nothing was ordered yet">
                A request becomes an order when its supplier accepts, or you accept a counter-offer.
              </Empty>
            ) : (
              <Empty title="Every bill has an order">
                Invoices of an order that the farm does not know would stand here.
              </Empty>
            ))}
          {all !== undefined && all.length > 0 && ids.length === 0 && (
            <Empty title="Nothing matches">Take a word out of the filter.</Empty>
          )}
          {box === "orders" ? (
            <Rows
              label="Orders"
              rows={shownOrders}
              idOf={numberOf}
              chosen={chosen}
              onChoose={choose}
            >
              {(row) => <OrderRow view={row} />}
            </Rows>
          ) : (
            <Rows
              label="Bills without an order"
              rows={shownStrays}
              idOf={invoiceIdOf}
              chosen={chosen}
              onChoose={choose}
            >
              {(row) => <StrayRow row={row} />}
            </Rows>
          )}
        </Card>
      }
      detail={
        <>
          {order && <OrderDetail view={order} />}
          {stray && <InvoiceCard billed={stray} />}
        </>
      }
    />
  );
}

function useOrderTables(): OrderTables | undefined {
  const orders = useRows(TABLES.orders, ORDERS);
  const orderLines = useRows(TABLES.orderLines, ORDER_LINES);
  const receipts = useRows(TABLES.receipts, RECEIPTS);
  const invoices = useRows(TABLES.invoices, INVOICES);
  const invoiceLines = useRows(TABLES.invoiceLines, INVOICE_LINES);
  const variances = useRows(TABLES.variances, VARIANCES);
  return useMemo(
    () =>
      orders && orderLines && receipts && invoices && invoiceLines && variances
        ? { orders, orderLines, receipts, invoices, invoiceLines, variances }
        : undefined,
    [orders, orderLines, receipts, invoices, invoiceLines, variances],
  );
}

function OrderRow({ view }: { view: OrderView }) {
  const { order, lines, state } = view;
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const now = useNow();
  const { label, tone } = ORDER_STATES[state];
  return (
    <span className="flex flex-col gap-1">
      <span className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate font-medium">
          <bdi>{lines.map(({ sku }) => skuName(sku)).join(", ") || order.number}</bdi>
        </span>
        <span className="shrink-0 text-xs text-muted">{formatAway(order.ordered_at, now)}</span>
      </span>
      <span className="truncate text-sm text-muted">
        {order.number} · <bdi>{supplierName(order.supplier_id)}</bdi>
      </span>
      <span className="flex items-center justify-between gap-3">
        <Chip tone={tone}>{label}</Chip>
        <span className="text-sm font-medium">{formatMoney(order.total, order.currency)}</span>
      </span>
    </span>
  );
}

function StrayRow({ row }: { row: BilledInvoice }) {
  const { invoice } = row;
  const supplierName = useSupplierName();
  const now = useNow();
  return (
    <span className="flex flex-col gap-1">
      <span className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate font-medium">
          <bdi>{invoice.number}</bdi>
        </span>
        <span className="shrink-0 text-xs text-muted">{formatAway(invoice.received_at, now)}</span>
      </span>
      <span className="flex items-center justify-between gap-3 text-sm text-muted">
        <span className="min-w-0 truncate">
          for <bdi>{invoice.po_number}</bdi> · <bdi>{supplierName(invoice.supplier_id)}</bdi>
        </span>
        <span className="font-medium text-ink">{formatMoney(invoice.net, invoice.currency)}</span>
      </span>
    </span>
  );
}
