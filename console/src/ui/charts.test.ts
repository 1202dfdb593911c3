import { describe, expect, it } from "vitest";
import { sparklinePath } from "./Sparkline.tsx";
import { stack } from "./stack.ts";

describe("stack", () => {
  it("puts each series on those before it", () => {
    expect(
      stack([
        [1, 2, 3],
        [10, 20, 30],
        [100, 200, 300],
      ]),
    ).toEqual([
      [1, 2, 3],
      [11, 22, 33],
      [111, 222, 333],
    ]);
  });

  it("lets a missing value add nothing", () => {
    expect(
      stack([
        [1, null],
        [null, 2],
      ]),
    ).toEqual([
      [1, 0],
      [1, 2],
    ]);
  });

  it("makes nothing of nothing", () => {
    expect(stack([])).toEqual([]);
  });
});

describe("sparklinePath", () => {
  it("goes from left to right with 0 at the bottom", () => {
    const path = sparklinePath([0, 10], 88, 26);
    expect(path).toMatch(/^M0\.0 26\.0 L88\.0 /);
  });

  it("draws no line through fewer than two points", () => {
    expect(sparklinePath([null, 4, null], 88, 26)).toBe("");
  });

  it("stays finite when all is 0", () => {
    expect(sparklinePath([0, 0, 0], 88, 26)).not.toContain("NaN");
  });
});
