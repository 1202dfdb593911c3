// The farm's app in a real browser, against a running Lakemill (LAKEMILL_URL, logged in by the link
// in LAKEMILL_LOGIN; the app at LAKEMILL_FARM_URL, or else at its own host of the node), or else
// against the fixture with made-up data: it connects, numbers change, every page fits every screen
// and is accessible, nothing complains, and pictures of it lie in target/screenshots
// (LAKEMILL_SCREENSHOTS).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { faults } from "./accessible.mjs";
import { logIn, openPage, SIZES, screenshot, skip, startChromium } from "./chromium.mjs";
import { startFixture } from "./fixture/serve.mjs";

const PATIENCE = { timeout: 60_000 };
const PAGES = {
  overview: "/",
  recommendations: "/recommendations",
  suppliers: "/suppliers",
  negotiations: "/negotiations",
  orders: "/orders",
  variances: "/variances",
  budget: "/budget",
};
let chromium;
let server;
let storageState;

before(async () => {
  if (skip) {
    return;
  }
  server = process.env.LAKEMILL_URL ? lakemill() : await startFixture();
  const what = process.env.LAKEMILL_URL ? "Lakemill" : "the fixture, for want of LAKEMILL_URL,";
  console.log(`the browser looks at ${what} at ${server.farm}`);
  chromium = await startChromium();
  if (process.env.LAKEMILL_LOGIN) {
    storageState = await logIn(chromium.browser, process.env.LAKEMILL_LOGIN);
  }
});

after(async () => {
  await chromium?.close();
  await server?.close();
});

function lakemill() {
  const url = process.env.LAKEMILL_URL.replace(/\/$/, "");
  const { protocol, port } = new URL(url);
  const own = `${protocol}//vertical-farm.localhost:${port}`;
  return { url, farm: process.env.LAKEMILL_FARM_URL ?? own, close: () => {} };
}

const open = (test, path, options) =>
  openPage(test, chromium.browser, `${server.farm}${path}`, { storageState, ...options });

async function untilLive(page) {
  await page.getByRole("status").filter({ hasText: "Live" }).waitFor(PATIENCE);
  await page
    .locator("main .skeleton")
    .first()
    .waitFor({ state: "detached", ...PATIENCE });
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

test("the overview connects and its numbers change", { skip }, async (test) => {
  const { page, complaints } = await open(test, "/");
  await untilLive(page);
  await untilChanged(page, "main dl");
  await untilChanged(page, "main [data-event-id]");
  assert.deepEqual(complaints, []);
});

test("the page says which batch and which event it shows", { skip }, async (test) => {
  const { page } = await open(test, "/");
  await untilLive(page);
  const shown = () =>
    page.evaluate(() => JSON.parse(document.querySelector("main").dataset.batches));
  const first = (await shown())["serving.live_quotes"];
  assert.ok(first > 0, `batch ${first}`);
  await page.waitForFunction(
    (first) =>
      JSON.parse(document.querySelector("main").dataset.batches)["serving.live_quotes"] > first,
    first,
    PATIENCE,
  );
  assert.match(
    await page.locator("[data-table='serving.live_quotes']").first().getAttribute("data-event-id"),
    /^q-/,
  );
});

test("the leaderboard ranks the suppliers of the SKU that is chosen", { skip }, async (test) => {
  const { page } = await open(test, "/");
  await untilLive(page);
  const select = page.getByRole("combobox", { name: "SKU" });
  const skus = await select.locator("option").evaluateAll((all) => all.map((one) => one.value));
  assert.ok(skus.length >= 30, `${skus.length} SKUs`);
  await select.selectOption(skus.at(-1));
  await page.waitForURL(`**/?sku=${skus.at(-1)}`);
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

for (const [name, path] of Object.entries(PAGES)) {
  for (const theme of ["light", "dark"]) {
    for (const [width, size] of Object.entries(SIZES)) {
      test(`${name} fits a ${width} ${theme} screen, and everybody can use it`, {
        skip,
      }, async (test) => {
        const { page, complaints } = await open(test, path, { theme, size });
        await untilLive(page);
        await screenshot(page, `farm-${name}-${theme}-${width}`);
        const drawn = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(drawn, size.width, "nothing sticks out at the side");
        assert.deepEqual(await faults(page), []);
        assert.deepEqual(complaints, []);
      });
    }
  }
}

test("grows on a wall screen", { skip }, async (test) => {
  const size = { width: 2560, height: 1440 };
  const { page } = await open(test, "/", { size });
  await untilLive(page);
  await screenshot(page, "farm-overview-light-wall");
  const shown = await page.locator("main").evaluate((main) => main.getBoundingClientRect().width);
  const text = await page.evaluate(() =>
    Number.parseFloat(getComputedStyle(document.body).fontSize),
  );
  assert.ok(shown > 2_300, `${shown} of 2560 pixels are used`);
  assert.ok(text > 20, `text of ${text} pixels`);
});
