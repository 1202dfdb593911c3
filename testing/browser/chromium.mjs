// Debian's Chromium for the browser tests, driven by playwright-core.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.LAKEMILL_CHROMIUM ?? "/usr/bin/chromium";
const SCREENSHOTS =
  process.env.LAKEMILL_SCREENSHOTS ??
  fileURLToPath(new URL("../../target/screenshots", import.meta.url));

/** Why the browser tests can't run; false when they can. */
export const skip = existsSync(EXECUTABLE)
  ? false
  : `no Chromium at ${EXECUTABLE}; install it with: apt-get install chromium`;

export const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };

/** Starts Chromium with a profile of its own; `close` ends it and removes the profile. */
export async function startChromium() {
  const profile = mkdtempSync(join(tmpdir(), "lakemill-chromium-"));
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  });
  const close = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, close };
}

/**
 * Opens a page of its own size and theme, for as long as the test runs. `complaints` collects what
 * a reader of the browser's console would find: errors, and requests to anywhere but the server.
 */
export async function openPage(
  test,
  browser,
  url,
  { size = SIZES.wide, theme = "light", ...rest } = {},
) {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: theme,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    hasTouch: size.width < 500,
    isMobile: size.width < 500,
    ...rest,
  });
  test.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      complaints.push(`${message.text()} ${message.location().url}`.trim());
    }
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) {
      complaints.push(`request to ${request.url()}`);
    }
  });
  await page.goto(url, { waitUntil: "load" });
  return { page, complaints };
}

/** Logs in by a link that works once, as a person does; gives what the browser keeps of it. */
export async function logIn(browser, link) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await screenshot(page, "login");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
  const state = await context.storageState();
  await context.close();
  return state;
}

/** Takes a picture of the whole page into the screenshots folder. */
export async function screenshot(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}
