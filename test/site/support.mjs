/** Helpers of the site's tests: the built site on servers, at the root and in a folder, and pages of Chromium. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { root } from "../../scripts/entries.mjs";
import { serve } from "../../scripts/serve.mjs";

export const site = join(root, "build/site");
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const DESKTOP = { viewport: { width: 1440, height: 900 } };
export const PLACES = ["/", "/a/b/"];

/** Texts of the pages of the shell by their paths; the playground has tests of its own. */
export const texts = new Map(
  readdirSync(site, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".html") && !path.startsWith("play/"))
    .sort()
    .map((path) => [path, readFileSync(join(site, path), "utf8")]),
);

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });

export let browser;
const servers = {};

before(async () => {
  for (const place of PLACES) servers[place] = await serve(site, place);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  for (const server of Object.values(servers)) server.close();
});

export const addressOf = (place, path) => servers[place].url + path;

/** A page; when the test ends, nothing may have gone wrong on it. */
export async function open(t, place, path, options = DESKTOP) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    // What the test asked for itself.
    if (options.serviceWorkers === "block" && /registration blocked/.test(message.text())) return;
    if (["error", "warning"].includes(message.type())) wrong.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`${page.url()}: ${error.stack ?? error}`));
  page.on("dialog", (dialog) => {
    wrong.push(`${page.url()}: a dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(addressOf(place, path));
  return page;
}

/** Brings each figure of the page near, so that it loads; returns what the page says where one does not. */
export async function wake(page) {
  const figures = page.locator("snn-figure");
  for (const figure of await figures.all()) {
    if (!(await figure.isVisible())) continue;
    await figure.scrollIntoViewIfNeeded();
    await figure.locator("xpath=self::*[@data-lives]|.//*[@role='alert']").first().waitFor();
  }
  return page.locator("snn-figure > .problem").allTextContents();
}
