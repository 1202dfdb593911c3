import { useRows } from "@lakemill/console/live";
import {
  Card,
  Empty,
  formatEuro,
  formatNumber,
  useSteadyOrder,
  Waiting,
} from "@lakemill/console/ui";
import { Link, useNavigate } from "@tanstack/react-router";
import { currentBudget } from "../derive/ledger.ts";
import { total } from "../derive/money.ts";
import { byUrgency } from "../derive/supply.ts";
import { useAddress } from "../frame/address.ts";
import { Filter, matches } from "../frame/Filter.tsx";
import { Fresh } from "../frame/Fresh.tsx";
import { rowId, useChosen, useListKeys } from "../frame/ListDetail.tsx";
import { useKeys } from "../frame/useKeys.ts";
import { RecommendationRow, wishOf } from "../parts/RecommendationRow.tsx";
import { NothingToBuy } from "../parts/RecommendationsCard.tsx";
import { request, useRequestable } from "../parts/RequestButton.tsx";
import { useWished } from "../parts/SpendCard.tsx";
import { BUDGETS, RECOMMENDATIONS, type Recommendation, TABLES } from "../tables.ts";

const NONE: readonly Recommendation[] = [];
const skuOf = (row: Recommendation) => row.sku;

/** All that should be bought, each with one press to ask for a quotation. */
export function RecommendationsPage() {
  const rows = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const sorted = useSteadyOrder(rows ?? NONE, skuOf, byUrgency);
  const { search, change } = useAddress();
  const shown = sorted.filter(({ name, supplier_name, reason }) =>
    matches(search.q ?? "", name, supplier_name, reason),
  );
  const skus = shown.map(skuOf);
  const chosen = useChosen(skus, search.sku);
  const choose = (sku: string) => change({ sku });
  useListKeys(skus, chosen, choose);
  return (
    <>
      <Cost rows={rows ?? NONE} />
      <Card
        title="What to buy now"
        table={TABLES.recommendations}
        explanation="SKUs that will run short, with the best-scored supplier, the amount that brings their cover to ten days, and when the order must be out. Request drafts an e-mail; nothing is sent before the draft is approved."
        actions={
          <>
            <Fresh tables={[TABLES.recommendations, TABLES.rfqs]} />
            <Filter
              label="Filter recommendations"
              value={search.q ?? ""}
              onChange={(q) => change({ q })}
            />
          </>
        }
      >
        {rows === undefined && <Waiting lines={8} />}
        {rows?.length === 0 && <NothingToBuy />}
        {sorted.length > 0 && shown.length === 0 && (
          <Empty title="Nothing matches">Take a word out of the filter.</Empty>
        )}
        {chosen !== null && <Keys row={shown.find(({ sku }) => sku === chosen)} />}
        <ul aria-label="Recommendations">
          {shown.map((row) => (
            <RecommendationRow
              key={row.sku}
              row={row}
              isChosen={row.sku === chosen}
              {...(row.sku === chosen ? { keyHint: "a" } : {})}
            >
              <button
                type="button"
                id={rowId(row.sku)}
                aria-current={row.sku === chosen ? "true" : undefined}
                onClick={() => choose(row.sku)}
                className="max-w-full truncate text-left font-medium after:absolute after:inset-0"
              >
                {row.name}
              </button>
            </RecommendationRow>
          ))}
        </ul>
      </Card>
    </>
  );
}

/** The keys of the chosen recommendation. */
function Keys({ row }: { row: Recommendation | undefined }) {
  const navigate = useNavigate();
  const { isPossible } = useRequestable(row?.sku ?? "");
  useKeys(
    "Recommendation",
    row === undefined
      ? []
      : [
          {
            keys: "a",
            label: "Request the quotation",
            run: () => isPossible && request(wishOf(row)),
          },
          {
            keys: "s",
            label: "Compare its suppliers",
            run: () => void navigate({ to: "/suppliers", search: { sku: row.sku } }),
          },
          {
            keys: "t",
            label: "Where does it come from?",
            run: () =>
              void navigate({
                to: "/trace/$kind/$",
                params: { kind: "recommendation", _splat: row.sku },
              }),
          },
        ],
  );
  return null;
}

/** What all of it would cost, against what is left. */
function Cost({ rows }: { rows: readonly Recommendation[] }) {
  const budget = currentBudget(useRows(TABLES.budgets, BUDGETS) ?? []);
  const wished = useWished();
  if (rows.length === 0) {
    return null;
  }
  const all = total(rows.map((row) => row.expected_cost));
  const left = budget === undefined ? null : (budget.amount ?? 0) - (budget.committed ?? 0);
  return (
    <p className="pb-4 text-lg text-pretty">
      <strong className="font-semibold">{formatNumber(rows.length)} SKUs</strong> run short; all of
      them cost <strong className="font-semibold">{formatEuro(all, 0)}</strong>.{" "}
      {wished > 0 && <>{formatEuro(wished, 0)} of it is not asked for yet. </>}
      {left !== null && (
        <Link to="/budget" className={`underline ${left < wished ? "text-bad" : "text-good"}`}>
          {formatEuro(left, 0)} of the budget is left
          {left < wished ? ": not all can be bought" : ""}.
        </Link>
      )}
    </p>
  );
}
