interface SkuButtonProps {
  readonly name: string;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

/** A SKU's name that chooses it; the whole row around it, if positioned, can be pressed. */
export function SkuButton({ name, chosen, onChoose }: SkuButtonProps) {
  return (
    <button
      type="button"
      aria-pressed={chosen}
      onClick={onChoose}
      title={`Show the suppliers of ${name}`}
      className="text-left font-medium after:absolute after:inset-0 hover:text-accent"
    >
      {name}
    </button>
  );
}
