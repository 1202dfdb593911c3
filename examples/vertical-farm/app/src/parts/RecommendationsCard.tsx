import { useRows } from "@lakemill/console/live";
import { Card, Empty, useSteadyOrder, Waiting } from "@lakemill/console/ui";
import { Link } from "@tanstack/react-router";
import { byUrgency } from "../derive/supply.ts";
import { Fresh } from "../frame/Fresh.tsx";
import { RECOMMENDATIONS, type Recommendation, TABLES } from "../tables.ts";
import { RecommendationRow } from "./RecommendationRow.tsx";
import { SkuButton } from "./SkuButton.tsx";

const SHOWN = 8;
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
  return (
    <Card
      title="What to buy now"
      className={className ?? ""}
      table={TABLES.recommendations}
      actions={<Fresh tables={[TABLES.recommendations]} />}
      explanation="SKUs that will run short, with the best-scored supplier, the amount that brings their cover to ten days, and when the order must be out."
    >
      {rows === undefined && <Waiting lines={7} />}
      {rows?.length === 0 && <NothingToBuy />}
      <ul>
        {sorted.slice(0, SHOWN).map((row) => (
          <RecommendationRow key={row.sku} row={row} isChosen={row.sku === chosen}>
            <SkuButton
              name={row.name}
              chosen={row.sku === chosen}
              onChoose={() => onChoose(row.sku)}
            />
          </RecommendationRow>
        ))}
      </ul>
      {sorted.length > SHOWN && (
        <Link
          to="/recommendations"
          className="mt-auto block rounded-b-card border-t border-line px-5 py-2.5 text-center text-sm font-medium text-accent hover:bg-sunken"
        >
          Show all {sorted.length} recommendations
        </Link>
      )}
    </Card>
  );
}

export function NothingToBuy() {
  return (
    <Empty title="Nothing needs to be bought">
      A recommendation appears when a SKU's stock no longer covers its demand. Without stock or
      demand events there is none either.
    </Empty>
  );
}
