import type { ReactNode } from "react";
import { Mark } from "./icons.tsx";
import { ThemeSwitch } from "./theme.tsx";

interface ShellProps {
  readonly title: string;
  readonly subtitle?: string;
  /** Links to other pages. */
  readonly links?: ReactNode;
  readonly linksClassName?: string;
  /** The page's state, at the right. */
  readonly state?: ReactNode;
  readonly footer?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of every page: a header that stays, the content, a footer. */
export function Shell({
  title,
  subtitle,
  links,
  linksClassName = "",
  state,
  footer,
  children,
}: ShellProps) {
  return (
    <div className="flex min-h-screen flex-col">
      <a
        href="#content"
        className="sr-only z-50 rounded-lg bg-surface px-4 py-2 font-medium focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-40 border-b border-line bg-page">
        <div className="mx-auto flex w-full max-w-[100rem] flex-wrap items-center gap-x-5 gap-y-2 px-4 py-2.5 sm:px-6">
          <div className="flex items-center gap-2.5">
            <Mark />
            <div className="leading-tight">
              <h1 className="text-lg font-semibold tracking-tight">{title}</h1>
              {subtitle && <p className="text-sm text-muted max-sm:hidden">{subtitle}</p>}
            </div>
          </div>
          {links && (
            <nav
              aria-label="Pages"
              className={`flex min-w-0 items-center gap-1 text-sm ${linksClassName}`}
            >
              {links}
            </nav>
          )}
          <div className="ml-auto flex items-center gap-2.5">
            {state}
            <ThemeSwitch />
          </div>
        </div>
      </header>
      <main
        id="content"
        tabIndex={-1}
        className="mx-auto w-full max-w-[100rem] grow px-4 py-4 outline-none sm:px-6 sm:py-5"
      >
        {children}
      </main>
      {footer && (
        <footer className="mx-auto w-full max-w-[100rem] px-4 pb-8 text-sm text-muted sm:px-6">
          {footer}
        </footer>
      )}
    </div>
  );
}
