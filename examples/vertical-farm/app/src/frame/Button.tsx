import type { ButtonHTMLAttributes } from "react";

const LOOKS = {
  main: "bg-accent text-surface hover:opacity-90",
  plain: "border border-line-strong bg-surface hover:border-ink",
  bad: "border border-line-strong bg-surface text-bad hover:border-bad",
  quiet: "text-muted hover:bg-sunken hover:text-ink",
} as const;

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: keyof typeof LOOKS;
  /** The key that does the same. */
  readonly keyHint?: string;
}

export function Button({
  look = "plain",
  keyHint,
  className = "",
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      aria-keyshortcuts={keyHint}
      {...rest}
      className={`relative inline-flex min-h-9 items-center justify-center gap-2 rounded-lg px-3 font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-50 ${LOOKS[look]} ${className}`}
    >
      {children}
      {keyHint && <Key>{keyHint}</Key>}
    </button>
  );
}

/** A key of the keyboard; where there is none to press, it is not shown. */
export function Key({ children }: { children: string }) {
  return (
    <span
      aria-hidden="true"
      className="rounded border border-current px-1 font-mono text-xs leading-4 max-sm:hidden pointer-coarse:hidden"
    >
      {children}
    </span>
  );
}
