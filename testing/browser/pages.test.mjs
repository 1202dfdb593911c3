// The console's page, against the fixture with made-up data.

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

const state = (page, text) => page.getByRole("status").filter({ hasText: text });

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
