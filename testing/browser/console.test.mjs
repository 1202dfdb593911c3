// The console's pages about agents, approvals, apps and models, against the fixture with made-up
// data: what a reader sees, what becomes of what a reader does, by mouse and by keyboard.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPage, SIZES, screenshot, skip, startChromium } from "./chromium.mjs";
import { startFixture } from "./fixture/serve.mjs";

const RUN = "00000000-0000-4000-8000-000000000001";
const WALL = { width: 2560, height: 1440 };
const PAGES = {
  agents: { path: "/agents?agent=negotiator", shows: "Runs of negotiator" },
  run: { path: `/runs/${RUN}`, shows: "Steps" },
  inbox: { path: "/inbox", shows: "Inbox (3)" },
  apps: { path: "/apps", shows: "Log" },
  models: { path: "/models", shows: "Budgets" },
};
/** Longer than a decision's keys wait for their reader. */
const READ_MILLIS = 800;
let chromium;

before(async () => {
  if (!skip) {
    chromium = await startChromium();
  }
});

after(() => chromium?.close());

/** A page of a fixture of its own, for as long as the test runs. */
async function open(test, path, { empty = false, ...options } = {}) {
  const fixture = await startFixture({ empty });
  test.after(() => fixture.close());
  const opened = await openPage(test, chromium.browser, `${fixture.url}${path}`, options);
  opened.page.setDefaultTimeout(60_000);
  return { fixture, ...opened };
}

/** A card's heading holds the button that explains it as well. */
const heading = (page, name) => page.getByRole("heading", { name }).first();
const button = (page, name) => page.getByRole("button", { name, exact: true });
/** Reads an approval from when its card is there: a slow page has another address before. */
async function read(page, number) {
  await page.getByText(`sales@supplier-${number}.example`, { exact: true }).waitFor();
  await page.waitForTimeout(READ_MILLIS);
}
const done = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();

describe("the console", { skip }, () => {
  for (const [name, { path, shows }] of Object.entries(PAGES)) {
    for (const theme of ["light", "dark"]) {
      for (const [width, size] of Object.entries({ ...SIZES, wall: WALL })) {
        test(`shows ${name} on a ${width} ${theme} screen`, async (test) => {
          const { page, complaints } = await open(test, path, { theme, size });
          await heading(page, shows).waitFor();
          await page.waitForLoadState("networkidle", { timeout: 1_000 }).catch(() => {});
          const sticksOut = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.equal(sticksOut, size.width, "nothing sticks out at the side");
          const unnamed = await page.evaluate(() =>
            [...document.querySelectorAll("button, a, input, textarea, select")]
              .filter(
                (one) =>
                  !one.textContent.trim() && !one.ariaLabel && !one.labels?.length && !one.title,
              )
              .map((one) => one.outerHTML),
          );
          assert.deepEqual(unnamed, [], "everything that can be used has a name");
          await screenshot(page, `console-${name}-${theme}-${width}`);
          assert.deepEqual(complaints, []);
        });
      }
    }
  }

  test("every text of readable size reaches a contrast of 4.5 to 1", async (test) => {
    for (const theme of ["light", "dark"]) {
      for (const { path, shows } of Object.values(PAGES)) {
        const { page } = await open(test, path, { theme });
        await heading(page, shows).waitFor();
        assert.deepEqual(await page.evaluate(lowContrast), [], `${path} ${theme}`);
      }
    }
  });

  test("explains its empty places", async (test) => {
    const empty = true;
    for (const [path, words] of [
      ["/agents", "No agents yet"],
      ["/agents", "No such runs"],
      ["/inbox", "Nothing waits for you"],
      ["/apps", "No apps yet"],
      ["/models", "No model is configured, so a template words every text."],
      ["/models", "No limits"],
    ]) {
      const { page, complaints } = await open(test, path, { empty });
      await page.getByText(words).first().waitFor();
      assert.deepEqual(complaints, []);
    }
  });

  test("gives the server's reason where something may not be seen", async (test) => {
    for (const path of ["/agents", "/inbox", "/apps", "/models", `/runs/${RUN}`]) {
      const { fixture, page } = await open(test, "/");
      fixture.refuse("eve may not see this");
      await page.goto(`${fixture.url}${path}`);
      await page.getByText("eve may not see this").first().waitFor();
    }
  });

  test("knows no page that there is not, and leads back", async (test) => {
    const { page } = await open(test, "/nothing-here");
    await page.getByText("There is no such page").waitFor();
    await page.getByRole("link", { name: "To the overview" }).click();
    await heading(page, "Pipeline farm").waitFor();
  });
});

