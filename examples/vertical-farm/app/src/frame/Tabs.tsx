import { formatNumber } from "@lakemill/console/ui";

interface TabsProps<T extends string> {
  readonly label: string;
  readonly tabs: readonly { readonly id: T; readonly label: string; readonly count?: number }[];
  readonly chosen: T;
  readonly onChoose: (id: T) => void;
}

/** Parts of a list, one of which is shown. */
export function Tabs<T extends string>({ label, tabs, chosen, onChoose }: TabsProps<T>) {
  return (
    <fieldset className="flex gap-1 overflow-x-auto px-3 pb-3 [scrollbar-width:none] sm:px-4">
      <legend className="sr-only">{label}</legend>
      {tabs.map(({ id, label, count }) => (
        <button
          key={id}
          type="button"
          aria-pressed={id === chosen}
          onClick={() => onChoose(id)}
          className="flex h-8 shrink-0 items-center gap-1.5 rounded-full px-2.5 text-sm text-muted hover:text-ink aria-pressed:bg-accent-tint aria-pressed:font-medium aria-pressed:text-accent"
        >
          {label}
          {count !== undefined && <span>{formatNumber(count)}</span>}
        </button>
      ))}
    </fieldset>
  );
}
