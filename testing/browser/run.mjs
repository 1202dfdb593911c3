// Runs the browser tests; where there is no Chromium, one line says that they are skipped.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { skip } from "./chromium.mjs";

if (skip) {
  console.log(`browser tests skipped: ${skip}`);
} else {
  const names = ["farm.test.mjs", "farm-work.test.mjs", "farm-trouble.test.mjs", "pages.test.mjs"];
  const tests = names.map((name) => fileURLToPath(new URL(name, import.meta.url)));
  // One after the other: they look at what moves, and two browsers at once would starve each other.
  const { status } = spawnSync(
    process.execPath,
    ["--test", "--test-concurrency=1", "--test-reporter=spec", ...tests],
    { stdio: "inherit" },
  );
  process.exitCode = status ?? 1;
}
