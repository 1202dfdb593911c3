import { useRef } from "react";
import { useKeys } from "./useKeys.ts";

interface FilterProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly className?: string;
}

/** Words that what is shown must contain. */
export function Filter({ label, value, onChange, className = "" }: FilterProps) {
  const input = useRef<HTMLInputElement>(null);
  useKeys("Find", [{ keys: "/", label: "Filter", run: () => input.current?.focus() }]);
  return (
    <input
      ref={input}
      type="search"
      aria-label={label}
      placeholder="Filter  /"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape" || event.key === "Enter") {
          event.preventDefault();
          if (event.key === "Escape") {
            onChange("");
          }
          event.currentTarget.blur();
        }
      }}
      className={`h-9 min-w-0 rounded-lg border border-muted bg-surface px-3 text-base placeholder:text-muted hover:border-ink ${className}`}
    />
  );
}

/** Whether all words of a filter stand somewhere in the texts. */
export function matches(filter: string, ...texts: readonly string[]): boolean {
  const all = texts.join("\n").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
