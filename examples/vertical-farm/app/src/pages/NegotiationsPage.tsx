import { useRows } from "@lakemill/console/live";
import { Card, Chip, Empty, formatAway, formatGrams, useNow, Waiting } from "@lakemill/console/ui";
import { useMemo } from "react";
import { formatMoney } from "../derive/money.ts";
import {
  BOXES,
  type Box,
  type Negotiation,
  negotiations,
  standing,
} from "../derive/negotiation.ts";
import { useAddress } from "../frame/address.ts";
import { Filter, matches } from "../frame/Filter.tsx";
import { Fresh } from "../frame/Fresh.tsx";
import { ListDetail, Rows, useChosen } from "../frame/ListDetail.tsx";
import { useSkuName, useSupplierName } from "../frame/names.ts";
import { Tabs } from "../frame/Tabs.tsx";
import { useAction } from "../frame/useActions.ts";
import { NegotiationDetail } from "../parts/NegotiationDetail.tsx";
import { EMAILS, INBOX, ORDERS, REPLIES, RFQS, TABLES } from "../tables.ts";

const idOf = (row: Negotiation) => row.id;

/** Requests for quotations as mail: what waits for the reader, what is out, what came of it. */
export function NegotiationsPage() {
  const all = useNegotiations();
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const { search, change } = useAddress();
  const named = all?.find(({ id }) => id === search.id);
  const box = BOXES.find((one) => one.box === search.box)?.box ?? named?.box ?? "decide";
  const inBox = (all ?? []).filter((one) => one.box === box);
  const shown = inBox.filter(({ rfq, email, approval }) =>
    matches(
      search.q ?? "",
      rfq ? skuName(rfq.sku) : "",
      rfq ? supplierName(rfq.supplier_id) : "",
      email?.subject ?? "",
      approval?.action ?? "",
    ),
  );
  const chosen = useChosen(shown.map(idOf), search.id);
  const negotiation = shown.find(({ id }) => id === chosen);
  return (
    <ListDetail
      isOpen={search.id !== undefined && negotiation !== undefined}
      onBack={() => change({ id: undefined })}
      list={
        <Card
          title="Negotiations"
          table={TABLES.rfqs}
          actions={<Fresh tables={[TABLES.rfqs, TABLES.emails, TABLES.replies, TABLES.inbox]} />}
        >
          <Tabs
            label="Negotiations"
            chosen={box}
            onChoose={(box) => change({ box, id: undefined })}
            tabs={BOXES.map(({ box, label }) => ({
              id: box,
              label,
              count: (all ?? []).filter((one) => one.box === box).length,
            }))}
          />
          <Filter
            label="Filter negotiations"
            value={search.q ?? ""}
            onChange={(q) => change({ q })}
            className="mx-4 mb-3 sm:mx-5"
          />
          {all === undefined && <Waiting lines={7} />}
          {all !== undefined && inBox.length === 0 && <Nothing box={box} />}
          {inBox.length > 0 && shown.length === 0 && (
            <Empty title="Nothing matches">Take a word out of the filter.</Empty>
          )}
          <Rows
            label="Negotiations"
            rows={shown}
            idOf={idOf}
            chosen={chosen}
            onChoose={(id, by) => change({ id, box }, { replace: by === "key" })}
          >
            {(row) => <NegotiationRow negotiation={row} />}
          </Rows>
        </Card>
      }
      detail={negotiation && <NegotiationDetail key={negotiation.id} negotiation={negotiation} />}
    />
  );
}

function useNegotiations(): readonly Negotiation[] | undefined {
  const rfqs = useRows(TABLES.rfqs, RFQS);
  const emails = useRows(TABLES.emails, EMAILS);
  const replies = useRows(TABLES.replies, REPLIES);
  const inbox = useRows(TABLES.inbox, INBOX);
  const orders = useRows(TABLES.orders, ORDERS);
  return useMemo(
    () =>
      rfqs && emails && replies && inbox && orders
        ? negotiations({ rfqs, emails, replies, inbox, orders })
        : undefined,
    [rfqs, emails, replies, inbox, orders],
  );
}

function NegotiationRow({ negotiation }: { negotiation: Negotiation }) {
  const { rfq, approval, atMillis } = negotiation;
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const now = useNow();
  const under = useAction(`approval ${approval?.approval_id}`);
  const { label, tone } = under
    ? { label: "Being decided", tone: "plain" as const }
    : standing(negotiation);
  return (
    <span className="flex flex-col gap-1">
      <span className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate font-medium">
          <bdi>{rfq ? skuName(rfq.sku) : approval?.action}</bdi>
        </span>
        <span className="shrink-0 text-xs text-muted">{formatAway(atMillis, now)}</span>
      </span>
      {rfq && (
        <span className="truncate text-sm text-muted">
          {formatGrams(rfq.grams)} from <bdi>{supplierName(rfq.supplier_id)}</bdi>
        </span>
      )}
      <span className="flex items-center justify-between gap-3">
        <Chip tone={tone}>{label}</Chip>
        {rfq && (
          <span className="text-sm font-medium">
            {formatMoney(rfq.expected_cost, rfq.currency)}
          </span>
        )}
      </span>
    </span>
  );
}

const NOTHING: Record<Box, { readonly title: string; readonly words: string }> = {
  decide: {
    title: "Nothing waits for you",
    words: "Drafts to approve and counter-offers appear here as soon as an agent asks.",
  },
  underway: {
    title: "Nothing is under way",
    words: "Request a quotation from To buy or Suppliers; it is followed here until it is ordered.",
  },
  answered: {
    title: "Nothing was ordered yet",
    words: "A request becomes an order when its supplier accepts, or you accept a counter-offer.",
  },
  closed: {
    title: "Nothing was closed",
    words: "Requests that were dismissed, declined or over budget end here.",
  },
};

function Nothing({ box }: { box: Box }) {
  const { title, words } = NOTHING[box];
  return <Empty title={title}>{words}</Empty>;
}
