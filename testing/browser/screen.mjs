// How long a quote takes to a screen: opens the farm's app as a person does, and tells, one JSON
// object a line, which offer is on the screen, and when a later one of it is. A marked quote has an
// event id q-screen-N. It is seen once the frame that has it was painted: an observer notices the
// change, and the frame's own task after painting reads the clock, which is the machine's.
//
//   node testing/browser/screen.mjs LOGIN_LINK APP_URL        until standard input ends

import { logIn, SIZES, skip, startChromium } from "./chromium.mjs";

const PATIENCE_MS = 60_000;
const PAGE = process.env.LAKEMILL_PAGE ?? "/suppliers";

function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** In the page: the quote of an offer that is shown, found by what the page itself is told. */
function shownQuote() {
  return new Promise((resolve, reject) => {
    const source = new EventSource("/api/live?table=serving.live_quotes");
    const late = setTimeout(() => {
      source.close();
      reject(new Error("no quote on the screen is one that is live"));
    }, 30_000);
    source.addEventListener("table", ({ data }) => {
      const { columns, rows } = JSON.parse(data);
      const quotes = rows.map((row) => Object.fromEntries(columns.map((c, i) => [c, row[i]])));
      const shown = document.querySelectorAll("[data-event-id]");
      for (const { dataset } of shown) {
        const quote = quotes.find(({ event_id }) => event_id === dataset.eventId);
        if (quote !== undefined) {
          clearTimeout(late);
          source.close();
          resolve(quote);
          return;
        }
      }
    });
  });
}

/** In the page: calls `lakemillSeen` for each marked quote, once it is painted. */
function watch() {
  const seen = new Set();
  const afterPaint = (task) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = task;
      port2.postMessage(null);
    });
  const look = () => {
    for (const { dataset } of document.querySelectorAll('[data-event-id^="q-screen-"]')) {
      const id = dataset.eventId;
      if (!seen.has(id)) {
        seen.add(id);
        afterPaint(() => window.lakemillSeen(id, performance.timeOrigin + performance.now()));
      }
    }
  };
  new MutationObserver(look).observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ["data-event-id"],
  });
  look();
}

/** In the page: milliseconds to the first paint that has content, and KB of scripts and styles. */
function weights() {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const files = performance
    .getEntriesByType("resource")
    .filter(({ name }) => /\.(js|css)(\?|$)/.test(new URL(name).pathname));
  return {
    first_contentful_paint_ms: paint?.startTime ?? null,
    bundle_gz_kb: files.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1024,
  };
}

async function main(link, url) {
  if (skip) {
    throw new Error(skip);
  }
  const chromium = await startChromium();
  try {
    const storageState = await logIn(chromium.browser, link);
    const context = await chromium.browser.newContext({ storageState, viewport: SIZES.wide });
    const page = await context.newPage();
    await page.goto(url.replace(/\/$/, "") + PAGE, { waitUntil: "load", timeout: PATIENCE_MS });
    const shown = page.locator("[data-event-id]").first();
    await shown.waitFor({ state: "attached", timeout: PATIENCE_MS });
    const quote = await page.evaluate(shownQuote);
    await page.exposeFunction("lakemillSeen", (event_id, at_ms) =>
      tell({ type: "seen", event_id, at_ms }),
    );
    await page.evaluate(watch);
    tell({ type: "ready", quote, ...(await page.evaluate(weights)) });
    await new Promise((resolve) => {
      process.stdin.on("end", resolve).on("error", resolve).resume();
    });
  } finally {
    await chromium.close();
  }
}

try {
  await main(process.argv[2], process.argv[3]);
} catch (e) {
  tell({ type: "problem", message: String(e.message).split("\n")[0] });
  process.exitCode = 1;
}
