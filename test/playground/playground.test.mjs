/** The built playground in a real browser, served from a folder as a static host would. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const site = join(root, "build/playground");

/** What the toy of `npm start` is in the Train room. */
const TOY =
  "data=linear&encode=poisson&timesteps=25&layers=128&beta=0.95&threshold=1&reset=zero&surrogate=sigmoid&slope=10" +
  "&readout=rate&lr=0.001&batch=128";

let server;
let browser;

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
async function open(t, hash, options = {}) {
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

const figure = async (page, name) => Number.parseFloat(await page.locator(`[data-figure=${name}]`).textContent());
const fact = (page, name) => page.locator(`[data-fact=${name}]`).textContent();

/** Opens a run that a link has trained for some steps. */
async function trained(t, query, steps, options) {
  const page = await open(t, `#/train?${query}&steps=${steps}`, options);
  await page.waitForFunction((n) => document.querySelector("[data-figure=step]")?.textContent === n, String(steps));
  await page.waitForFunction(() => document.querySelector("[data-action=play]")?.textContent === "Train");
  return page;
}

/** The same run in Node, by the command that the page shows. */
function inNode(command) {
  const flags = [...command.matchAll(/--(\w+)="?([^"\s]*)"?/g)].map(([, name, value]) => `--${name}=${value}`);
  const output = execFileSync(process.execPath, [join(root, "build/demos/playground/reproduce.js"), ...flags], {
    encoding: "utf8",
  });
  return output.match(/sha256=(\w+)/)[1];
}

describe("train", () => {
  test("the toy of npm start gets above 88 %", async (t) => {
    const page = await trained(t, TOY, 260);
    assert.ok((await figure(page, "accuracy")) > 88);
  });

  for (const query of ["", TOY, "data=mnist&encode=poisson&layers=32", "data=xor&reset=zero&readout=rate&seed=7"]) {
    test(`the same weights as in Node: ${query || "the defaults"}`, async (t) => {
      const page = await trained(t, query, 60);
      const hash = await fact(page, "hash");
      assert.match(hash, /^[0-9a-f]{64}$/);
      assert.equal(inNode(await fact(page, "command")), hash);
    });
  }
});

const ROOMS = ["train"];

for (const colorScheme of ["light", "dark"]) {
  for (const room of ROOMS) {
    test(`axe finds nothing in the room ${room}, ${colorScheme}`, async (t) => {
      const page = await open(t, `#/${room}`, { colorScheme });
      await page.waitForSelector(".room canvas");
      await page.waitForTimeout(500);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      assert.deepEqual(found, []);
    });
  }
}

test("the page weighs less than 100 kB, compressed, besides the data", async (t) => {
  const page = await open(t, "");
  await page.waitForSelector("[data-fact=hash]:not(:empty)");
  const urls = await page.evaluate(() => [
    location.pathname,
    ...performance.getEntriesByType("resource").map(({ name }) => name),
  ]);
  const files = new Set(urls.map((url) => new URL(url, server.url).href.slice(server.url.length) || "index.html"));
  let total = 0;
  for (const file of files) total += gzipSync(readFileSync(join(site, file)), { level: 9 }).length;
  t.diagnostic(`${[...files].join(", ")}: ${total} bytes`);
  assert.ok(total < 100_000, `${total} bytes`);
});
