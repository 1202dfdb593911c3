import { useRows } from "@lakemill/console/live";
import {
  Card,
  Chip,
  Empty,
  Flash,
  formatNumber,
  formatSigned,
  type SeriesColor,
  TimeSeries,
  Waiting,
} from "@lakemill/console/ui";
import { useMemo } from "react";
import { priceChart, priceDigits, priceLevel, spoken } from "../derive/supply.ts";
import { Fresh } from "../frame/Fresh.tsx";
import { INPUT_PRICES, INPUT_TREND, type InputPrice, type InputTrend, TABLES } from "../tables.ts";

const COLORS: readonly SeriesColor[] = [2, 3, 5, 4];

export function InputsCard({ className = "" }: { className?: string }) {
  const trends = useRows(TABLES.inputTrend, INPUT_TREND);
  const prices = useRows(TABLES.inputPrices, INPUT_PRICES);
  const sorted = useMemo(
    () => trends?.toSorted((a, b) => a.commodity.localeCompare(b.commodity)),
    [trends],
  );
  return (
    <Card
      title="Grow inputs, last 24 hours"
      className={className}
      table={TABLES.inputTrend}
      actions={<Fresh tables={[TABLES.inputTrend, TABLES.inputPrices]} />}
      explanation="What a tray needs besides seed. The dashed line is the 24-hour mean; z is the distance from it in standard deviations; the slope is the trend of the price per hour."
    >
      {(sorted === undefined || prices === undefined) && <Waiting lines={6} />}
      {sorted?.length === 0 && (
        <Empty title="No input prices yet" command="./lakemill demo">
          Prices of electricity, substrate, nutrients and packaging come as a stream. The simulators
          send it:
        </Empty>
      )}
      <div className="grid gap-px overflow-hidden rounded-b-card bg-line sm:grid-cols-2 xl:grid-cols-4">
        {prices !== undefined &&
          sorted?.map((trend, index) => (
            <Input
              key={trend.commodity}
              trend={trend}
              prices={prices}
              color={COLORS[index % COLORS.length]!}
            />
          ))}
      </div>
    </Card>
  );
}

interface InputProps {
  readonly trend: InputTrend;
  readonly prices: readonly InputPrice[];
  readonly color: SeriesColor;
}

function Input({ trend, prices, color }: InputProps) {
  const { commodity, price_now, mean_24h, slope_per_hour, z_score } = trend;
  const { times, series } = useMemo(
    () => priceChart(prices, commodity, color),
    [prices, commodity, color],
  );
  const unit = `EUR/${trend.unit}`;
  const digits = priceDigits(mean_24h);
  const { label, tone } = priceLevel(z_score);
  const price = (value: number | null) => formatNumber(value, digits);
  return (
    <article className="flex min-w-0 flex-col border-t border-line bg-surface pt-3">
      <header className="flex items-start justify-between gap-3 px-4 sm:px-5">
        <div>
          <h3 className="font-medium">{spoken(commodity)}</h3>
          <p className="text-2xl font-semibold tracking-tight whitespace-nowrap">
            <Flash>{price(price_now)}</Flash>
            <span className="ml-1.5 text-sm font-normal tracking-normal text-muted">{unit}</span>
          </p>
        </div>
        <Chip tone={tone}>{label}</Chip>
      </header>
      <dl className="grid grid-cols-3 gap-2 px-4 pt-2 pb-1 text-sm sm:px-5">
        <Detail name="Mean" value={price(mean_24h)} />
        <Detail name="Slope" value={`${formatSigned(slope_per_hour, digits)}/h`} />
        <Detail name="z" value={formatSigned(z_score, 1)} />
      </dl>
      <TimeSeries
        label={`${spoken(commodity)}, now ${price(price_now)} ${unit}, 24-hour mean ${price(mean_24h)}`}
        times={times}
        series={series}
        height={130}
        axisWidth={52}
        level={mean_24h}
        cursor="inputs"
        format={(value) => `${price(value)} ${unit}`}
        formatAxis={price}
      />
    </article>
  );
}

function Detail({ name, value }: { name: string; value: string }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="whitespace-nowrap">{value}</dd>
    </div>
  );
}
