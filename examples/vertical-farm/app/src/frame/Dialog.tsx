import { type ReactNode, useEffect, useId, useRef } from "react";
import { Button } from "./Button.tsx";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A question in front of the page; the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, children, className = "" }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    if (!element.open) {
      element.showModal();
      element.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    }
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className={`m-auto max-h-[92dvh] w-[min(40rem,94vw)] overflow-y-auto rounded-card border border-line-strong bg-surface p-0 text-ink shadow-[0_16px_48px_var(--shadow)] backdrop:bg-black/40 ${className}`}
    >
      <header className="flex items-center justify-between gap-4 px-5 pt-4 pb-2">
        <h2 id={id} className="text-lg font-semibold tracking-tight">
          {title}
        </h2>
        <Button look="quiet" onClick={onClose} aria-label="Close">
          ✕
        </Button>
      </header>
      {children}
    </dialog>
  );
}
