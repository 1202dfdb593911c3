import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin, UserConfig } from "vite";

/** What differs between the pages that are built here. */
export interface Page {
  /** The path that the page is served under; "./" lets it be hosted under any prefix. */
  base: string;
  /** The most that its scripts and styles may weigh together, each gzipped, in KB of 1,000 bytes. */
  budgetKb: number;
}

/**
 * The one build that Lakemill's pages share: React, Tailwind, hashed names, a licence file, and a
 * weight that is checked, because a page only grows heavy one small step at a time.
 *
 * `npm run dev` proxies the API to a running Lakemill, or to the fixture server when
 * LAKEMILL_URL names it.
 */
export function page({ base, budgetKb }: Page): UserConfig {
  const api = process.env.LAKEMILL_URL ?? "http://127.0.0.1:8080";
  return {
    base,
    publicDir: fileURLToPath(new URL("../public", import.meta.url)),
    plugins: [react(), tailwindcss(), budget(budgetKb)],
    // Everything that light-dark() needs: no older browser is promised.
    build: {
      target: ["chrome123", "firefox125", "safari17.5"],
      license: { fileName: "LICENSES.md" },
      // A data: URL would need an exception in the content security policy.
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      modulePreload: { polyfill: false },
    },
    server: { host: "127.0.0.1", proxy: { "/api": { target: api } } },
  };
}

function budget(limitKb: number): Plugin {
  return {
    name: "lakemill-budget",
    generateBundle(_options, bundle) {
      const bytes = Object.values(bundle)
        .filter((file) => /\.(js|css)$/.test(file.fileName))
        .map((file) => gzipSync(file.type === "chunk" ? file.code : file.source).length)
        .reduce((sum, size) => sum + size, 0);
      const kb = (bytes / 1000).toFixed(1);
      if (bytes > limitKb * 1000) {
        this.error(`scripts and styles weigh ${kb} KB gzipped, more than ${limitKb} KB`);
      }
      this.info(`scripts and styles weigh ${kb} KB gzipped of ${limitKb} KB`);
    },
  };
}
