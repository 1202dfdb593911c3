import { type Author, authorLabel } from "./author.ts";

const LOOKS: Record<Author["by"], string> = {
  template: "border-warn bg-warn-tint text-warn",
  model: "border-line-strong bg-sunken text-muted",
  human: "border-line-strong bg-sunken text-muted",
};

/** Who worded a text: a template that is no model, a model, or a person. */
export function DraftedBy({ author }: { author: Author }) {
  return (
    <span
      title={
        author.by === "template"
          ? "No model is configured or none answered, so a template filled in the words."
          : undefined
      }
      className={`inline-flex items-center rounded-full border px-2 py-px text-xs font-medium whitespace-nowrap ${LOOKS[author.by]}`}
    >
      {authorLabel(author)}
    </span>
  );
}
