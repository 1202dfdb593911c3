import { useRows } from "@lakemill/console/live";
import {
  Card,
  Chip,
  Empty,
  formatAway,
  formatDays,
  formatDuration,
  formatGrams,
  formatNumber,
  formatShare,
  useNow,
  useSteadyOrder,
  Waiting,
} from "@lakemill/console/ui";
import { useMemo, useState } from "react";
import { byUrgency, coverLevel, offersFor, spoken } from "../derive/supply.ts";
import { reasons, strongest } from "../derive/why.ts";
import { useAddress } from "../frame/address.ts";
import { Button } from "../frame/Button.tsx";
import { Filter, matches } from "../frame/Filter.tsx";
import { Fresh } from "../frame/Fresh.tsx";
import { ListDetail, Rows, useChosen } from "../frame/ListDetail.tsx";
import { useSuppliers } from "../frame/names.ts";
import { TraceLink } from "../frame/TraceLink.tsx";
import { useKeys } from "../frame/useKeys.ts";
import { QuotedPrice, Rank, Score, TrayCost, useQuotes } from "../parts/LeaderboardCard.tsx";
import { PriceHistory } from "../parts/PriceHistory.tsx";
import { useRequestable } from "../parts/RequestButton.tsx";
import { RequestDialog } from "../parts/RequestDialog.tsx";
import { WhyBars } from "../parts/WhyBars.tsx";
import {
  LEADERBOARD,
  type Offer,
  type Quote,
  RECOMMENDATIONS,
  STOCK,
  type Stock,
  type Supplier,
  TABLES,
} from "../tables.ts";

const NONE: readonly Stock[] = [];
const skuOf = (row: Stock) => row.sku;

/** Every supplier of a SKU, and why one is better than another. */
export function SuppliersPage() {
  const stock = useRows(TABLES.stock, STOCK);
  const sorted = useSteadyOrder(stock ?? NONE, skuOf, byUrgency);
  const { search, change } = useAddress();
  const shown = sorted.filter(({ name, family }) => matches(search.q ?? "", name, family));
  const chosen = useChosen(shown.map(skuOf), search.sku);
  return (
    <ListDetail
      isOpen={search.sku !== undefined}
      onBack={() => change({ sku: undefined })}
      list={
        <Card title="SKUs" table={TABLES.stock} actions={<Fresh tables={[TABLES.stock]} />}>
          <Filter
            label="Filter SKUs"
            value={search.q ?? ""}
            onChange={(q) => change({ q })}
            className="mx-4 mb-3 sm:mx-5"
          />
          {stock === undefined && <Waiting lines={8} />}
          {stock?.length === 0 && (
            <Empty title="No stock yet" command="./lakemill demo">
              SKUs appear with the first inventory movements. The simulators send them:
            </Empty>
          )}
          {sorted.length > 0 && shown.length === 0 && (
            <Empty title="Nothing matches">Take a word out of the filter.</Empty>
          )}
          <Rows
            label="SKUs"
            rows={shown}
            idOf={skuOf}
            chosen={chosen}
            onChoose={(sku, by) => change({ sku }, { replace: by === "key" })}
          >
            {(row) => <SkuRow row={row} />}
          </Rows>
        </Card>
      }
      detail={<Offers sku={shown.find(({ sku }) => sku === chosen)} />}
    />
  );
}

function SkuRow({ row }: { row: Stock }) {
  const { label, tone } = coverLevel(row.days_of_cover, row.on_hand_grams);
  return (
    <span className="flex items-center justify-between gap-3">
      <span className="min-w-0">
        <span className="block truncate font-medium">
          <bdi>{row.name}</bdi>
        </span>
        <span className="text-xs text-muted">{spoken(row.family)}</span>
      </span>
      <Chip tone={tone}>
        {label}
        {row.days_of_cover !== null && `, ${formatDays(row.days_of_cover)}`}
      </Chip>
    </span>
  );
}

