// What people do with the farm's app, against the fixture with made-up data: they ask, decide, take
// back and look where numbers come from, by keyboard alone; and text from elsewhere does nothing.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { faults } from "./accessible.mjs";
import { openPage, SIZES, screenshot, skip, startChromium } from "./chromium.mjs";
import { startFixture } from "./fixture/serve.mjs";

let chromium;

before(async () => {
  if (!skip) {
    chromium = await startChromium();
  }
});

after(() => chromium?.close());

/** A fixture and a page of it for as long as the test runs. */
async function opened(test, path, { fixture: options, ...rest } = {}) {
  const fixture = await startFixture(options);
  test.after(() => fixture.close());
  const page = await openPage(test, chromium.browser, `${fixture.farm}${path}`, rest);
  await page.page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  await page.page.locator("main .skeleton").first().waitFor({ state: "detached" });
  return { fixture, ...page };
}

const decisions = (page) => page.getByRole("region", { name: "Decisions" });
const rows = (page, name) => page.getByRole("list", { name }).getByRole("button");
const chosen = (page) => page.locator("[aria-current=true][id^=row]");

/** Waits until the backend has been asked for so many writes. */
async function written(fixture, count) {
  for (let wait = 0; wait < 1_200 && fixture.requests.length < count; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(fixture.requests.length, count);
}

describe("by keyboard", { skip }, () => {
  test("every page is two keys away, and the keys are told", async (test) => {
    const { page, complaints } = await opened(test, "/");
    for (const [key, path] of [
      ["r", "/recommendations"],
      ["s", "/suppliers"],
      ["n", "/negotiations"],
      ["p", "/orders"],
      ["v", "/variances"],
      ["b", "/budget"],
      ["o", "/"],
    ]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.waitForURL((url) => url.pathname === path);
      assert.equal(await page.evaluate(() => document.activeElement.id), "content");
    }
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.getByText("Negotiations").waitFor();
    assert.deepEqual(await faults(page), []);
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    assert.equal(new URL(page.url()).pathname, "/", "no key acts behind a dialog");
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    assert.deepEqual(complaints, []);
  });

  test("j and k choose, / filters, and what is typed decides nothing", async (test) => {
    const { page, fixture } = await opened(test, "/negotiations");
    const names = () => rows(page, "Negotiations").allTextContents();
    const all = await names();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    assert.equal(await chosen(page).textContent(), all[2]);
    assert.equal(await page.evaluate(() => document.activeElement.ariaCurrent), "true");
    await page.keyboard.press("k");
    assert.equal(await chosen(page).textContent(), all[1]);
    await page.keyboard.press("/");
    await page.keyboard.type("xaj");
    await page.getByText("Nothing matches").waitFor();
    await page.keyboard.press("Escape");
    assert.equal((await names()).length, all.length);
    assert.deepEqual(fixture.requests, []);
  });

  test("a draft is accepted, and can be taken back until it is sent", async (test) => {
    const { page, fixture } = await opened(test, "/negotiations");
    await page.keyboard.press("j");
    const before = await rows(page, "Negotiations").count();
    await page.keyboard.press("a");
    await decisions(page).getByRole("button", { name: "Undo" }).waitFor();
    await page.keyboard.press("a");
    assert.equal(await decisions(page).getByRole("button", { name: "Undo" }).count(), 1);
    await page.keyboard.press("z");
    await decisions(page).getByRole("button", { name: "Undo" }).waitFor({ state: "detached" });
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    assert.deepEqual(fixture.requests, [], "what was taken back is never sent");
    await page.keyboard.press("a");
    await screenshot(page, "farm-negotiations-undo");
    assert.deepEqual(await faults(page), []);
    await written(fixture, 1);
    assert.deepEqual(fixture.requests[0].body, { decision: "accept" });
    await page.waitForFunction(
      (before) => document.querySelectorAll("ul[aria-label=Negotiations] li").length < before,
      before,
    );
    assert.equal(await chosen(page).count(), 1, "the next one is chosen");
  });

  test("what was taken back by Enter holds up nothing that is decided later", async (test) => {
    const { page, fixture } = await opened(test, "/negotiations");
    const undo = decisions(page).getByRole("button", { name: "Undo" });
    await chosen(page).waitFor();
    await page.keyboard.press("a");
    await undo.focus();
    await page.keyboard.press("Enter");
    await undo.waitFor({ state: "detached" });
    // One of two is taken back: the other one waits no longer either.
    await page.keyboard.press("a");
    await page.keyboard.press("j");
    await page.keyboard.press("a");
    await undo.nth(1).focus();
    await decisions(page).getByText("waits while you look here").first().waitFor();
    await page.keyboard.press("Enter");
    await written(fixture, 1);
    assert.deepEqual(fixture.requests[0].body, { decision: "accept" });
  });

  test("a draft is edited, answered, handed on and ignored", async (test) => {
    const { page, fixture } = await opened(test, "/negotiations");
    const draft = rows(page, "Negotiations").filter({ hasText: "Draft to approve" });
    const inbox = () =>
      page
        .evaluate(() => JSON.parse(document.querySelector("main").dataset.batches))
        .then((batches) => batches["procurement.inbox"]);
    let seen;
    const choose = async () => {
      seen = await inbox();
      await draft.first().click();
    };
    // Until the page shows the inbox without it: what is clicked before is what was decided.
    const decided = async (count) => {
      await written(fixture, count);
      await page.getByText("Being decided").waitFor({ state: "detached" });
      while ((await inbox()) <= seen) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await choose();
    await page.keyboard.press("e");
    const dialog = page.getByRole("dialog", { name: "Edit the e-mail" });
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
    await screenshot(page, "farm-negotiations-edit");
    assert.deepEqual(await faults(page), []);
    await dialog.getByLabel("Subject").fill("Seed, please");
    await dialog.getByLabel("Text").fill("Dear all");
    await page.keyboard.press("Control+Enter");
    await decided(1);
    const args = { subject: "Seed, please", body: "Dear all" };
    assert.deepEqual(fixture.requests[0].body, { decision: "edit", args });

    await choose();
    await page.keyboard.press("d");
    await page.getByLabel("User or group").fill("grace@example.org");
    await page.keyboard.press("Enter");
    await decided(2);
    assert.deepEqual(fixture.requests[1].body, { decision: "delegate", to: "grace@example.org" });

    await choose();
    await page.keyboard.press("r");
    await page.getByLabel("Your words").fill("ask for less");
    await page.keyboard.press("Control+Enter");
    await decided(3);
    assert.deepEqual(fixture.requests[2].body, { decision: "respond", text: "ask for less" });

    await rows(page, "Negotiations").filter({ hasText: "Counter-offer" }).click();
    await page.keyboard.press("e");
    assert.equal(await page.getByRole("dialog").count(), 0, "a price is not edited");
    await page.keyboard.press("x");
    await written(fixture, 4);
    assert.deepEqual(fixture.requests[3].body, { decision: "ignore" });
  });

  test("what is decided is sent also when the page is left at once", async (test) => {
    const { page, fixture } = await opened(test, "/negotiations");
    await page.keyboard.press("a");
    await decisions(page).getByRole("button", { name: "Undo" }).waitFor();
    await page.goto("about:blank");
    await written(fixture, 1);
  });

  test("single keys can be turned off, and stay off", async (test) => {
    const { page } = await opened(test, "/");
    await page.keyboard.press("?");
    await page.getByRole("checkbox").uncheck();
    await page.keyboard.press("Escape");
    await page.reload();
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await page.keyboard.press("?");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await page.getByRole("button", { name: "Keys" }).click();
    await page.getByRole("checkbox").check();
  });

  test("everything can be reached by Tab, the content first", async (test) => {
    const { page } = await opened(test, "/");
    await page.keyboard.press("Tab");
    assert.equal(await focusedText(page), "Skip to the content");
    await page.keyboard.press("Enter");
    const seen = new Set();
    for (let press = 0; press < 110; press++) {
      await page.keyboard.press("Tab");
      seen.add(await focusedText(page));
    }
    assert.ok(seen.has("About: Supplier leaderboard"), "the explanations");
    assert.ok(seen.has("SKU"), "the choice of the SKU");
    assert.ok(
      [...seen].some((text) => text.startsWith("Where does this come from:")),
      "the traces",
    );
    assert.ok(
      [...seen].some((text) => text.startsWith("Freshness:")),
      "the freshness",
    );
  });
});

describe("buying", { skip }, () => {
  test("one press asks for a quotation, and the draft comes to be approved", async (test) => {
    const { page, fixture } = await opened(test, "/recommendations");
    const list = page.getByRole("list", { name: "Recommendations" });
    const button = page.getByRole("button", { name: /^Request / });
    const row = list.getByRole("listitem").filter({ has: button }).first();
    const name = await row.getByRole("button").first().textContent();
    await row.getByRole("button", { name: /^Request / }).click();
    await written(fixture, 1);
    const { sku, supplier_id, grams } = fixture.requests[0].body;
    assert.ok(sku && supplier_id && grams > 0, JSON.stringify(fixture.requests[0].body));
    const itsRow = list.getByRole("listitem").filter({ hasText: name }).first();
    await itsRow.getByRole("link", { name: "In approval" }).click();
    await page.getByRole("heading", { name: new RegExp(`^${name} from `) }).waitFor();
    await page.getByRole("button", { name: /^Accept/ }).waitFor();
  });

  test("another supplier and another amount can be asked for", async (test) => {
    const { page, fixture } = await opened(test, "/suppliers?sku=broccoli");
    const offer = page.getByRole("list", { name: "Offers, the best first" }).locator("> li").nth(1);
    await offer.getByRole("button", { name: /^Request/ }).click();
    const dialog = page.getByRole("dialog", { name: "Request Broccoli" });
    await dialog.getByLabel("Kilograms").fill("0.001");
    assert.ok(await dialog.getByRole("button", { name: "Request" }).isDisabled());
    await dialog.getByLabel("Kilograms").fill("25,5");
    await dialog.getByRole("button", { name: "Request" }).click();
    await written(fixture, 1);
    assert.equal(fixture.requests[0].body.grams, 25_500);
    assert.ok(await offer.getByRole("button", { name: /^Request/ }).isDisabled());
  });

  test("the prices of a day are drawn for each supplier who offers", async (test) => {
    const { page } = await opened(test, "/suppliers?sku=broccoli");
    const all = page.getByRole("list", { name: "Offers, the best first" }).locator("> li");
    const offers = Math.min(6, await all.count());
    const history = page.getByRole("region", { name: "Prices of 24 hours" });
    await history
      .getByRole("img", { name: new RegExp(`^Prices of ${offers} suppliers`) })
      .or(history.locator("canvas"))
      .first()
      .waitFor();
    await history
      .getByText(/EUR\/kg/)
      .nth(offers)
      .waitFor({ state: "attached" });
  });

  test("a variance is disputed with a note", async (test) => {
    const { page, fixture } = await opened(test, "/variances");
    const disputed = page.getByRole("button", { name: /^Disputed/ });
    const before = Number((await disputed.textContent()).replace(/\D/g, ""));
    await page.getByLabel("A note for the record").fill("weighed twice");
    await page.keyboard.press("Tab");
    await page.keyboard.press("d");
    await written(fixture, 1);
    const { from, to, note } = fixture.requests[0].body;
    assert.deepEqual({ from, to, note }, { from: "open", to: "disputed", note: "weighed twice" });
    await page.getByRole("button", { name: `Disputed ${before + 1}` }).waitFor();
  });

  test("every number leads back to where it began", async (test) => {
    const { page, complaints } = await opened(test, "/suppliers?sku=broccoli");
    await page
      .getByRole("link", { name: /^Where does this come from: the price/ })
      .first()
      .click();
    await page.waitForURL("**/trace/quote/broccoli/sup-*");
    await page.getByText("farm.silver.supplier_quotes event_id").waitFor();
    await page.getByRole("link", { name: /^Trace stock/ }).click();
    await page.waitForURL("**/trace/stock/broccoli");
    await page.reload();
    await page.getByRole("list", { name: "Steps, the oldest first" }).waitFor();
    await screenshot(page, "farm-trace");
    assert.deepEqual(await faults(page), []);
    await page.keyboard.press("u");
    await page.waitForURL("**/trace/quote/broccoli/sup-*");
    assert.deepEqual(complaints, []);
  });

  test("what agents did stands in the trace of a request", async (test) => {
    const { fixture } = await opened(test, "/");
    const { rfq_id } = fixture.procurement.emails.find(({ sent_at }) => sent_at);
    for (const [theme, width] of [
      ["light", "wide"],
      ["dark", "narrow"],
    ]) {
      const url = `${fixture.farm}/trace/rfq/${rfq_id}`;
      const shown = await openPage(test, chromium.browser, url, { size: SIZES[width], theme });
      await shown.page.getByText("lakemill.agent_steps run 0193 step 1").waitFor();
      await screenshot(shown.page, `farm-trace-rfq-${theme}-${width}`);
      assert.deepEqual(await faults(shown.page), []);
      assert.deepEqual(shown.complaints, []);
    }
  });

  test("on a phone a list leads to its detail and back", async (test) => {
    const { page } = await opened(test, "/orders", { size: SIZES.narrow });
    assert.equal(await page.getByRole("button", { name: "Back to the list" }).isVisible(), false);
    await rows(page, "Orders").nth(2).click();
    await page.getByRole("heading", { name: /^PO-/ }).waitFor();
    await screenshot(page, "farm-orders-detail-light-narrow");
    assert.deepEqual(await faults(page), []);
    await page.goBack();
    await rows(page, "Orders").first().waitFor();
  });

  test("the books balance", async (test) => {
    const { page } = await opened(test, "/budget");
    const books = page.getByRole("region", { name: "Books" });
    await books.getByText("Balanced").waitFor();
    const { postings, entries, budgets } = (await opened(test, "/budget")).fixture.procurement;
    assert.ok(
      postings.length > 10 && entries.length === 2 * postings.length && budgets.length === 1,
    );
  });

  test("sums are of all postings, also of those that are not shown", async (test) => {
    const { page, fixture } = await opened(test, "/budget");
    const figure = page.locator("dl > div").filter({ hasText: "owed to suppliers" });
    const before = (await figure.locator("dd").first().textContent()).replace(/\D/g, "");
    const { postings, entries, budgets } = fixture.procurement;
    const { month } = budgets[0];
    for (let at = 0; at < 600; at++) {
      const id = `posting-${at}`;
      const posted_at = new Date(Date.now() - 1_000 * at).toISOString();
      postings.push({ id, key: id, month, amount: 1, memo: "bill", posted_at });
      entries.push({ posting_id: id, side: "debit", account: "payables", amount: 1, posted_at });
      entries.push({ posting_id: id, side: "credit", account: "budget", amount: 1, posted_at });
    }
    budgets[0].committed += 600;
    await page.getByText("Only the newest 500 postings are here").waitFor();
    await page.getByRole("region", { name: "Books" }).getByText("Balanced").waitFor();
    await figure.getByText(`€${(Number(before) + 600).toLocaleString("en-GB")}`).waitFor();
    for (const [theme, width] of [
      ["light", "wide"],
      ["dark", "narrow"],
    ]) {
      const { page } = await openPage(test, chromium.browser, `${fixture.farm}/budget`, {
        size: SIZES[width],
        theme,
      });
      await page.getByText("Only the newest 500 postings are here").waitFor();
      await screenshot(page, `farm-budget-many-${theme}-${width}`);
      assert.deepEqual(await faults(page), []);
    }
  });

  test("books that do not balance say so", async (test) => {
    const { page, fixture } = await opened(test, "/budget");
    fixture.procurement.entries[0].amount += 1;
    await page.getByRole("region", { name: "Books" }).getByText("Does not balance").waitFor();
    await page.getByText("Debits and credits differ by €1.00.").waitFor();
  });
});

describe("text from elsewhere", { skip }, () => {
  const PATHS = [
    "/",
    "/recommendations",
    "/suppliers",
    "/negotiations",
    "/orders",
    "/variances",
    "/budget",
  ];

  for (const size of [SIZES.wide, SIZES.narrow]) {
    test(`does nothing and breaks nothing on ${size.width} pixels`, async (test) => {
      const { page, fixture, complaints } = await opened(test, "/", {
        fixture: { hostile: true },
        size,
      });
      const rfq = fixture.procurement.rfqs[0].id;
      for (const path of [...PATHS, `/trace/rfq/${rfq}`, "/negotiations?box=answered"]) {
        await page.goto(`${fixture.farm}${path}`);
        await page.locator("main .skeleton").first().waitFor({ state: "detached" });
        await page.locator("main section").first().waitFor();
        const row = page.locator("[id^=row]").first();
        if (await row.isVisible()) {
          await row.click();
        }
        assert.match(await page.title(), / · Vertical farm$/, path);
        assert.equal(
          await page.locator("main img, main script, main a[href^=javascript]").count(),
          0,
        );
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(width, size.width, `nothing sticks out of ${path}`);
      }
      assert.ok((await page.getByText("<img src=x onerror").count()) > 0, "it is shown as it is");
      assert.deepEqual(complaints, [], "not even the policy had to stop it");
    });
  }

  test("in the address does nothing either", async (test) => {
    const bad = encodeURIComponent("<img src=x onerror=document.title='owned'>");
    const { page } = await opened(test, `/negotiations?q=${bad}&id=${bad}&box=${bad}`);
    await page.getByText("Nothing matches").waitFor();
    await page.goto(`${new URL(page.url()).origin}/trace/${bad}/${bad}`);
    await page.getByRole("heading").first().waitFor();
    assert.equal(await page.locator("main img").count(), 0);
    assert.match(await page.title(), / · Vertical farm$/);
  });
});

/** What a reader of the focused element hears or sees first. */
function focusedText(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    return element.getAttribute("aria-label") ?? element.textContent.trim();
  });
}
