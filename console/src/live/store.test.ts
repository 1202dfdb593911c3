import { expect, it } from "vitest";
import { LiveStore } from "./store.ts";

function store() {
  const frames: (() => void)[] = [];
  return { frames, store: new LiveStore((task) => frames.push(task)) };
}

it("tells the news of one frame once", () => {
  const { frames, store: live } = store();
  let told = 0;
  live.subscribe(() => told++);
  live.dispatch({ type: "opened", atMillis: 1 });
  live.dispatch({ type: "opened", atMillis: 2 });
  expect(told).toBe(0);
  expect(frames).toHaveLength(1);
  frames[0]!();
  expect(told).toBe(1);
  expect(live.state().lastEventMillis).toBe(2);
  live.dispatch({ type: "opened", atMillis: 3 });
  expect(frames).toHaveLength(2);
});

it("asks for no frame when nothing changed", () => {
  const { frames, store: live } = store();
  live.dispatch({ type: "tick", atMillis: 1 });
  expect(frames).toHaveLength(0);
});

it("forgets a listener that left", () => {
  const { frames, store: live } = store();
  let told = 0;
  live.subscribe(() => told++)();
  live.dispatch({ type: "opened", atMillis: 1 });
  frames[0]!();
  expect(told).toBe(0);
});