function Offers({ sku }: { sku: Stock | undefined }) {
  const all = useRows(TABLES.leaderboard, LEADERBOARD);
  const recommendations = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const id = sku?.sku ?? null;
  const offers = useMemo(() => offersFor(all ?? [], id ?? ""), [all, id]);
  const quotes = useQuotes(id);
  const suppliers = useSuppliers();
  const [wish, setWish] = useState<Offer | null>(null);
  const { isPossible, open } = useRequestable(id ?? "");
  const best = offers[0];
  useKeys("Suppliers", [
    {
      keys: "a",
      label: "Request from the best supplier",
      run: () => isPossible && best && setWish(best),
    },
  ]);
  const recommended = recommendations?.find((row) => row.sku === id)?.grams ?? null;
  const max = strongest(offers);
  return (
    <Card
      title={sku ? `Suppliers of ${sku.name}` : "Suppliers"}
      table={TABLES.leaderboard}
      actions={<Fresh tables={[TABLES.leaderboard, TABLES.quotes, TABLES.suppliers]} />}
      explanation="The score, 0 to 100, is what the model farm.ml.supplier_rank expects of an order placed now. Under it stands how many points each feature adds or takes, against the same offer with that feature at its typical value."
    >
      {all === undefined && <Waiting lines={8} />}
      {all?.length === 0 && (
        <Empty title="No quotes yet" command="./lakemill demo">
          Suppliers are ranked as soon as their quotes stream in. The simulators send them:
        </Empty>
      )}
      {all !== undefined && all.length > 0 && offers.length === 0 && (
        <Empty title="No valid quote for this SKU">
          No supplier quotes it at the moment. Choose another one.
        </Empty>
      )}
      {offers.length > 0 && (
        <>
          <ol aria-label="Offers, the best first">
            {offers.map((offer) => (
              <OfferItem
                key={offer.supplier_id}
                offer={offer}
                quote={quotes.get(offer.supplier_id)}
                supplier={suppliers.get(offer.supplier_id)}
                max={max}
                isPossible={isPossible}
                hasOpen={open !== undefined}
                onRequest={() => setWish(offer)}
              />
            ))}
          </ol>
          <p className="border-t border-line px-4 py-2 text-xs text-muted sm:px-5">
            Scored by farm.ml.supplier_rank, version {formatNumber(best?.model_version ?? null)}
          </p>
          <PriceHistory sku={id ?? ""} offers={offers} />
          <TrayCost sku={id ?? ""} />
        </>
      )}
      {wish && sku && (
        <RequestDialog
          offer={wish}
          name={sku.name}
          recommendedGrams={recommended}
          onClose={() => setWish(null)}
        />
      )}
    </Card>
  );
}

interface OfferItemProps {
  readonly offer: Offer;
  readonly quote: Quote | undefined;
  readonly supplier: Supplier | undefined;
  readonly max: number;
  readonly isPossible: boolean;
  readonly hasOpen: boolean;
  readonly onRequest: () => void;
}

function OfferItem(props: OfferItemProps) {
  const { offer, quote, supplier, max, isPossible, hasOpen, onRequest } = props;
  const now = useNow();
  const why = reasons(offer);
  return (
    <li className="flex flex-col gap-3 border-t border-line px-4 py-3.5 sm:px-5">
      <div className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-start gap-x-3 gap-y-2 sm:grid-cols-[auto_minmax(0,1fr)_auto_5.5rem_auto]">
        <span className="pt-0.5">
          <Rank offer={offer} />
        </span>
        <div className="min-w-0">
          <p className={`truncate ${offer.rank === 1 ? "font-semibold" : "font-medium"}`}>
            <bdi>{offer.supplier_name}</bdi>
            {supplier?.country && (
              <span className="font-normal text-muted">
                {" "}
                · <bdi>{supplier.country}</bdi>
              </span>
            )}
          </p>
          <p className="text-sm text-muted">
            {formatDuration((offer.lead_time_hours ?? 0) * 3_600_000)} to deliver ·{" "}
            {formatShare(offer.reliability)} reliable · from {formatGrams(offer.min_order_grams)}
            {supplier?.payment_terms_days != null &&
              ` · payable in ${formatNumber(supplier.payment_terms_days)} days`}
          </p>
          {quote && (
            <p className="text-xs text-muted">
              quoted {formatAway(quote.quoted_at, now)}, valid {formatAway(quote.valid_until, now)}
            </p>
          )}
        </div>
        <div className="max-sm:col-start-2 max-sm:row-start-2">
          <Score offer={offer} className="w-20" />
        </div>
        <QuotedPrice
          as="div"
          offer={offer}
          quote={quote}
          className="max-sm:row-start-1 max-sm:col-start-3"
        />
        <div className="flex items-center gap-1 max-sm:col-start-3 max-sm:row-start-2">
          <TraceLink
            kind="quote"
            id={`${offer.sku}/${offer.supplier_id}`}
            of={`the offer of ${offer.supplier_name}`}
            className="sm:hidden"
          />
          <Button
            look={offer.rank === 1 ? "main" : "plain"}
            disabled={!isPossible}
            title={hasOpen ? "A request for this SKU is open already" : ""}
            onClick={onRequest}
          >
            Request
            <span className="sr-only">from {offer.supplier_name}</span>
          </Button>
        </div>
      </div>
      {why.length > 0 && <WhyBars reasons={why} max={max} />}
    </li>
  );
}
