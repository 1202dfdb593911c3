interface MoreButtonProps {
  readonly all: boolean;
  readonly onChange: (all: boolean) => void;
  /** "all 36 SKUs" */
  readonly what: string;
}

/** Shows a long list whole, or its beginning. */
export function MoreButton({ all, onChange, what }: MoreButtonProps) {
  return (
    <button
      type="button"
      aria-expanded={all}
      onClick={() => onChange(!all)}
      className="mt-auto w-full rounded-b-card border-t border-line px-5 py-2.5 text-sm font-medium text-accent hover:bg-sunken"
    >
      {all ? "Show fewer" : `Show ${what}`}
    </button>
  );
}
