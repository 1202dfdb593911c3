import { useRows } from "@lakemill/console/live";
import {
  Card,
  Chip,
  Empty,
  Flash,
  formatDays,
  formatDue,
  formatEuro,
  formatGrams,
  formatMoment,
  formatShare,
  MoreButton,
  useNow,
  useSteadyOrder,
  Waiting,
} from "@lakemill/console/ui";
import { useState } from "react";
import { byUrgency, coverLevel } from "../derive.ts";
import { RECOMMENDATIONS, type Recommendation, TABLES } from "../tables.ts";
import { SkuButton } from "./SkuButton.tsx";

const SHOWN = 6;
const NONE: readonly Recommendation[] = [];
const skuOf = (row: Recommendation) => row.sku;

interface RecommendationsCardProps {
  readonly chosen: string | null;
  readonly onChoose: (sku: string) => void;
  readonly className?: string;
}

export function RecommendationsCard({ chosen, onChoose, className }: RecommendationsCardProps) {
  const rows = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const sorted = useSteadyOrder(rows ?? NONE, skuOf, byUrgency);
  const [all, setAll] = useState(false);
  return (
    <Card
      title="What to buy now"
      className={className ?? ""}
      explanation="SKUs that will run short, with the best-scored supplier, the amount that brings their cover to ten days, and when the order must be out."
    >
      {rows === undefined && <Waiting lines={7} />}
      {rows?.length === 0 && (
        <Empty title="Nothing needs to be bought">
          A recommendation appears when a SKU's stock no longer covers its demand. Without stock or
          demand events there is none either.
        </Empty>
      )}
      <ul>
        {sorted.slice(0, all ? sorted.length : SHOWN).map((row) => (
          <Item
            key={row.sku}
            row={row}
            chosen={row.sku === chosen}
            onChoose={() => onChoose(row.sku)}
          />
        ))}
      </ul>
      {sorted.length > SHOWN && (
        <MoreButton all={all} onChange={setAll} what={`all ${sorted.length} recommendations`} />
      )}
    </Card>
  );
}

interface ItemProps {
  readonly row: Recommendation;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function Item({ row, chosen, onChoose }: ItemProps) {
  const now = useNow();
  const { label, tone } = coverLevel(row.days_of_cover, null);
  const due = formatDue(row.deadline, now);
  const perKg =
    row.expected_cost !== null && row.grams ? (row.expected_cost / row.grams) * 1_000 : null;
  return (
    <li
      className={`relative grid grid-cols-[1fr_auto] gap-x-4 gap-y-1 border-t border-line px-4 py-3 transition-colors hover:bg-sunken sm:grid-cols-[minmax(0,4fr)_minmax(0,7fr)_5.5rem_6.5rem] sm:px-5 ${chosen ? "bg-accent-tint/50 shadow-[inset_3px_0_var(--accent)]" : ""}`}
    >
      <div className="flex min-w-0 flex-col items-start gap-1">
        <SkuButton name={row.name} chosen={chosen} onChoose={onChoose} />
        <Chip tone={tone}>
          {label}, {formatDays(row.days_of_cover)} left
        </Chip>
      </div>
      <div className="order-3 col-span-2 min-w-0 sm:order-none sm:col-span-1">
        <p>
          <span className="font-semibold">
            <Flash>{formatGrams(row.grams)}</Flash>
          </span>{" "}
          from {row.supplier_name}{" "}
          <span className="text-sm whitespace-nowrap text-muted">
            · {formatShare(row.confidence)} sure
          </span>
        </p>
        <p className="text-sm text-pretty text-muted">{row.reason}</p>
      </div>
      <div className="text-right">
        <p className="font-semibold">
          <Flash>{formatEuro(row.expected_cost)}</Flash>
        </p>
        <p className="text-sm text-muted">{formatEuro(perKg)}/kg</p>
      </div>
      <div className="order-4 col-span-2 flex gap-2 max-sm:text-sm sm:order-none sm:col-span-1 sm:block sm:text-right">
        <p className="whitespace-nowrap max-sm:text-muted">by {formatMoment(row.deadline)}</p>
        <p className={`text-sm ${due === "now" ? "font-medium text-bad" : "text-muted"}`}>{due}</p>
      </div>
    </li>
  );
}
