import { useRows } from "@lakemill/console/live";
import { Card, Chip, formatAway, useNow } from "@lakemill/console/ui";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { decideVariance, type VarianceBody } from "../api.ts";
import { formatMoney } from "../derive/money.ts";
import { RULES, VARIANCE_TONES, varianceKey } from "../derive/orders.ts";
import { spoken } from "../derive/supply.ts";
import { UNDO_MILLIS } from "../frame/actions.ts";
import { Button } from "../frame/Button.tsx";
import { DraftedBy } from "../frame/Drafter.tsx";
import { useMe } from "../frame/me.ts";
import { useSupplierName } from "../frame/names.ts";
import { TraceLink } from "../frame/TraceLink.tsx";
import { actions, useAction } from "../frame/useActions.ts";
import { useKeys } from "../frame/useKeys.ts";
import { told } from "../refused.ts";
import { type Invoice, ORDERS, TABLES, type Variance } from "../tables.ts";

interface VarianceDetailProps {
  readonly variance: Variance;
  readonly invoice: Invoice | undefined;
}

export function VarianceDetail({ variance, invoice }: VarianceDetailProps) {
  const supplierName = useSupplierName();
  const now = useNow();
  const rule = RULES[variance.rule] ?? variance.rule;
  const orders = useRows(TABLES.orders, ORDERS);
  // A bill of no order of the farm's stands among the orders by itself.
  const isOrdered = orders?.some(({ number }) => number === invoice?.po_number);
  return (
    <Card
      title={rule}
      table={TABLES.variances}
      actions={
        <>
          <Chip tone={VARIANCE_TONES[variance.state] ?? "plain"}>{spoken(variance.state)}</Chip>
          <TraceLink kind="invoice" id={variance.invoice_id} of={`this variance`} />
        </>
      }
    >
      <p className="px-4 pb-3 break-words text-muted sm:px-5">
        {invoice ? (
          <>
            Bill <bdi className="text-ink">{invoice.number}</bdi> of{" "}
            <bdi className="text-ink">{supplierName(invoice.supplier_id)}</bdi> for{" "}
            <Link
              to="/orders"
              search={{ id: isOrdered ? invoice.po_number : invoice.id }}
              className="text-accent underline"
            >
              <bdi>{invoice.po_number}</bdi>
            </Link>
          </>
        ) : (
          <bdi>{variance.invoice_id}</bdi>
        )}
        {(variance.line ?? 0) > 0 && `, line ${variance.line}`}, found{" "}
        {formatAway(variance.created_at, now)}
      </p>
      <dl className="grid grid-cols-2 gap-px border-y border-line bg-line sm:grid-cols-3">
        <Side name="We expected" value={variance.expected} />
        <Side name="The bill says" value={variance.found} isWrong />
        <Side
          name="Not to be paid"
          value={formatMoney(variance.amount, invoice?.currency ?? "EUR")}
        />
      </dl>
      <div className="flex flex-col items-start gap-2 px-4 py-3 sm:px-5">
        <p className="max-w-3xl text-pretty break-words" dir="auto">
          {variance.explanation}
        </p>
        <DraftedBy by={variance.drafted_by} />
      </div>
      {variance.state !== "open" && (
        <p className="border-t border-line px-4 py-3 text-sm text-muted sm:px-5">
          {spoken(variance.state)}
          {variance.decided_by !== "" && (
            <>
              {" "}
              by <bdi>{variance.decided_by}</bdi>
            </>
          )}
          {variance.note !== "" && (
            <>
              : <bdi>{variance.note}</bdi>
            </>
          )}
        </p>
      )}
      {waysOut(variance).length > 0 && (
        <Decision key={variance.state} variance={variance} name={rule} />
      )}
    </Card>
  );
}

function Side({
  name,
  value,
  isWrong = false,
}: {
  name: string;
  value: string;
  isWrong?: boolean;
}) {
  return (
    <div className="min-w-0 bg-surface px-4 py-3 last:max-sm:col-span-2 sm:px-5">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className={`text-lg font-semibold break-words ${isWrong ? "text-bad" : ""}`}>
        <bdi>{value}</bdi>
      </dd>
    </div>
  );
}

const WAYS = [
  {
    to: "accepted",
    verb: "Accept",
    keys: "a",
    what: "Accept as billed: it is owed, and taken from the budget",
    look: "main",
  },
  { to: "disputed", verb: "Dispute", keys: "d", what: "Dispute with the supplier", look: "bad" },
  {
    to: "closed",
    verb: "Close",
    keys: "x",
    what: "Close: only what is right is owed",
    look: "plain",
  },
] as const;

/** What may come after each state. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  open: ["accepted", "disputed", "closed"],
  disputed: ["accepted", "closed"],
  accepted: ["closed"],
};

function waysOut({ state }: Variance) {
  return WAYS.filter(({ to }) => NEXT[state]?.includes(to));
}

function Decision({ variance, name }: { variance: Variance; name: string }) {
  const [note, setNote] = useState("");
  const key = `variance ${varianceKey(variance)}`;
  const under = useAction(key);
  const canDecide = useMe()?.can_decide ?? false;
  const isPossible = canDecide && under === undefined;
  const take = (verb: string, to: VarianceBody["to"]) =>
    actions.start({
      key,
      label: `${verb}: ${name}`,
      undoMillis: UNDO_MILLIS,
      send: async () => {
        try {
          const { state } = await decideVariance({
            invoice_id: variance.invoice_id,
            rule: variance.rule,
            line: variance.line ?? 0,
            from: variance.state,
            to,
            ...(note.trim() === "" ? {} : { note: note.trim() }),
          });
          return state;
        } catch (error) {
          throw told(error);
        }
      },
    });
  useKeys(
    "Decision",
    waysOut(variance).map(({ to, verb, keys, what }) => ({
      keys,
      label: what,
      run: () => void (isPossible && take(verb, to)),
    })),
  );
  return (
    <section
      aria-label="Decision"
      className="flex flex-col gap-3 border-t border-line px-4 py-3 sm:px-5"
    >
      <label className="flex flex-col gap-1">
        <span className="text-sm text-muted">A note for the record, if you like</span>
        <input
          value={note}
          disabled={!isPossible}
          onChange={(event) => setNote(event.target.value)}
          className="h-9 max-w-xl rounded-lg border border-muted bg-surface px-3 disabled:opacity-50"
        />
      </label>
      <div className="flex flex-wrap gap-2">
        {waysOut(variance).map(({ to, verb, keys, what, look }) => (
          <Button
            key={to}
            look={look}
            keyHint={keys}
            title={what}
            disabled={!isPossible}
            onClick={() => take(verb, to)}
          >
            {verb}
          </Button>
        ))}
      </div>
      <p className="text-sm text-muted">
        {under !== undefined
          ? `${under.label}: ${under.phase === "waiting" ? "z takes it back" : under.phase}`
          : canDecide
            ? `${waysOut(variance)
                .map(({ what }) => what)
                .join(". ")}.`
            : "You may look, but not decide."}
      </p>
    </section>
  );
}
