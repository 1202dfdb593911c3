// What the pages do when things are not as they should be, against the fixture with made-up data.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPage, SIZES, screenshot, skip, startChromium } from "./chromium.mjs";
import { startFixture } from "./fixture/serve.mjs";

let chromium;

before(async () => {
  if (!skip) {
    chromium = await startChromium();
  }
});

after(() => chromium?.close());

/** A fixture for as long as the test runs. */
async function fixtureFor(test, options) {
  const fixture = await startFixture(options);
  test.after(() => fixture.close());
  return fixture;
}

const farmOf = (fixture) => `${fixture.url}/apps/vertical-farm/`;
const state = (page, text) => page.getByRole("status").filter({ hasText: text });

describe("the farm's board", { skip }, () => {
  test("says that it is stale when nothing comes any more", async (test) => {
    const fixture = await fixtureFor(test);
    const { page, complaints } = await openPage(test, chromium.browser, farmOf(fixture));
    await state(page, "Live").waitFor();
    fixture.pause();
    await state(page, "Stale").waitFor({ timeout: 15_000 });
    fixture.resume();
    await state(page, "Live").waitFor();
    assert.deepEqual(complaints, []);
  });

  test("comes back by itself after the connection was lost, and keeps its figures", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await openPage(test, chromium.browser, farmOf(fixture));
    await state(page, "Live").waitFor();
    await page.locator("tbody tr").first().waitFor();
    fixture.refuse("no synced table serving.stock_position");
    await state(page, "Reconnecting").waitFor();
    await page.getByText("no synced table serving.stock_position").waitFor();
    assert.ok((await page.locator("tbody tr").count()) > 10);
    fixture.refuse(null);
    await state(page, "Live").waitFor({ timeout: 20_000 });
  });

  test("tells why nothing comes when the pipeline has failed", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await openPage(test, chromium.browser, farmOf(fixture));
    await state(page, "Live").waitFor();
    fixture.fail("farm.silver.demand_events: no column x");
    await state(page, "Stale").waitFor({ timeout: 15_000 });
    await page.getByText("pipeline farm: farm.silver.demand_events: no column x").waitFor();
  });

  test("explains its empty places", async (test) => {
    const fixture = await fixtureFor(test, { empty: true });
    const { page, complaints } = await openPage(test, chromium.browser, farmOf(fixture));
    for (const words of ["No quotes yet", "No stock yet", "No demand yet", "No input prices yet"]) {
      await page.getByText(words).waitFor();
    }
    await screenshot(page, "farm-empty");
    assert.deepEqual(complaints, []);
  });

  test("can be used by keyboard alone", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await openPage(test, chromium.browser, farmOf(fixture));
    await page
      .getByRole("button", { name: /^Show all \d+ SKUs$/ })
      .first()
      .waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focusedText(page), "Skip to the content");
    await page.keyboard.press("Enter");
    const seen = new Set();
    for (let press = 0; press < 60; press++) {
      await page.keyboard.press("Tab");
      seen.add(await focusedText(page));
    }
    assert.ok(seen.has("About: Supplier leaderboard"), "the explanations");
    assert.ok(seen.has("SKU"), "the choice of the SKU");
    assert.ok(
      [...seen].some((text) => /^Show all \d+ SKUs$/.test(text)),
      "the rest of the stock",
    );
    await page.getByRole("button", { name: "About: Freshness" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("From the moment an event was acknowledged").waitFor();
    await page.keyboard.press("Escape");
    await page.waitForFunction(
      () => document.activeElement.getAttribute("aria-label") === "About: Freshness",
    );
  });

  test("remembers the theme that was chosen", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await openPage(test, chromium.browser, farmOf(fixture));
    const background = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await background();
    await page.getByRole("radio", { name: "Dark" }).click();
    const dark = await background();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await background(), dark);
    await page.getByRole("radio", { name: "As the system" }).click();
    assert.equal(await background(), light);
  });

  test("moves nothing for a reader who wants no motion", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await openPage(test, chromium.browser, farmOf(fixture), {
      reducedMotion: "reduce",
    });
    await page.locator(".flash[data-turn]").first().waitFor();
    const moving = await page.evaluate(() => document.getAnimations().length);
    assert.equal(moving, 0);
  });
});

describe("the console", { skip }, () => {
  for (const theme of ["light", "dark"]) {
    for (const [name, size] of Object.entries(SIZES)) {
      test(`fits a ${name} ${theme} screen`, async (test) => {
        const fixture = await fixtureFor(test);
        const { page, complaints } = await openPage(test, chromium.browser, fixture.url, {
          theme,
          size,
        });
        await state(page, "Ready").waitFor();
        await page.getByRole("heading", { name: "Pipeline farm" }).waitFor();
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(width, size.width, "nothing sticks out at the side");
        await screenshot(page, `console-${theme}-${name}`);
        assert.deepEqual(complaints, []);
      });
    }
  }

  test("keeps the chosen layer in its address", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await openPage(test, chromium.browser, fixture.url);
    await page.getByRole("radio", { name: "Gold" }).click();
    await page.waitForURL("**/?layer=gold");
    assert.equal(await page.getByText("farm.bronze.").count(), 0);
    await page.reload();
    await page.getByText("stock_position").first().waitFor();
    assert.equal(await page.getByText("farm.bronze.").count(), 0);
  });

  test("says so when the server goes away, and keeps what it knew", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await openPage(test, chromium.browser, fixture.url);
    await state(page, "Ready").waitFor();
    await fixture.close();
    await state(page, "No answer").waitFor();
    await page.getByText("below is what was last known").waitFor();
    assert.ok((await page.locator("tbody tr").count()) > 10);
  });
});

/** What a reader of the focused element hears or sees first. */
function focusedText(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    return element.getAttribute("aria-label") ?? element.textContent.trim();
  });
}
