/** Who worded a text. */
export interface Author {
  readonly by: "template" | "model" | "human";
  /** The model's name; empty when it is not known. */
  readonly model: string;
}

/** The gateway's drafter, and agents' own templates, are told by this name, with or without a version. */
export function isTemplate(model: string): boolean {
  return model === "template" || model.startsWith("template/");
}

/** Of what is recorded with a text; null when nothing tells. */
export function authorOf(draftedBy: unknown, model: unknown): Author | null {
  const name = typeof model === "string" ? model : "";
  if (draftedBy === "human") {
    return { by: "human", model: "" };
  }
  if (draftedBy === "template" || isTemplate(name)) {
    return { by: "template", model: "" };
  }
  return draftedBy === "model" || name !== "" ? { by: "model", model: name } : null;
}

export function authorLabel({ by, model }: Author): string {
  switch (by) {
    case "template":
      return "Template, no model";
    case "human":
      return "Edited by a person";
    case "model":
      return model === "" ? "Written by a model" : `Written by ${model}`;
  }
}
