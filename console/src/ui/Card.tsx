import { type ReactNode, useId } from "react";
import { Explain } from "./Explain.tsx";

interface CardProps {
  readonly title: string;
  /** One sentence on what stands here, shown on demand. */
  readonly explanation?: ReactNode;
  /** What can be chosen or done, at the right of the title. */
  readonly actions?: ReactNode;
  readonly className?: string;
  /** schema.table of what it shows, for whoever measures the page. */
  readonly table?: string;
  readonly children: ReactNode;
}

/** A titled section of a page. */
export function Card({ title, explanation, actions, className = "", table, children }: CardProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      data-table={table}
      className={`flex min-w-0 flex-col rounded-card border border-line bg-surface shadow-[0_1px_2px_var(--shadow)] ${className}`}
    >
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3.5 pb-2.5 sm:px-5">
        <h2 id={id} className="flex items-center gap-1.5 text-lg font-semibold tracking-tight">
          {title}
          {explanation && <Explain about={title}>{explanation}</Explain>}
        </h2>
        {actions && <div className="ml-auto flex items-center gap-2">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
