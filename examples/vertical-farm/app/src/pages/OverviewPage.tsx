import { useRows } from "@lakemill/console/live";
import { useState } from "react";
import { byUrgency } from "../derive/supply.ts";
import { useAddress } from "../frame/address.ts";
import { AttentionCard } from "../parts/AttentionCard.tsx";
import { DemandCard } from "../parts/DemandCard.tsx";
import { Figures } from "../parts/Figures.tsx";
import { InputsCard } from "../parts/InputsCard.tsx";
import { LeaderboardCard } from "../parts/LeaderboardCard.tsx";
import { RecommendationsCard } from "../parts/RecommendationsCard.tsx";
import { SpendCard } from "../parts/SpendCard.tsx";
import { StockCard } from "../parts/StockCard.tsx";
import { RECOMMENDATIONS, STOCK, TABLES } from "../tables.ts";

/** What runs out, whom to buy from, what it will cost, and what waits for the reader. */
export function OverviewPage() {
  const { sku, choose } = useChosenSku();
  return (
    <>
      <Figures />
      <div className="mt-4 grid grid-cols-1 gap-4 xl:grid-cols-12">
        <RecommendationsCard chosen={sku} onChoose={choose} className="xl:col-span-8" />
        <div className="flex min-w-0 flex-col gap-4 xl:col-span-4">
          <AttentionCard />
          <SpendCard />
        </div>
        <StockCard chosen={sku} onChoose={choose} className="xl:col-span-5" />
        <LeaderboardCard chosen={sku} onChoose={choose} className="xl:col-span-7" />
        <DemandCard className="xl:col-span-12" />
        <InputsCard className="xl:col-span-12" />
      </div>
    </>
  );
}

/**
 * The SKU that the address names. Until a reader chooses, it is the one that was the most urgent
 * when the page opened: it stays the same even when another becomes more urgent.
 */
export function useChosenSku() {
  const { search, change } = useAddress();
  const proposed = useMostUrgent();
  const [first, setFirst] = useState<string | null>(null);
  if (first === null && proposed !== undefined) {
    setFirst(proposed);
  }
  return { sku: search.sku ?? first, choose: (sku: string) => change({ sku }) };
}

/** The SKU to look at first: what should be bought soonest, else what has the least cover. */
function useMostUrgent(): string | undefined {
  const recommendations = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const stock = useRows(TABLES.stock, STOCK);
  if (recommendations === undefined || stock === undefined) {
    return undefined;
  }
  return (recommendations.toSorted(byUrgency)[0] ?? stock.toSorted(byUrgency)[0])?.sku;
}
