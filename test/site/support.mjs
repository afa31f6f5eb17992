/** Helpers of the site's tests: the built site on servers, at the root and in a folder, and pages of Chromium. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { TIMEOUT_MS } from "../../scripts/browsers.mjs";
import { root } from "../../scripts/entries.mjs";
import { serve } from "../../scripts/serve.mjs";

export const site = join(root, "build/site");
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const DESKTOP = { viewport: { width: 1440, height: 900 } };
export const PLACES = ["/", "/a/b/"];

/** Texts of the pages by their paths. */
export const texts = new Map(
  readdirSync(site, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".html"))
    .sort()
    .map((path) => [path, readFileSync(join(site, path), "utf8")]),
);

export const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
};

let browser = null;
const servers = {};

before(async () => {
  for (const place of PLACES) servers[place] = await serve(site, place);
});

after(async () => {
  await (await browser)?.close();
  for (const server of Object.values(servers)) server.close();
});

/**
 * A context of the one Chromium of a test file, closed when the test ends. It has no service worker unless `options` allow one: a worker
 * fetches and digests megabytes of first files for each context, and the walks test it in every browser.
 */
export async function contextOf(t, options = DESKTOP) {
  browser ??= chromium.launch(CHROMIUM);
  const context = await (await browser).newContext({ serviceWorkers: "block", ...options });
  t.after(() => context.close());
  context.setDefaultTimeout(TIMEOUT_MS);
  return context;
}

export const addressOf = (place, path) => servers[place].url + path;

/** A page; when the test ends, nothing may have gone wrong on it. */
export async function open(t, place, path, options = DESKTOP) {
  const page = await (await contextOf(t, options)).newPage();
  const wrong = [];
  page.on("console", (message) => {
    // What the context asks for.
    if (options.serviceWorkers !== "allow" && /registration blocked/.test(message.text())) return;
    if (["error", "warning"].includes(message.type())) wrong.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`${page.url()}: ${error.stack ?? error}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(servers[place].url) && !/^(data|blob):/.test(url)) wrong.push(`${page.url()} asks for ${url}`);
  });
  page.on("dialog", (dialog) => {
    wrong.push(`${page.url()}: a dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  t.after(() => assert.deepEqual(wrong, []));
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

/** A reader for whom nothing moves before a press: Train learns by itself otherwise. */
const STILL = { ...DESKTOP, reducedMotion: "reduce" };

/** The page of the figure Train at rest, with a configuration in its address. */
export const openTrain = (t, query = "", options = {}) => open(t, "/", `play/#${query}`, { ...STILL, ...options });

/** The same page where something is to go wrong. */
export async function openBroken(t, pattern, answer) {
  const page = await (await contextOf(t, STILL)).newPage();
  await page.route(pattern, answer);
  await page.goto(addressOf("/", "play/"));
  return page;
}

/** Opens a run that a link has trained for some steps. */
export async function trained(t, query, steps, options) {
  const page = await openTrain(t, `${query}&steps=${steps}`, options);
  await stepIs(page, steps);
  await playing(page, false);
  return page;
}

/** Milliseconds of processor time of the longest task of a page while `happens` goes on; the time of other programs does not count. */
export async function longestTask(page, happens) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel"] });
  await happens();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const main = new Set();
  for (const { name, pid, tid, args } of traceEvents) {
    if (name === "thread_name" && args.name === "CrRendererMain") main.add(`${pid} ${tid}`);
  }
  const tasks = traceEvents.filter(
    ({ name, pid, tid, tdur }) => name.endsWith("RunTask") && tdur !== undefined && main.has(`${pid} ${tid}`),
  );
  assert.ok(tasks.length > 0, "Chromium names the processor time of tasks");
  return Math.max(...tasks.map(({ tdur }) => tdur)) / 1000;
}

/** Waits until the figure has this number of steps. */
export const stepIs = (page, steps) =>
  page.waitForFunction((n) => document.querySelector("[data-figure=step]")?.textContent === n, String(steps));

/** Waits until the figure has more steps, whose thousands are apart from 10 000 on. */
export const stepsAbove = (page, steps) =>
  page.waitForFunction((n) => {
    const shown = document.querySelector("[data-figure=step]")?.textContent ?? "";
    return Number(shown.replaceAll(/\s/g, "")) > n;
  }, steps);

export const playing = (page, wanted) =>
  page.waitForFunction(
    (text) => document.querySelector("[data-action=play]")?.textContent === text,
    wanted ? "Pause" : "Train",
  );

/** Waits until the run is there, with its hash. */
export const ready = (page) => page.waitForSelector("[data-fact=hash]:not(:empty)");

/** A number as it is read: its thousands may be apart. */
const numberIn = (text) => Number.parseFloat(text.replaceAll(/\s/g, "").replace("−", "-"));

export const figure = async (page, name) => numberIn(await page.locator(`[data-figure=${name}]`).textContent());
export const cost = async (page, name) => numberIn(await page.locator(`[data-cost="${name}"]`).textContent());
export const fact = (page, name) => page.locator(`[data-fact=${name}]`).textContent();

/** The query of the address. A figure writes it 120 ms after a change, by a timer that comes before a later one of the same length. */
export const query = (page) =>
  page.evaluate(() => new Promise((tell) => setTimeout(() => tell(location.hash.slice(1)), 120)));

/** The picture of a canvas, as text. */
export const inkOf = (page, selector) =>
  page
    .locator(selector)
    .first()
    .evaluate((canvas) => canvas.toDataURL());

/** Waits until the picture of a canvas is another one. */
export const redrawn = (page, selector, before) =>
  page.waitForFunction(([path, ink]) => document.querySelector(path).toDataURL() !== ink, [selector, before]);

/** A figure that rests for less than this sharpens its map. */
const REST_MS = 800;

/** Two pages at rest have the same rows and the same map in the end: on a busy machine one sharpens its map long after the other. */
export async function assertAlike(page, other) {
  await page.waitForTimeout(REST_MS);
  for (const selector of [".stack canvas", ".map canvas"]) {
    const isAlike = async () => (await inkOf(other, selector)) === (await inkOf(page, selector));
    for (let look = 0; look < 100 && !(await isAlike()); look++) await page.waitForTimeout(100);
    assert.ok(await isAlike(), `${selector}: the pictures of both pages differ`);
  }
}

/** The file that a press of a button hands out. */
export async function downloaded(page, name) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
  return { name: file.suggestedFilename(), path: await file.path() };
}

/** The link that the button of a figure copies. */
export async function linkOf(page, name) {
  await page.evaluate(() => {
    navigator.clipboard.writeText = (text) => {
      globalThis.copied = text;
      return Promise.resolve();
    };
  });
  await page.locator(`snn-figure[name="${name}"] > .share`).click();
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.getByText("Copied.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  return page.evaluate(() => globalThis.copied);
}

/** What the menu of a figure's Share button says besides its choices. */
export async function sharedWords(page, name) {
  await page.locator(`snn-figure[name="${name}"] > .share`).click();
  const menu = page.getByRole("dialog");
  await menu.waitFor();
  const words = await menu.locator("p").allTextContents();
  await menu.getByRole("button", { name: "Close" }).click();
  return words.join(" ");
}

/** The same run in Node, by the command that the figure shows. */
export async function inNode(command) {
  const flags = [...command.matchAll(/--(\w+)="?([^"\s]*)"?/g)].map(([, name, value]) => `--${name}=${value}`);
  const program = join(root, "build/demos/playground/reproduce.js");
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...flags]);
  return stdout.match(/sha256=(\w+)/)[1];
}
