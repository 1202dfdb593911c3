import { Popover } from "radix-ui";
import type { ReactNode } from "react";
import { Icon } from "./icons.tsx";

/** A small question mark that opens a few words; by mouse, finger and keyboard alike. */
export function Explain({ about, children }: { about: string; children: ReactNode }) {
  return (
    <Popover.Root>
      <Popover.Trigger
        aria-label={`About: ${about}`}
        className="grid size-6 place-items-center rounded-full text-muted transition-colors hover:text-ink"
      >
        <Icon name="question" className="size-3.5" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          sideOffset={6}
          collisionPadding={12}
          className="z-50 max-w-72 rounded-lg border border-line-strong bg-surface px-3.5 py-3 text-sm leading-relaxed text-ink shadow-[0_8px_24px_var(--shadow)]"
        >
          {children}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
