import { useRows } from "@lakemill/console/live";
import { LiveBadge, Shell, useNow, zoneName } from "@lakemill/console/ui";
import { byUrgency } from "./derive.ts";
import { DemandCard } from "./parts/DemandCard.tsx";
import { Figures } from "./parts/Figures.tsx";
import { Clock, ConsoleLink } from "./parts/Header.tsx";
import { InputsCard } from "./parts/InputsCard.tsx";
import { LeaderboardCard } from "./parts/LeaderboardCard.tsx";
import { Problem } from "./parts/Problem.tsx";
import { RecommendationsCard } from "./parts/RecommendationsCard.tsx";
import { StockCard } from "./parts/StockCard.tsx";
import { useChosenSku } from "./selection.ts";
import { RECOMMENDATIONS, STOCK, TABLES } from "./tables.ts";

/** The procurement lead's board: what runs out, whom to buy from, what it will cost. */
export function Board() {
  const { sku, choose } = useChosenSku(useMostUrgent());
  return (
    <Shell
      title="Vertical farm"
      subtitle="Seed procurement, live"
      links={<ConsoleLink />}
      state={
        <>
          <Clock />
          <LiveBadge />
        </>
      }
      footer={<Footer />}
    >
      <Problem />
      <Figures />
      <div className="mt-4 grid grid-cols-1 gap-4 xl:grid-cols-12">
        <RecommendationsCard chosen={sku} onChoose={choose} className="xl:col-span-7" />
        <LeaderboardCard chosen={sku} onChoose={choose} className="xl:col-span-5" />
        <StockCard chosen={sku} onChoose={choose} className="xl:col-span-5" />
        <DemandCard className="xl:col-span-7" />
        <InputsCard className="xl:col-span-12" />
      </div>
    </Shell>
  );
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

function Footer() {
  const zone = zoneName(useNow());
  return (
    <p>
      Every figure is read from Postgres, schema <code className="font-mono">serving</code>, and
      pushed when it changes. Times are local ({zone}); money is in euro.
    </p>
  );
}
