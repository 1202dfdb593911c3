import { formatNumber, TimeSeries } from "@lakemill/console/ui";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getPrices } from "../api.ts";
import { quotedChart } from "../derive/supply.ts";
import type { Offer } from "../tables.ts";

const ASK_EVERY_MILLIS = 15_000;
const PRICE_DIGITS = 2;
/** The best offers: as many as there are colours. */
const LINES_MAX = 6;
const price = (value: number | null) => formatNumber(value, PRICE_DIGITS);

/** What those who offer a SKU have asked for it, over a day. */
export function PriceHistory({ sku, offers }: { sku: string; offers: readonly Offer[] }) {
  const { data, error } = useQuery({
    queryKey: ["prices", sku],
    queryFn: () => getPrices(sku),
    refetchInterval: ASK_EVERY_MILLIS,
  });
  const { times, series } = useMemo(
    () => quotedChart(data?.prices ?? [], offers.slice(0, LINES_MAX)),
    [data, offers],
  );
  return (
    <section aria-label="Prices of 24 hours" className="border-t border-line pt-3">
      <h3 className="px-4 font-medium sm:px-5">
        Prices, last 24 hours <span className="font-normal text-muted">EUR/kg</span>
      </h3>
      {error !== null && data === undefined && (
        <p role="alert" className="px-4 py-3 text-sm text-bad sm:px-5">
          The prices could not be fetched; they are asked for again.
        </p>
      )}
      {data !== undefined && times.length === 0 && (
        <p className="px-4 py-3 text-sm text-muted sm:px-5">Nobody has quoted it in that time.</p>
      )}
      {times.length > 0 && (
        <TimeSeries
          label={`Prices of ${series.length} suppliers over 24 hours, EUR per kg`}
          times={times}
          series={series}
          height={180}
          axisWidth={52}
          legend
          format={(value) => `${price(value)} EUR/kg`}
          formatAxis={price}
        />
      )}
    </section>
  );
}
