import "uplot/dist/uPlot.min.css";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { formatClock, formatMoment } from "./format.ts";
import { type SeriesColor, Swatch } from "./Swatch.tsx";
import { stack } from "./stack.ts";
import { useShownTheme } from "./theme.tsx";

export interface Series {
  readonly label: string;
  readonly color: SeriesColor;
  readonly values: readonly (number | null)[];
}

interface TimeSeriesProps {
  /** What the chart shows, in a sentence that also tells its main figures. */
  readonly label: string;
  /** Milliseconds since the epoch, rising; as many as each series has values. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** Areas on top of one another instead of lines; values that are missing count as 0. */
  readonly stacked?: boolean;
  /** A value holds until the next one, instead of moving towards it. */
  readonly stepped?: boolean;
  readonly height: number;
  /** A value with its unit. */
  readonly format: (value: number | null) => string;
  /** A value on the axis, short. */
  readonly formatAxis: (value: number) => string;
  readonly axisWidth?: number;
  /** A level to compare with, drawn as a dashed line. */
  readonly level?: number | null;
  /** Charts with the same name move their cursors together. */
  readonly cursor?: string;
  readonly legend?: boolean;
}

/**
 * Values over time. The chart itself is a picture; its figures stand in the legend, which follows
 * the pointer, and in a table that opens under it.
 */
export function TimeSeries(props: TimeSeriesProps) {
  return props.times.length < 2 ? (
    <p className="px-4 pt-1 pb-4 text-sm text-muted sm:px-5">
      The chart begins as soon as there are two points in time.
    </p>
  ) : (
    <Chart {...props} />
  );
}

function Chart(props: TimeSeriesProps) {
  const { times, series, format, legend = true } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const host = useChart(props, setPointed);
  const shown = pointed !== null && pointed < times.length ? pointed : times.length - 1;
  return (
    <figure className="min-w-0">
      <div className="px-2 sm:px-3">
        <div ref={host} role="img" aria-label={props.label} className="min-w-0" />
      </div>
      <figcaption className="px-4 pb-3 sm:px-5">
        {legend && (
          <ul className="flex flex-wrap gap-x-5 gap-y-1 pt-1.5 text-sm">
            <li className="text-muted">{formatMoment(times[shown])}</li>
            {series.map(({ label, color, values }) => (
              <li key={label} className="flex max-w-full min-w-0 items-center gap-1.5">
                <Swatch color={color} />
                <span className="min-w-0 truncate text-muted">{label}</span>
                <span className="font-medium">{format(values[shown] ?? null)}</span>
              </li>
            ))}
          </ul>
        )}
        <ValueTable {...props} />
      </figcaption>
    </figure>
  );
}

