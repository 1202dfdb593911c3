/** The shape of the last values; it repeats a number beside it and is not read out. */
export function Sparkline({ values }: { values: readonly (number | null)[] }) {
  const line = sparklinePath(values, 88, 26);
  return (
    <svg
      className="h-[26px] w-full text-accent sm:w-[88px] sm:shrink-0"
      viewBox="0 0 88 26"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {line !== "" && (
        <>
          <path d={`${line} V26 H0 Z`} fill="currentColor" opacity="0.1" />
          <path
            d={line}
            fill="none"
            stroke="currentColor"
            strokeWidth="1.25"
            vectorEffect="non-scaling-stroke"
          />
        </>
      )}
    </svg>
  );
}

/** An SVG path over the values from left to right, with 0 at the bottom; nothing is skipped. */
export function sparklinePath(
  values: readonly (number | null)[],
  width: number,
  height: number,
): string {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) {
    return "";
  }
  const top = Math.max(...known) * 1.1 || 1;
  const step = width / (known.length - 1);
  return known
    .map((value, index) => {
      const y = height - (Math.max(0, value) / top) * (height - 1);
      return `${index === 0 ? "M" : "L"}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join(" ");
}
