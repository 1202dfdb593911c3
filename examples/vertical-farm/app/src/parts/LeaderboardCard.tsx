import { useRows } from "@lakemill/console/live";
import {
  Card,
  Empty,
  Flash,
  formatAway,
  formatDifference,
  formatDuration,
  formatEuro,
  formatGrams,
  formatNumber,
  formatShare,
  Meter,
  useNow,
  Waiting,
} from "@lakemill/console/ui";
import { useMemo } from "react";
import { offersFor, points, skusByFamily, spoken } from "../derive/supply.ts";
import { summary } from "../derive/why.ts";
import { Fresh } from "../frame/Fresh.tsx";
import { TraceLink } from "../frame/TraceLink.tsx";
import {
  LEADERBOARD,
  type Offer,
  QUOTES,
  type Quote,
  STOCK,
  TABLES,
  TRAY_COST,
} from "../tables.ts";

interface LeaderboardCardProps {
  readonly chosen: string | null;
  readonly onChoose: (sku: string) => void;
  readonly className?: string;
}

export function LeaderboardCard({ chosen, onChoose, className }: LeaderboardCardProps) {
  const all = useRows(TABLES.leaderboard, LEADERBOARD);
  const quotes = useQuotes(chosen);
  const offers = useMemo(() => offersFor(all ?? [], chosen ?? ""), [all, chosen]);
  return (
    <Card
      title="Supplier leaderboard"
      className={className ?? ""}
      table={TABLES.leaderboard}
      explanation="Every supplier with a valid quote for this SKU. The points, 0 to 100, are what the model farm.ml.supplier_rank expects of an order placed now, learned from price, lead time, reliability, the last hour's demand and the price trend of 24 hours."
      actions={
        <>
          <Fresh tables={[TABLES.leaderboard, TABLES.quotes, TABLES.trayCost]} />
          <SkuSelect chosen={chosen} onChoose={onChoose} />
        </>
      }
    >
      {all === undefined && <Waiting lines={7} />}
      {all?.length === 0 && (
        <Empty title="No quotes yet" command="./lakemill demo">
          Suppliers are ranked as soon as their quotes stream in. The simulators send them:
        </Empty>
      )}
      {all !== undefined && all.length > 0 && offers.length === 0 && (
        <Empty title="No valid quote for this SKU">
          No supplier quotes it at the moment. Choose another one above.
        </Empty>
      )}
      {offers.length > 0 && (
        <>
          <table className="w-full">
            <thead className="text-sm text-muted">
              <tr>
                <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
                  <span className="sr-only">Rank</span>
                </th>
                <th scope="col" className="py-1.5 text-left font-normal">
                  Supplier
                </th>
                <th scope="col" className="px-2 py-1.5 text-left font-normal">
                  Score
                </th>
                <th scope="col" className="py-1.5 pr-4 text-right font-normal sm:px-2">
                  EUR/kg
                </th>
                <th scope="col" className="px-2 py-1.5 text-right font-normal max-sm:hidden">
                  Lead
                </th>
                <th scope="col" className="py-1.5 pr-5 pl-2 text-right font-normal max-sm:hidden">
                  Reliable
                </th>
              </tr>
            </thead>
            <tbody>
              {offers.map((offer) => (
                <OfferRow
                  key={offer.supplier_id}
                  offer={offer}
                  quote={quotes.get(offer.supplier_id)}
                />
              ))}
            </tbody>
          </table>
          <p className="border-t border-line px-4 py-2 text-xs text-muted sm:px-5">
            Scored by farm.ml.supplier_rank, version{" "}
            {formatNumber(offers[0]?.model_version ?? null)}
          </p>
          <TrayCost sku={chosen ?? ""} />
        </>
      )}
    </Card>
  );
}

/** A SKU's valid quotes by supplier. */
export function useQuotes(sku: string | null): ReadonlyMap<string, Quote> {
  const quotes = useRows(TABLES.quotes, QUOTES);
  return useMemo(
    () =>
      new Map(
        (quotes ?? [])
          .filter((quote) => quote.sku === sku)
          .map((quote) => [quote.supplier_id, quote]),
      ),
    [quotes, sku],
  );
}

