/** Each series on top of those before it; a missing value adds nothing. */
export function stack(series: readonly (readonly (number | null)[])[]): number[][] {
  const floor = new Array<number>(series[0]?.length ?? 0).fill(0);
  return series.map((values) =>
    values.map((value, index) => {
      floor[index] = (floor[index] ?? 0) + (value ?? 0);
      return floor[index];
    }),
  );
}
