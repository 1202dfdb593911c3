import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "console/build/**/*.test.ts",
      "console/src/**/*.test.ts",
      "examples/vertical-farm/app/src/**/*.test.ts",
    ],
    env: { TZ: "Europe/Berlin" },
  },
});
