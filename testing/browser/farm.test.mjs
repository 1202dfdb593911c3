// The farm's board in a real browser, against a running Lakemill (LAKEMILL_URL, logged in by the
// link in LAKEMILL_LOGIN), or else against the fixture with made-up data: it connects, numbers change, nothing complains, and pictures of
// it lie in target/screenshots (LAKEMILL_SCREENSHOTS).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { logIn, openPage, SIZES, screenshot, skip, startChromium } from "./chromium.mjs";
import { startFixture } from "./fixture/serve.mjs";

const PATIENCE = { timeout: 60_000 };
let chromium;
let server;
let storageState;

before(async () => {
  if (skip) {
    return;
  }
  server = process.env.LAKEMILL_URL
    ? { url: process.env.LAKEMILL_URL.replace(/\/$/, ""), close: () => {} }
    : await startFixture();
  const what = process.env.LAKEMILL_URL ? "Lakemill" : "the fixture, for want of LAKEMILL_URL,";
  console.log(`the browser looks at ${what} at ${server.url}`);
  chromium = await startChromium();
  if (process.env.LAKEMILL_LOGIN) {
    storageState = await logIn(chromium.browser, process.env.LAKEMILL_LOGIN);
  }
});

after(async () => {
  await chromium?.close();
  await server?.close();
});

const open = (test, options) =>
  openPage(test, chromium.browser, `${server.url}/apps/vertical-farm/`, {
    storageState,
    ...options,
  });

async function untilLive(page) {
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor(PATIENCE);
  await page.getByRole("heading", { name: "Supplier leaderboard" }).waitFor();
  await page.locator("tbody tr").first().waitFor(PATIENCE);
}

/** Waits until an element says something else than it does now. */
async function untilChanged(page, selector) {
  const earlier = await page.locator(selector).first().textContent();
  await page.waitForFunction(
    ([selector, earlier]) => document.querySelector(selector).textContent !== earlier,
    [selector, earlier],
    PATIENCE,
  );
}

test("the board connects and its numbers change", { skip }, async (test) => {
  const { page, complaints } = await open(test);
  await untilLive(page);
  await untilChanged(page, "main dl");
  await untilChanged(page, "main ol");
  assert.deepEqual(complaints, []);
});

test("the leaderboard ranks the suppliers of the SKU that is chosen", { skip }, async (test) => {
  const { page } = await open(test);
  await untilLive(page);
  const select = page.getByRole("combobox", { name: "SKU" });
  const skus = await select.locator("option").evaluateAll((all) => all.map((one) => one.value));
  assert.ok(skus.length >= 30, `${skus.length} SKUs`);
  await select.selectOption(skus.at(-1));
  assert.match(page.url(), new RegExp(`#sku=${skus.at(-1)}$`));
  const card = page.getByRole("region", { name: "Supplier leaderboard" });
  await card.locator("tbody tr, p").first().waitFor();
});

test("the console comes up beside it", {
  skip: skip || !process.env.LAKEMILL_URL,
}, async (test) => {
  const { page, complaints } = await openPage(test, chromium.browser, `${server.url}/`, {
    storageState,
  });
  await page.getByRole("heading", { name: "Pipeline farm" }).waitFor(PATIENCE);
  await page.getByText("stock_position").first().waitFor(PATIENCE);
  await screenshot(page, "console-of-a-node");
  assert.deepEqual(complaints, []);
});

for (const theme of ["light", "dark"]) {
  for (const [name, size] of Object.entries(SIZES)) {
    test(`the board fits a ${name} ${theme} screen`, { skip }, async (test) => {
      const { page, complaints } = await open(test, { theme, size });
      await untilLive(page);
      await page.locator("canvas").first().waitFor();
      // A few seconds' news, so that the sparklines have a shape.
      await page.waitForFunction(
        () => document.querySelectorAll("dl path").length >= 2,
        undefined,
        PATIENCE,
      );
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(width, size.width, "nothing sticks out at the side");
      await screenshot(page, `farm-${theme}-${name}`);
      assert.deepEqual(complaints, []);
    });
  }
}