describe("agents in the console", { skip }, () => {
  test("are chosen, paused and resumed; the choice stands in the address", async (test) => {
    const { fixture, page } = await open(test, "/agents");
    await button(page, "negotiator").click();
    await page.waitForURL("**/agents?agent=negotiator");
    await page.getByText("$1.00").waitFor();
    await button(page, "Pause").click();
    await done(page, "negotiator is paused.");
    assert.equal(fixture.place.agents[1].paused, true);
    await page.reload();
    await button(page, "Resume").click();
    await done(page, "negotiator goes on.");
    assert.equal(fixture.place.agents[1].paused, false);
  });

  test("are all stopped by the kill switch, after a question", async (test) => {
    const { fixture, page } = await open(test, "/agents");
    await button(page, "Stop all agents").click();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assert.equal(fixture.place.stopped, false);
    await button(page, "Stop all agents").click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop all agents" }).click();
    await page.getByText("All agents are stopped by").waitFor();
    assert.equal(fixture.place.stopped, true);
    await button(page, "Let agents go on").click();
    await button(page, "Stop all agents").waitFor();
    assert.equal(fixture.place.stopped, false);
  });

  test("show runs by status, and a run's steps with who worded what", async (test) => {
    const { page, complaints } = await open(test, "/agents");
    await page.getByRole("radio", { name: "Failed" }).click();
    await page.waitForURL("**/agents?status=failed");
    await page.getByText("the run has used 200000 of 200000 tokens").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 1);
    await page.getByRole("radio", { name: "Waiting" }).click();
    await page.getByRole("link", { name: /^negotiator 00000000/ }).click();
    await heading(page, "Steps").waitFor();
    const steps = page.getByRole("region", { name: "Steps" });
    assert.equal(await steps.locator("ol > li").count(), 3);
    assert.equal(await page.getByText("Template, no model").count(), 2);
    await page.locator("summary").first().click();
    await page.getByText("Acme <b>Seeds</b>").waitFor();
    await page.getByRole("link", { name: "Decide it in the inbox" }).click();
    await heading(page, "Inbox (3)").waitFor();
    assert.deepEqual(complaints, []);
  });

  test("have runs that can be paused and cancelled", async (test) => {
    const { fixture, page } = await open(test, `/runs/${RUN}`);
    const messages = page.getByRole("region", { name: "Messages" });
    await messages.getByRole("listitem").first().waitFor();
    const [taken, waiting] = await messages.getByRole("listitem").allTextContents();
    assert.match(taken, /ada@example\.org.*step 2.*reply-7/s);
    assert.match(waiting, /mailbox for bo@example\.org.*waits.*reply-8/s);
    await button(page, "Pause").click();
    await done(page, "The run is paused.");
    assert.equal(fixture.place.runs[0].paused, true);
    await button(page, "Cancel the run").click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the run" }).click();
    await done(page, "The run is cancelled.");
    assert.equal(fixture.place.runs[0].status, "cancelled");
    await button(page, "Cancel the run").waitFor({ state: "hidden" });
  });
});

