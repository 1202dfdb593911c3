import { describe, expect, it } from "vitest";
import { actionOf } from "./keys.ts";

function press(key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return { key, target: null, ...more } as KeyboardEvent;
}

describe("actionOf", () => {
  const keys = { a: () => {} };

  it("is what the key does, and nothing for another key or one of the browser's", () => {
    expect(actionOf(press("a"), keys, false)).toBe(keys.a);
    expect(actionOf(press("b"), keys, false)).toBeUndefined();
    expect(actionOf(press("a", { ctrlKey: true }), keys, false)).toBeUndefined();
  });

  it("happens once for a key that is held down, unless it may repeat", () => {
    const held = press("a", { repeat: true });
    expect(actionOf(held, keys, false)).toBeUndefined();
    expect(actionOf(held, keys, true)).toBe(keys.a);
  });
});
