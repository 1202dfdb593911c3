import { describe, expect, it } from "vitest";
import { type Binding, kept, neighbour, type Press, step } from "./keys.ts";

const press = (key: string, rest: Partial<Press> = {}): Press => ({
  key,
  repeat: false,
  modified: false,
  typing: false,
  ...rest,
});
const binding = (keys: string, rest: Partial<Binding> = {}): Binding => ({
  keys,
  label: keys,
  run: () => {},
  ...rest,
});
const bindings = [binding("j", { repeats: true }), binding("a"), binding("g n"), binding("n")];
const doneBy = (prefix: string, one: Press) => step(prefix, one, bindings).binding?.keys;

describe("step", () => {
  it("does what a key says, or two keys one after the other", () => {
    expect(doneBy("", press("a"))).toBe("a");
    expect(step("", press("g"), bindings)).toEqual({ prefix: "g", binding: null });
    expect(doneBy("g", press("n"))).toBe("g n");
    expect(doneBy("", press("n"))).toBe("n");
  });

  it("begins anew with a key that completes nothing", () => {
    expect(doneBy("g", press("j"))).toBe("j");
    expect(step("g", press("q"), bindings)).toEqual({ prefix: "", binding: null });
  });

  it("leaves alone what is typed, and the browser's own shortcuts", () => {
    expect(doneBy("", press("a", { typing: true }))).toBeUndefined();
    expect(doneBy("", press("a", { modified: true }))).toBeUndefined();
  });

  it("decides once, however long the key is held down", () => {
    expect(doneBy("", press("a", { repeat: true }))).toBeUndefined();
    expect(doneBy("", press("j", { repeat: true }))).toBe("j");
  });

  it("lets the innermost of two bindings count", () => {
    const inner = binding("a", { label: "inner" });
    expect(step("", press("a"), [...bindings, inner]).binding?.label).toBe("inner");
  });
});

describe("neighbour", () => {
  it("stops at the ends, and begins at the first", () => {
    expect(neighbour(["x", "y"], null, 1)).toBe("x");
    expect(neighbour(["x", "y"], "gone", -1)).toBe("x");
    expect(neighbour(["x", "y"], "x", 1)).toBe("y");
    expect(neighbour(["x", "y"], "y", 1)).toBe("y");
    expect(neighbour(["x", "y"], "x", -1)).toBe("x");
    expect(neighbour([], "x", 1)).toBeNull();
  });
});

describe("kept", () => {
  it("goes on to what followed when the chosen one has left", () => {
    expect(kept(["a", "b", "c"], ["a", "c"], "b")).toBe("c");
    expect(kept(["a", "b", "c"], ["a", "b"], "c")).toBe("b");
    expect(kept(["a", "b"], ["new", "b"], "a")).toBe("b");
    expect(kept(["a"], ["new"], "a")).toBe("new");
    expect(kept(["a"], [], "a")).toBeNull();
    expect(kept(["a", "b"], ["b", "a"], "a")).toBe("a");
  });
});
