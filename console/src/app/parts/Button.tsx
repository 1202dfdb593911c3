import type { ReactNode } from "react";

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick?: () => void;
  readonly look?: "plain" | "main" | "danger";
  readonly disabled?: boolean;
  /** A key that does the same, shown on it. */
  readonly shortcut?: string;
  readonly label?: string;
  readonly type?: "button" | "submit";
}

const LOOKS = {
  plain: "border-line-strong bg-surface text-ink hover:bg-sunken",
  main: "border-transparent bg-accent text-surface hover:opacity-90",
  danger: "border-line-strong bg-surface text-bad hover:bg-bad-tint",
} as const;

export function Button({
  children,
  onClick,
  look = "plain",
  disabled = false,
  shortcut,
  label,
  type = "button",
}: ButtonProps) {
  return (
    <button
      type={type}
      onClick={onClick}
      disabled={disabled}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      className={`inline-flex min-h-8 items-center gap-2 rounded-lg border px-3 py-1 text-sm font-medium whitespace-nowrap disabled:cursor-not-allowed disabled:opacity-50 ${LOOKS[look]}`}
    >
      {children}
      {shortcut && (
        <span
          aria-hidden="true"
          className="rounded border border-current px-1 font-mono text-[0.65rem] leading-4 opacity-70 max-sm:hidden"
        >
          {shortcut}
        </span>
      )}
    </button>
  );
}