describe("the inbox", { skip }, () => {
  test("is worked through by keyboard alone", async (test) => {
    const { fixture, page, complaints } = await open(test, "/inbox");
    await heading(page, "Inbox (3)").waitFor();
    await page.keyboard.press("j");
    await page.waitForURL(/approval=10000000-0000-4000-8000-000000000002$/);
    await page.keyboard.press("k");
    await page.waitForURL(/approval=10000000-0000-4000-8000-000000000001$/);
    await read(page, 1);
    await page.keyboard.press("a");
    await done(page, "Accepted.");
    await heading(page, "Inbox (2)").waitFor();
    await page.keyboard.press("e");
    await page.getByLabel("subject").fill("RFQ: basil, 30 kg");
    await page.keyboard.press("Control+Enter");
    await done(page, "Accepted with your changes.");
    await heading(page, "Inbox (1)").waitFor();
    await page.keyboard.press("r");
    await page.keyboard.type("Ask for a price by the kilogram, a to z.");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Nothing waits for you").waitFor();
    assert.deepEqual(fixture.place.decisions, [
      { action: "decide", decision: "accept" },
      { action: "decide", decision: "edit", args: { subject: "RFQ: basil, 30 kg" } },
      {
        action: "decide",
        decision: "respond",
        response: "Ask for a price by the kilogram, a to z.",
      },
    ]);
    await page.getByText("edited by ada@example.org").waitFor();
    assert.deepEqual(complaints, []);
  });

  test("decides by key only what its reader has seen", async (test) => {
    const { fixture, page } = await open(test, "/inbox");
    await heading(page, "Inbox (3)").waitFor();
    await read(page, 1);
    for (let presses = 0; presses < 20; presses++) {
      await page.keyboard.down("a");
      await page.waitForTimeout(100);
    }
    await page.keyboard.up("a");
    await heading(page, "Inbox (2)").waitFor();
    await page.keyboard.press("i");
    await heading(page, "Inbox (1)").waitFor();
    await page.keyboard.press("a");
    await page.keyboard.press("i");
    await read(page, 3);
    assert.deepEqual(
      fixture.place.decisions.map(({ decision }) => decision),
      ["accept", "ignore"],
    );
    await page.keyboard.press("a");
    await page.getByText("Nothing waits for you").waitFor();
  });

  test("moves on while a key is held", async (test) => {
    const { page } = await open(test, "/inbox");
    await heading(page, "Inbox (3)").waitFor();
    await page.keyboard.down("j");
    await page.keyboard.down("j");
    await page.keyboard.up("j");
    await page.waitForURL(/approval=10000000-0000-4000-8000-000000000003$/);
  });

  test("says when a text comes from a template, and when time runs out", async (test) => {
    const { page } = await open(test, "/inbox");
    await page.getByText("Template, no model").waitFor();
    await page
      .getByText(/expires in 2\d min/)
      .first()
      .waitFor();
    await page.keyboard.press("j");
    await page.getByText("Written by a model").waitFor();
    assert.equal(await page.getByText("Template, no model").count(), 0);
  });

  test("hands on, ignores, and changes nothing by Escape", async (test) => {
    const { fixture, page } = await open(test, "/inbox");
    await button(page, "Edit").click();
    await page.getByLabel("body").fill("something else");
    await page.keyboard.press("Escape");
    await page.getByText("please quote 25 kg").waitFor();
    await page.keyboard.press("d");
    await page.keyboard.type("grace@example.org");
    await page.keyboard.press("Enter");
    await done(page, "Handed on to grace@example.org.");
    await heading(page, "Inbox (2)").waitFor();
    await button(page, "Ignore").click();
    await heading(page, "Inbox (1)").waitFor();
    assert.deepEqual(
      fixture.place.decisions.map(({ action, to, decision }) => [action, to ?? decision]),
      [
        ["delegate", "grace@example.org"],
        ["decide", "ignore"],
      ],
    );
  });

  test("tells of a decision that came too late", async (test) => {
    const { fixture, page } = await open(test, "/inbox");
    await heading(page, "Inbox (3)").waitFor();
    await page.route("**/decide", (route) =>
      route.fulfill({ status: 409, json: { message: "grace has decided already: accept" } }),
    );
    await button(page, "Ignore").click();
    await done(page, "grace has decided already: accept");
    assert.equal(fixture.place.decisions, undefined);
  });
});

