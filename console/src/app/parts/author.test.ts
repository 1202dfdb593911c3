import { expect, it } from "vitest";
import { authorLabel, authorOf } from "./author.ts";

it("calls a template a template, also when it is recorded as a model's answer", () => {
  expect(authorOf("template", "")?.by).toBe("template");
  expect(authorOf("model", "template")?.by).toBe("template");
  expect(authorOf(undefined, "template/rfq-v1")?.by).toBe("template");
});

it("takes no model whose name only begins alike for a template", () => {
  expect(authorOf(undefined, "templated-llama")).toEqual({ by: "model", model: "templated-llama" });
});

it("gives the person who edited the text, whoever drafted it", () => {
  expect(authorOf("human", "llama")?.by).toBe("human");
});

it("claims nothing where nothing is recorded", () => {
  expect(authorOf(undefined, "")).toBeNull();
  expect(authorLabel({ by: "model", model: "" })).toBe("Written by a model");
});
