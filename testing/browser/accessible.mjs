// What HTML_CodeSniffer finds against WCAG 2.1 AA on a page.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const SOURCE = readFileSync(
  createRequire(import.meta.url).resolve("html_codesniffer/build/HTMLCS.js"),
  "utf8",
);

/** Each fault in a line: the rule, what is wrong, and where. */
export async function faults(page) {
  // The page's policy forbids foreign scripts; what the debugger evaluates is not asked for it.
  await page.evaluate(SOURCE);
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const { HTMLCS } = window;
        HTMLCS.process("WCAG2AA", document, () =>
          resolve(
            HTMLCS.getMessages()
              .filter(({ type }) => type === HTMLCS.ERROR)
              .map(({ code, msg, element }) => `${code}: ${msg} at ${element.outerHTML}`),
          ),
        );
      }),
  );
}