function SkuSelect({ chosen, onChoose }: Pick<LeaderboardCardProps, "chosen" | "onChoose">) {
  const stock = useRows(TABLES.stock, STOCK);
  const families = useMemo(() => skusByFamily(stock ?? []), [stock]);
  return (
    <select
      aria-label="SKU"
      value={chosen ?? ""}
      disabled={families.length === 0}
      onChange={(event) => onChoose(event.target.value)}
      className="h-8 max-w-48 rounded-lg border border-muted bg-surface px-2 text-base font-medium hover:border-ink disabled:opacity-50"
    >
      {families.length === 0 && <option value="">no SKUs</option>}
      {families.map(({ family, skus }) => (
        <optgroup key={family} label={spoken(family)}>
          {skus.map(({ sku, name }) => (
            <option key={sku} value={sku}>
              {name}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}

function OfferRow({ offer, quote }: { offer: Offer; quote: Quote | undefined }) {
  const now = useNow();
  const best = offer.rank === 1;
  const lead = formatDuration((offer.lead_time_hours ?? 0) * 3_600_000);
  return (
    <tr className="border-t border-line align-top">
      <td className="py-2 pr-2.5 pl-4 sm:pl-5">
        <Rank offer={offer} />
      </td>
      <th
        scope="row"
        className="max-w-0 min-w-32 py-2 text-left font-normal max-sm:w-2/5 sm:w-full"
      >
        <p className={`truncate ${best ? "font-semibold" : ""}`}>
          <bdi>{offer.supplier_name}</bdi>
        </p>
        <p className="truncate text-xs text-muted">
          from {formatGrams(offer.min_order_grams)}
          {quote && (
            <>
              {" · "}
              <span className="max-sm:hidden">quoted </span>
              {formatAway(quote.quoted_at, now)}
            </>
          )}
        </p>
        <p className="truncate text-xs text-muted max-sm:hidden">{summary(offer)}</p>
        <p className="text-xs text-muted sm:hidden">
          {lead} · {formatShare(offer.reliability)} reliable
        </p>
      </th>
      <td className="px-2 py-2">
        <Score offer={offer} className="w-12 sm:w-16" />
      </td>
      <QuotedPrice offer={offer} quote={quote} className="py-2 pr-4 sm:px-2" />
      <td className="px-2 py-2 text-right whitespace-nowrap max-sm:hidden">{lead}</td>
      <td className="py-2 pr-5 pl-2 text-right max-sm:hidden">{formatShare(offer.reliability)}</td>
    </tr>
  );
}

export function Rank({ offer }: { offer: Offer }) {
  return (
    <span
      className={`grid size-5 place-items-center rounded-full text-xs font-semibold ${offer.rank === 1 ? "bg-accent text-surface" : "text-muted"}`}
    >
      {formatNumber(offer.rank)}
    </span>
  );
}

export function Score({ offer, className }: { offer: Offer; className: string }) {
  return (
    <div className="flex items-center gap-2">
      <Meter
        value={points(offer.score)}
        max={100}
        tone={offer.rank === 1 ? "good" : "plain"}
        className={className}
      />
      <span className="w-6 text-right">
        <Flash>{formatNumber(points(offer.score))}</Flash>
      </span>
    </div>
  );
}

interface QuotedPriceProps {
  readonly offer: Offer;
  readonly quote: Quote | undefined;
  readonly className?: string;
  readonly as?: "td" | "div";
}

/** The price of the live quote; `data-event-id` is the event that said it. */
export function QuotedPrice({ offer, quote, className = "", as: Cell = "td" }: QuotedPriceProps) {
  const difference = offer.price_vs_median ?? 0;
  return (
    <Cell
      data-table={TABLES.quotes}
      data-event-id={quote?.event_id}
      className={`text-right whitespace-nowrap ${className}`}
    >
      <span className="inline-flex items-center gap-0.5">
        <TraceLink
          kind="quote"
          id={`${offer.sku}/${offer.supplier_id}`}
          of={`the price of ${offer.supplier_name}`}
          className="max-sm:hidden"
        />
        <Flash>{formatNumber(quote?.price_per_kg ?? offer.price_per_kg, 2)}</Flash>
      </span>
      <span
        className={`block text-xs ${difference < -0.0005 ? "text-good" : difference > 0.0005 ? "text-warn" : "text-muted"}`}
        title="against the median of the quotes"
      >
        {formatDifference(offer.price_vs_median)}
      </span>
    </Cell>
  );
}

export function TrayCost({ sku }: { sku: string }) {
  const cost = useRows(TABLES.trayCost, TRAY_COST)?.find((row) => row.sku === sku);
  if (cost === undefined) {
    return null;
  }
  return (
    <p
      data-table={TABLES.trayCost}
      className="mt-auto border-t border-line px-4 py-2.5 text-sm text-muted sm:px-5"
    >
      A tray costs <span className="font-medium text-ink">{formatEuro(cost.total_cost, 3)}</span>:{" "}
      {formatEuro(cost.seed_cost, 3)} seed, {formatEuro(cost.input_cost, 3)} grow inputs.
    </p>
  );
}
