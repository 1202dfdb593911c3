import { useQuery } from "@tanstack/react-query";
import { getModels } from "../api.ts";

/** Who worded a text, as its row says; nobody shall take a template for a model's judgement. */
export function DraftedBy({ by, model = "" }: { by: string; model?: string }) {
  const words: Record<string, string> = {
    template: "Worded by a template",
    model: model === "" ? "Worded by a model" : `Worded by ${model}`,
    human: "Worded by a person",
  };
  return (
    <span className="inline-flex max-w-full items-center rounded-full border border-line-strong px-2 py-0.5 text-xs text-muted">
      <bdi className="truncate">{words[by] ?? `Worded by ${by}`}</bdi>
    </span>
  );
}

/** Says on every page that words come from a template as long as no model is configured. */
export function DrafterBadge() {
  const { data } = useQuery({ queryKey: ["models"], queryFn: getModels, staleTime: 60_000 });
  if (data === undefined) {
    return null;
  }
  const isTemplate = data.drafter === "template";
  return (
    <span
      title={
        isTemplate
          ? "No model is configured: e-mails and explanations are worded by a template."
          : `E-mails and explanations are worded by ${data.endpoint || "a model"}.`
      }
      className={`hidden h-8 items-center rounded-full border px-3 text-sm xl:flex ${isTemplate ? "border-line-strong text-muted" : "border-line text-muted"}`}
    >
      {isTemplate ? "Template drafter" : <bdi>{data.endpoint || "Model"}</bdi>}
    </span>
  );
}
