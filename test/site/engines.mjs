/** The engines in which the site is walked through: Chromium by Playwright, Firefox and WebKit by WebDriver, with one kind of client. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { browsers, TIMEOUT_MS } from "../../scripts/browsers.mjs";
import { serve } from "../../scripts/serve.mjs";
import { CHROMIUM, DESKTOP } from "./support.mjs";

/** A folder of a test file, which has a page to begin with. */
export const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-site-"));
writeFileSync(join(folder, "blank.html"), "<!doctype html><head></head>");
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));

/**
 * A server of a folder that becomes another one by `deploy`, as at a host of a newer version, and lets browsers keep files as
 * `caching` says. `answers` has what it sends for some paths instead. `close` may come twice.
 */
export async function host(served, place, caching = "max-age=600") {
  const link = join(mkdtempSync(join(folder, "host-")), "site");
  symlinkSync(served, link);
  const answers = new Map();
  const headers = { "cache-control": caching };
  const { url, close } = await serve(link, place, headers, (path) => answers.get(path));
  return {
    url,
    answers,
    close,
    deploy(other) {
      rmSync(link);
      symlinkSync(other, link);
    },
  };
}

/** Limit of a look: shorter than that of the visit, whose error does not know what was looked for. */
const LOOK_MS = TIMEOUT_MS / 2;

/** Looks at the page until there is something to see, or null after the limit. */
async function seeWithin(client, ms, look, arg = null) {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(100)) {
    const seen = await client.run(look, arg);
    if (seen) return seen;
  }
  return null;
}

/** Looks at the page until there is something to see. */
export const see = async (client, look, arg) =>
  (await seeWithin(client, LOOK_MS, look, arg)) ?? assert.fail(`nothing to see for ${LOOK_MS / 1000} s by ${look}`);

/** How often a reader comes to a page whose worker does not install, as after one lost answer, and how long each time. */
const VISITS = 3;
const VISIT_MS = LOOK_MS / VISITS;

const isServed = () => navigator.serviceWorker.controller !== null;

/** How far the worker came. */
async function stateOfWorker() {
  const registrations = await navigator.serviceWorker.getRegistrations();
  const files = [];
  for (const name of await caches.keys()) files.push([name, (await (await caches.open(name)).keys()).length]);
  const states = registrations.map(({ installing, waiting, active }) =>
    [installing, waiting, active].map((worker) => worker?.state ?? null),
  );
  return JSON.stringify({ page: document.readyState, states, files });
}

/** Goes to the first page; the tab belongs to the service worker when this one has kept all first files. */
export async function begin(client, url) {
  for (let visit = 1; ; visit++) {
    await client.navigate(url);
    if (await seeWithin(client, VISIT_MS, isServed)) return;
    const message = `no worker serves the page after ${VISIT_MS / 1000} s: ${await client.run(stateOfWorker)}`;
    if (visit === VISITS) assert.fail(message);
    console.error(`engines: ${message}; visit ${visit + 1} of at most ${VISITS}`);
  }
}

/** Chromium by Playwright with preferences of its reader. Its client also gives a session of Chromium's own protocol. */
export async function inChromium(use, preferences = {}) {
  const profile = mkdtempSync(join(folder, "chromium-"));
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, { ...CHROMIUM, ...DESKTOP });
  context.setDefaultTimeout(TIMEOUT_MS);
  try {
    let [page] = context.pages();
    await use({
      navigate: (url) => page.goto(url),
      run: (body, arg) => page.evaluate(body, arg),
      protocol: () => context.newCDPSession(page),
      /** Chromium sometimes never answers a tab that opens at the moment when the waiting worker begins to serve. */
      async renew(url) {
        const next = await context.newPage();
        const session = await context.newCDPSession(next);
        const waiting = new Set();
        const served = new Promise((tell) => {
          session.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
            for (const { versionId, status } of versions) {
              if (status === "installed") waiting.add(versionId);
              if (status === "activated" && waiting.has(versionId)) tell();
            }
          });
        });
        await session.send("ServiceWorker.enable");
        await page.close();
        await served;
        page = next;
        await page.goto(url);
      },
    });
  } finally {
    await context.close();
  }
}

const driven = (await browsers()).filter(({ isDriven }) => isDriven);
export const engines = [
  { name: "Chromium", use: inChromium },
  ...driven.map(({ name, visit }) => ({ name, use: (use) => visit(folder, "blank.html", use) })),
];