describe("apps in the console", { skip }, () => {
  test("are stopped, started and gone back with", async (test) => {
    const { fixture, page, complaints } = await open(test, "/apps?app=supplier-portal");
    await button(page, "Stop").click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop it" }).click();
    await done(page, "supplier-portal is stopped.");
    await button(page, "Start").click();
    await done(page, "supplier-portal starts.");
    assert.equal(await page.getByRole("button", { name: /^Go back to version/ }).count(), 1);
    await button(page, "Go back to version 2").click();
    await page.getByRole("dialog").getByRole("button", { name: "Run version 2" }).click();
    await done(page, "Version 2 of supplier-portal is started");
    assert.equal(fixture.place.versions.find(({ active }) => active).version, 2);
    const link = page.getByRole("link", { name: "Open supplier-portal in a new tab" });
    assert.equal(await link.getAttribute("href"), "http://supplier-portal.localhost:8080");
    assert.deepEqual(complaints, []);
  });

  test("show why one has crashed", async (test) => {
    const { page } = await open(test, "/apps?app=quality-lab");
    await page.getByText("ModuleNotFoundError: pandas").waitFor();
    await page.getByText("5 times by itself").waitFor();
  });

  test("tail their log, which can be searched and held", async (test) => {
    const { page } = await open(test, "/apps?app=supplier-portal");
    const log = page.getByRole("region", { name: "Log of supplier-portal" });
    await log.getByText("listening on 127.0.0.1").waitFor();
    await log.getByText("GET /orders?page=3").waitFor();
    await page.getByLabel("Show lines that hold").fill("page=2 ");
    assert.equal((await log.textContent()).trim().split("\n").length, 1);
    await page.getByLabel("Show lines that hold").fill("");
    await button(page, "Pause").click();
    const held = await log.textContent();
    await page.waitForTimeout(1_000);
    assert.equal(await log.textContent(), held);
    await button(page, "Follow").click();
    await page.waitForFunction(
      (held) => !held.startsWith(document.querySelector('[aria-label^="Log of"]').textContent),
      held,
    );
  });
});

describe("models in the console", { skip }, () => {
  test("show circuits, budgets, and usage by principal and day", async (test) => {
    const { page, complaints } = await open(test, "/models");
    await page.getByText("Left alone").waitFor();
    await page.getByText("149,400 of 160,000").waitFor();
    const rows = page.getByRole("region", { name: /^Usage by principal/ }).locator("tbody tr");
    assert.equal(await rows.count(), 2);
    const today = new Date().toISOString().slice(0, 10);
    await button(page, today).click();
    await page.waitForURL(`**/models?day=${today}`);
    await heading(page, `Usage by principal on ${today}`).waitFor();
    assert.match(await rows.first().textContent(), /negotiator-agent writer180/);
    await page.getByRole("radio", { name: "30 days" }).click();
    await page.waitForURL("**/models?days=30");
    assert.deepEqual(complaints, []);
  });
});

/** Texts whose colour is too near the colour behind them; runs in the page. */
function lowContrast() {
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const channels = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (channels(color)[3] === 255) {
        return color;
      }
    }
    return "white";
  };
  const luminance = (color) =>
    channels(color)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  return [...document.querySelectorAll("body *")]
    .filter(
      (element) =>
        element.checkVisibility() &&
        !element.closest("[aria-hidden=true], :disabled") &&
        [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""),
    )
    .map((element) => {
      const [low, high] = [getComputedStyle(element).color, behind(element)]
        .map(luminance)
        .sort((a, b) => a - b);
      return { text: element.textContent.trim().slice(0, 40), ratio: (high + 0.05) / (low + 0.05) };
    })
    .filter(({ ratio }) => ratio < 4.5)
    .map(({ text, ratio }) => `${text}: ${ratio.toFixed(2)}`);
}
