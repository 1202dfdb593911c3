import { type ReactNode, useState } from "react";
import { Icon } from "./icons.tsx";

interface EmptyProps {
  readonly title: string;
  /** Why there is nothing, or what comes next. */
  readonly children: ReactNode;
  /** What to run so that there is something. */
  readonly command?: string;
}

/** An empty place that explains itself. */
export function Empty({ title, children, command }: EmptyProps) {
  return (
    <div className="flex grow flex-col items-center justify-center gap-1.5 px-6 pt-6 pb-10 text-center">
      <p className="font-medium">{title}</p>
      <p className="max-w-prose text-sm text-balance text-muted">{children}</p>
      {command && <Command>{command}</Command>}
    </div>
  );
}

/** A line for a terminal, to be copied. */
export function Command({ children }: { children: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(children);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <div className="mt-1.5 flex max-w-full items-center gap-1 rounded-lg border border-line bg-sunken py-0.5 pr-0.5 pl-3 text-left">
      <code className="overflow-x-auto font-mono text-sm whitespace-pre">{children}</code>
      <button
        type="button"
        onClick={copy}
        aria-label={copied ? "Copied" : "Copy"}
        className="grid size-8 shrink-0 place-items-center rounded-md text-muted hover:text-ink"
      >
        {copied ? (
          <Icon name="check" className="size-3.5" />
        ) : (
          <Icon name="copy" className="size-3.5" />
        )}
      </button>
    </div>
  );
}
