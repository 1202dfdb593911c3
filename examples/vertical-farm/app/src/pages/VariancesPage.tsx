import { useRows } from "@lakemill/console/live";
import { Card, Chip, Empty, formatAway, useNow, Waiting } from "@lakemill/console/ui";
import { useMemo } from "react";
import { formatMoney } from "../derive/money.ts";
import { byStakes, RULES, VARIANCE_TONES, varianceKey } from "../derive/orders.ts";
import { spoken } from "../derive/supply.ts";
import { useAddress } from "../frame/address.ts";
import { Filter, matches } from "../frame/Filter.tsx";
import { Fresh } from "../frame/Fresh.tsx";
import { ListDetail, Rows, useChosen } from "../frame/ListDetail.tsx";
import { useSupplierName } from "../frame/names.ts";
import { Tabs } from "../frame/Tabs.tsx";
import { AtStake } from "../parts/AtStake.tsx";
import { VarianceDetail } from "../parts/VarianceDetail.tsx";
import { INVOICES, type Invoice, TABLES, VARIANCES, type Variance } from "../tables.ts";

const STATES = ["open", "disputed", "accepted", "closed"] as const;

/** Bills that are not what was ordered: what to pay, and what to dispute. */
export function VariancesPage() {
  const variances = useRows(TABLES.variances, VARIANCES);
  const invoices = useInvoices();
  const supplierName = useSupplierName();
  const { search, change } = useAddress();
  const named = variances?.find((row) => varianceKey(row) === search.id);
  const state =
    STATES.find((one) => one === search.box) ??
    STATES.find((one) => one === named?.state) ??
    "open";
  const inState = useMemo(
    () => (variances ?? []).filter((row) => row.state === state).sort(byStakes),
    [variances, state],
  );
  const shown = inState.filter((row) => {
    const invoice = invoices.get(row.invoice_id);
    return matches(
      search.q ?? "",
      RULES[row.rule] ?? row.rule,
      invoice?.number ?? "",
      invoice ? supplierName(invoice.supplier_id) : "",
      row.explanation,
    );
  });
  const chosen = useChosen(shown.map(varianceKey), search.id);
  const variance = shown.find((row) => varianceKey(row) === chosen);
  return (
    <>
      {variances !== undefined && variances.length > 0 && (
        <AtStake
          variances={variances}
          invoices={invoices}
          className={search.id === undefined ? "" : "max-lg:hidden"}
        />
      )}
      <ListDetail
        isOpen={search.id !== undefined && variance !== undefined}
        onBack={() => change({ id: undefined })}
        list={
          <Card
            title="Variances"
            table={TABLES.variances}
            actions={<Fresh tables={[TABLES.variances, TABLES.invoices]} />}
            explanation="The reconciler holds every bill against its order and what came. What is wrong is found by rule; only the words may be a model's."
          >
            <Tabs
              label="Variances"
              chosen={state}
              onChoose={(box) => change({ box, id: undefined })}
              tabs={STATES.map((id) => ({
                id,
                label: spoken(id),
                count: (variances ?? []).filter((row) => row.state === id).length,
              }))}
            />
            <Filter
              label="Filter variances"
              value={search.q ?? ""}
              onChange={(q) => change({ q })}
              className="mx-4 mb-3 sm:mx-5"
            />
            {variances === undefined && <Waiting lines={7} />}
            {variances !== undefined && inState.length === 0 && (
              <Empty title={state === "open" ? "No open variance" : `Nothing is ${state}`}>
                {state === "open"
                  ? "Every bill so far is as ordered, or was decided. The reconciler files here what is not."
                  : "What you decide moves here."}
              </Empty>
            )}
            {inState.length > 0 && shown.length === 0 && (
              <Empty title="Nothing matches">Take a word out of the filter.</Empty>
            )}
            <Rows
              label="Variances"
              rows={shown}
              idOf={varianceKey}
              chosen={chosen}
              onChoose={(id, by) => change({ id, box: state }, { replace: by === "key" })}
            >
              {(row) => <VarianceRow row={row} invoice={invoices.get(row.invoice_id)} />}
            </Rows>
          </Card>
        }
        detail={
          variance && (
            <VarianceDetail
              key={chosen}
              variance={variance}
              invoice={invoices.get(variance.invoice_id)}
            />
          )
        }
      />
    </>
  );
}

function useInvoices(): ReadonlyMap<string, Invoice> {
  const rows = useRows(TABLES.invoices, INVOICES);
  return useMemo(() => new Map((rows ?? []).map((row) => [row.id, row])), [rows]);
}

function VarianceRow({ row, invoice }: { row: Variance; invoice: Invoice | undefined }) {
  const supplierName = useSupplierName();
  const now = useNow();
  return (
    <span className="flex flex-col gap-1">
      <span className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate font-medium">{RULES[row.rule] ?? row.rule}</span>
        <span className="shrink-0 font-semibold">
          {formatMoney(row.amount, invoice?.currency ?? "EUR")}
        </span>
      </span>
      <span className="flex items-center justify-between gap-3 text-sm text-muted">
        <span className="min-w-0 truncate">
          <bdi>{invoice ? supplierName(invoice.supplier_id) : row.invoice_id}</bdi>
          {invoice && (
            <>
              {" "}
              · <bdi>{invoice.number}</bdi>
            </>
          )}
        </span>
        <span className="shrink-0 text-xs">{formatAway(row.created_at, now)}</span>
      </span>
      {row.state !== "open" && (
        <span>
          <Chip tone={VARIANCE_TONES[row.state] ?? "plain"}>{spoken(row.state)}</Chip>
        </span>
      )}
    </span>
  );
}
