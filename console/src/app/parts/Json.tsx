/** A value as JSON that can be read and copied; long ones scroll. */
export function Json({ value, label }: { value: unknown; label: string }) {
  return (
    // It scrolls, and so has to be reached by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region
    <section tabIndex={0} aria-label={label} className="min-w-0">
      <p className="mb-1 text-xs font-medium text-muted">{label}</p>
      <pre className="max-h-72 overflow-auto rounded-lg border border-line bg-sunken px-3 py-2 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap">
        {typeof value === "string" ? value : JSON.stringify(value, null, 2)}
      </pre>
    </section>
  );
}
