/** One of the colours that tell series apart. */
export type SeriesColor = 1 | 2 | 3 | 4 | 5 | 6;

/** Written out, because the style sheet is made from the class names that stand in the source. */
export const SERIES_FILLS: Record<SeriesColor, string> = {
  1: "bg-series-1",
  2: "bg-series-2",
  3: "bg-series-3",
  4: "bg-series-4",
  5: "bg-series-5",
  6: "bg-series-6",
};

/** The colour of a series beside its name. */
export function Swatch({ color }: { color: SeriesColor }) {
  return <span aria-hidden="true" className={`size-2.5 rounded-[3px] ${SERIES_FILLS[color]}`} />;
}
