/** Helpers of the playground's tests: the built page in a real browser, served from a folder as a static host would. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { serve } from "../../scripts/serve.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const site = join(root, "build/playground");

/** The toy of `npm start` as an address of the Train room. */
export const TOY =
  "data=linear&encode=poisson&timesteps=25&layers=128&beta=0.95&threshold=1&reset=zero&surrogate=sigmoid&slope=10" +
  "&readout=rate&lr=0.001&batch=128";

/** Tests whose pages wait for each other in no way; tests of time run alone, and so do those that compare pictures at rest. */
export const SIDE_BY_SIDE = { concurrency: 3 };

export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export let server;
export let browser;

before(async () => {
  server = await serve(site);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** A page at an address; when the test ends, nothing may have gone wrong on it. */
export async function open(t, hash, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.stack ?? String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !url.startsWith("data:") && !url.startsWith("blob:"))
      wrong.push(`asks for ${url}`);
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(server.url + hash);
  return page;
}

/** A page where something is to go wrong: without a service worker, which may fetch files past a route. */
export async function openBroken(t, hash, pattern, answer) {
  const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 1440, height: 900 } });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.route(pattern, answer);
  await page.goto(server.url + hash);
  return page;
}

/** A number as it is read: its thousands may be apart. */
const numberIn = (text) => Number.parseFloat(text.replaceAll(/\s/g, "").replace("−", "-"));

export const figure = async (page, name) => numberIn(await page.locator(`[data-figure=${name}]`).textContent());
export const cost = async (page, name) => numberIn(await page.locator(`[data-cost="${name}"]`).textContent());
export const fact = (page, name) => page.locator(`[data-fact=${name}]`).textContent();

/** Opens a run that a link has trained for some steps. */
export async function trained(t, query, steps, options) {
  const page = await open(t, `#/train?${query}&steps=${steps}`, options);
  await page.waitForFunction((n) => document.querySelector("[data-figure=step]")?.textContent === n, String(steps));
  await page.waitForFunction(() => document.querySelector("[data-action=play]")?.textContent === "Train");
  return page;
}

/** The query of the address. The page writes it 120 ms after a change, by a timer that comes before a later one of the same length. */
export const query = (page) =>
  page.evaluate(() => new Promise((tell) => setTimeout(() => tell(location.hash.split("?")[1] ?? ""), 120)));

/** The picture of a canvas, as text. */
export const inkOf = (page, selector) =>
  page
    .locator(selector)
    .first()
    .evaluate((canvas) => canvas.toDataURL());

/** The file that a press of a button hands out. */
export async function downloaded(page, name) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
  return { name: file.suggestedFilename(), path: await file.path() };
}

export const playing = (page, wanted) =>
  page.waitForFunction(
    (text) => document.querySelector("[data-action=play]")?.textContent === text,
    wanted ? "Pause" : "Train",
  );

/** Waits until the picture of a canvas is another one. */
export const redrawn = (page, selector, before) =>
  page.waitForFunction(([path, ink]) => document.querySelector(path).toDataURL() !== ink, [selector, before]);

/** The same run in Node, by the command that the page shows. */
export async function inNode(command) {
  const flags = [...command.matchAll(/--(\w+)="?([^"\s]*)"?/g)].map(([, name, value]) => `--${name}=${value}`);
  const program = join(root, "build/demos/playground/reproduce.js");
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...flags]);
  return stdout.match(/sha256=(\w+)/)[1];
}
