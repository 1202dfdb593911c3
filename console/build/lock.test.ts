import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Entry {
  readonly link?: boolean;
  /** It comes inside the package that needs it, under that package's hash. */
  readonly inBundle?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(
  readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"),
) as { packages: Record<string, Entry> };
const entries = Object.entries(lock.packages);
const installed = entries.filter(([path]) => path.includes("node_modules/"));

it("names no registry in the lock file", () => {
  const hosts = installed.map(([, entry]) => entry.resolved ?? "").filter((at) => /^\w+:/.test(at));
  expect(hosts).toEqual([]);
});

it("holds a hash of every package", () => {
  const unhashed = installed.filter(
    ([, entry]) => !entry.link && !entry.inBundle && !entry.integrity,
  );
  expect(unhashed.map(([path]) => path)).toEqual([]);
});

// A registry that lacks a package for another platform leaves it out of the lock file without a
// word, and then `npm ci` fails wherever it is not lacking.
it("knows every package of every platform", () => {
  const names = new Set(installed.map(([path]) => path.split("node_modules/").at(-1)));
  const missing = entries.flatMap(([, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).filter(
      (name) => !names.has(name),
    ),
  );
  expect(missing).toEqual([]);
});
