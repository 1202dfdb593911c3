const WIDTHS = ["w-11/12", "w-4/5", "w-10/12", "w-2/3", "w-9/12"];

/** Lines where rows will be, as long as nothing has arrived. */
export function Waiting({ lines = 5 }: { lines?: number }) {
  return (
    <div className="flex flex-col gap-4 px-5 pt-2 pb-6" aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        // The lines are all alike and never move.
        // biome-ignore lint/suspicious/noArrayIndexKey: a fixed list
        <div key={line} className={`skeleton h-4 ${WIDTHS[line % WIDTHS.length]}`} />
      ))}
    </div>
  );
}
