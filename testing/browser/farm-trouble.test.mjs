// What the farm's app does when things are not as they should be, against the fixture with made-up
// data: nothing is there, nothing comes, the backend refuses.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPage, screenshot, skip, startChromium } from "./chromium.mjs";
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

const open = (test, fixture, path = "/", options = {}) =>
  openPage(test, chromium.browser, `${fixture.farm}${path}`, options);
const state = (page, text) => page.getByRole("status").filter({ hasText: text });

describe("the farm's app", { skip }, () => {
  test("says that it is stale when nothing comes any more", async (test) => {
    const fixture = await fixtureFor(test);
    const { page, complaints } = await open(test, fixture);
    await state(page, "Live").waitFor();
    fixture.pause();
    await state(page, "Stale").waitFor({ timeout: 60_000 });
    await page
      .getByRole("button", { name: /^Freshness: \d+ s old$/ })
      .first()
      .waitFor();
    fixture.resume();
    await state(page, "Live").waitFor();
    assert.deepEqual(complaints, []);
  });

  test("comes back by itself after the connection was lost, and keeps its figures", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await open(test, fixture);
    await state(page, "Live").waitFor();
    await page.locator("tbody tr").first().waitFor();
    fixture.refuse("no synced table serving.stock_position");
    await state(page, "Reconnecting").waitFor();
    await page.getByText("no synced table serving.stock_position").waitFor();
    assert.ok((await page.locator("tbody tr").count()) > 10);
    fixture.refuse(null);
    await state(page, "Live").waitFor({ timeout: 60_000 });
  });

  test("tells why nothing comes when the backend knows", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await open(test, fixture);
    await state(page, "Live").waitFor();
    fixture.fail("Postgres does not answer");
    await state(page, "Stale").waitFor({ timeout: 60_000 });
    await page.getByText("Postgres does not answer").waitFor();
  });

  for (const [path, words] of [
    [
      "/",
      ["No quotes yet", "No stock yet", "No demand yet", "No input prices yet", "No budget yet"],
    ],
    ["/", ["Nothing needs to be bought", "Nothing waits for you"]],
    ["/recommendations", ["Nothing needs to be bought"]],
    ["/suppliers", ["No stock yet", "No quotes yet"]],
    ["/negotiations", ["Nothing waits for you"]],
    ["/orders", ["Nothing was ordered yet"]],
    ["/variances", ["No open variance"]],
    ["/budget", ["No budget yet"]],
  ]) {
    test(`explains its empty places at ${path}: ${words[0]}`, async (test) => {
      const fixture = await fixtureFor(test, { empty: true });
      const { page, complaints } = await open(test, fixture, path);
      for (const sentence of words) {
        await page.getByText(sentence).first().waitFor();
      }
      await screenshot(page, `farm-empty${path.replace("/", "-")}`);
      assert.deepEqual(complaints, []);
    });
  }

  test("tells what was refused, and tries again when told to", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await open(test, fixture, "/recommendations");
    await page
      .getByRole("button", { name: /^Request / })
      .first()
      .waitFor();
    fixture.breakApi("the database is read-only for a moment");
    await page
      .getByRole("button", { name: /^Request / })
      .first()
      .click();
    const decisions = page.getByRole("region", { name: "Decisions" });
    await decisions.getByText("the database is read-only for a moment").waitFor();
    await screenshot(page, "farm-refused");
    fixture.breakApi(null);
    await decisions.getByRole("button", { name: "Try again" }).click();
    await decisions.getByText("Done").waitFor();
    assert.equal(fixture.requests.length, 1);
  });

  test("tells that something was decided by somebody else", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await open(test, fixture, "/negotiations");
    await page.getByRole("button", { name: "Accept" }).waitFor();
    fixture.pause();
    fixture.procurement.inbox.length = 0;
    await page.keyboard.press("a");
    await page
      .getByRole("region", { name: "Decisions" })
      .getByText("this was decided already Look at Under way.")
      .waitFor({ timeout: 60_000 });
  });

  test("lets people who may only look do nothing, and says so", async (test) => {
    const fixture = await fixtureFor(test, { canDecide: false });
    const { page } = await open(test, fixture, "/negotiations");
    await page.getByText("You may look, but not decide.").waitFor();
    assert.ok(await page.getByRole("button", { name: "Accept" }).isDisabled());
    await page.keyboard.press("a");
    await page.keyboard.press("e");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await page.goto(`${fixture.farm}/recommendations`);
    const request = page.getByRole("button", { name: /^Request / }).first();
    await request.waitFor();
    assert.ok(await request.isDisabled());
    assert.deepEqual(fixture.requests, []);
  });

  test("tells that a trace could not be fetched, and fetches it again", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await open(test, fixture, "/trace/rfq/none");
    await page.getByText("no rfq none").waitFor();
    fixture.breakApi("Postgres does not answer");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Postgres does not answer").waitFor();
    await screenshot(page, "farm-trace-refused");
  });

  test("knows that there is no such page", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await open(test, fixture, "/nowhere");
    await page.getByText("There is no such page.").waitFor();
    await page.getByRole("link", { name: "To the overview" }).click();
    await page.getByRole("heading", { name: "What to buy now" }).waitFor();
  });

  test("remembers the theme that was chosen", async (test) => {
    const fixture = await fixtureFor(test);
    const { page } = await open(test, fixture);
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
    const { page } = await open(test, fixture, "/", { reducedMotion: "reduce" });
    await page.locator(".flash[data-turn]").first().waitFor();
    const moving = await page.evaluate(() => document.getAnimations().length);
    assert.equal(moving, 0);
  });
});
