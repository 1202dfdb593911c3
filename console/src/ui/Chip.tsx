import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "plain";

const TONES: Record<Tone, { chip: string; sign: string }> = {
  good: { chip: "bg-good-tint text-good", sign: "●" },
  warn: { chip: "bg-warn-tint text-warn", sign: "▲" },
  bad: { chip: "bg-bad-tint text-bad", sign: "■" },
  plain: { chip: "bg-sunken text-muted", sign: "○" },
};

/** A state in words; its colour and sign only repeat what the words say. */
export function Chip({ tone, children }: { tone: Tone; children: ReactNode }) {
  const { chip, sign } = TONES[tone];
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${chip}`}
    >
      <span aria-hidden="true" className="text-[0.55rem] leading-none">
        {sign}
      </span>
      {children}
    </span>
  );
}