function ValueTable({ label, times, series, format }: TimeSeriesProps) {
  const [open, setOpen] = useState(false);
  return (
    <details className="mt-1.5 text-sm" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit text-muted hover:text-ink">As a table</summary>
      {open && (
        <div className="mt-2 max-h-64 overflow-auto rounded-lg border border-line">
          <table className="w-full text-right">
            <caption className="sr-only">{label}</caption>
            <thead className="sticky top-0 bg-sunken text-muted">
              <tr>
                <th scope="col" className="px-3 py-1.5 text-left font-medium">
                  Time
                </th>
                {series.map(({ label }) => (
                  <th key={label} scope="col" className="px-3 py-1.5 font-medium">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times
                .map((time, index) => (
                  <tr key={time} className="border-t border-line">
                    <th scope="row" className="px-3 py-1 text-left font-normal whitespace-nowrap">
                      {formatMoment(time)}
                    </th>
                    {series.map(({ label, values }) => (
                      <td key={label} className="px-3 py-1 whitespace-nowrap">
                        {format(values[index] ?? null)}
                      </td>
                    ))}
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** Owns the chart: made anew when its form or theme changes, given new values otherwise. */
function useChart(props: TimeSeriesProps, onPoint: (index: number | null) => void) {
  const { times, series, stacked = false, height, level = null } = props;
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const theme = useShownTheme();
  const form = JSON.stringify([
    theme,
    stacked,
    height,
    level !== null,
    series.map(({ label, color }) => [label, color]),
  ]);
  const data = useMemo(
    () => chartData(times, series, stacked, level),
    [times, series, stacked, level],
  );
  const latest = useRef({ props, data });
  useEffect(() => {
    latest.current = { props, data };
    chart.current?.setData(data);
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: `form` says all that the options hold
  useEffect(() => {
    const element = host.current!;
    const { props, data } = latest.current;
    const made = new uPlot(options(props, element, onPoint), data, element);
    chart.current = made;
    const resized = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: height * textScale() });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [form]);
  return host;
}

function chartData(
  times: readonly number[],
  series: readonly Series[],
  stacked: boolean,
  level: number | null,
): uPlot.AlignedData {
  const values = series.map((one) => one.values);
  // Stacked areas reach down to 0, so the highest is drawn first and the others over it.
  const drawn = stacked ? stack(values).reverse() : values;
  return [
    times,
    ...drawn,
    ...(level === null ? [] : [times.map(() => level)]),
  ] as uPlot.AlignedData;
}

function options(
  props: TimeSeriesProps,
  element: HTMLElement,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const { series, stacked = false, stepped = false, height, formatAxis } = props;
  const { axisWidth = 44, level = null } = props;
  const color = (value: string) => resolved(element, value);
  const scale = textScale();
  const axis: uPlot.Axis = {
    stroke: color("var(--muted)"),
    font: `${11 * scale}px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: color("var(--line)"), width: 1 },
    ticks: { show: false },
  };
  const drawn = stacked ? [...series].reverse() : series;
  return {
    width: element.clientWidth,
    height: height * scale,
    ms: 1,
    padding: [8, 20 * scale, 0, 0],
    legend: { show: false },
    // The library's type for these words is an enum that exists only in its declarations.
    drawOrder: (stacked ? ["series", "axes"] : ["axes", "series"]) as uPlot.DrawOrderKey[],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { show: !stacked },
      ...(props.cursor ? { sync: { key: props.cursor } } : {}),
    },
    scales: { y: { range: (_chart, low, high) => yRange(stacked, low, high) } },
    hooks: { setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)] },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26 * scale,
        space: 72 * scale,
        values: (_chart, ticks) => ticks.map((tick) => formatTick(tick, ticks)),
      },
      {
        ...axis,
        size: axisWidth * scale,
        space: 34 * scale,
        values: (_chart, ticks) => ticks.map(formatAxis),
      },
    ],
    series: [
      {},
      ...drawn.map(({ label, color: number }) => ({
        label,
        stroke: color(`var(--series-${number})`),
        width: stacked ? 1 : 1.75,
        fill: color(
          `color-mix(in srgb, var(--series-${number}) ${stacked ? 34 : drawn.length === 1 ? 9 : 0}%, ${stacked ? "var(--surface)" : "transparent"})`,
        ),
        points: { show: false },
        ...(stepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
      })),
      ...(level === null
        ? []
        : [{ stroke: color("var(--muted)"), width: 1, dash: [4, 4], points: { show: false } }]),
    ],
  };
}

const DAY_MILLIS = 86_400_000;

/** The time of day; over days the day too, within minutes the second. */
function formatTick(tick: number, ticks: readonly number[]): string {
  const span = (ticks.at(-1) ?? tick) - (ticks[0] ?? tick);
  return span > 1.5 * DAY_MILLIS ? formatMoment(tick) : formatClock(tick, span < 4 * 60_000);
}

/** How large text is against the usual 16 pixels: on a wall screen a page may make all larger. */
function textScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
}

/** From 0 when stacked, otherwise close round the values, with some air. */
function yRange(stacked: boolean, low: number | null, high: number | null): [number, number] {
  const bottom = low ?? 0;
  const top = high ?? 1;
  const air = (top - bottom || Math.abs(top) || 1) * 0.1;
  return stacked ? [0, top + air || 1] : [bottom - air, top + air];
}

/** A canvas knows no CSS variables: asks the browser what a colour comes to at this element. */
function resolved(element: HTMLElement, value: string): string {
  const probe = element.appendChild(document.createElement("span"));
  probe.style.color = value;
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
