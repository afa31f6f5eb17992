/**
 * Walks through the built site in every browser, at the root of a server and in a folder of one: by links and search, while a newer
 * version takes the place of the older one; and without the server.
 */
import assert from "node:assert/strict";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { browsers } from "../../scripts/browsers.mjs";
import { serve } from "../../scripts/serve.mjs";
import { DESKTOP, launch, PLACES, site } from "./support.mjs";

const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-site-"));
const newer = join(folder, "newer");
const OLD = /<footer>jarvis-snn [\d.]+/;

/** Names of scripts with the digest of their content, as the bundler writes them. */
const SCRIPT = /-([\w-]{8})\.js\b/g;

/** A newer version of the site: pages say another version, all scripts have other names, and the service worker has other files. */
before(() => {
  cpSync(site, newer, { recursive: true, filter: (path) => !path.includes(join(site, "api", "snn")) });
  for (const entry of readdirSync(newer, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(html|js)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, "utf8")
      .replace(OLD, "<footer>jarvis-snn 9.9.9")
      .replace(/^const VERSION = .*$/m, 'const VERSION = "newer";')
      .replaceAll(SCRIPT, "-$1N.js");
    writeFileSync(path, text);
    const name = entry.name.replaceAll(SCRIPT, "-$1N.js");
    if (name !== entry.name) renameSync(path, join(dirname(path), name));
  }
  writeFileSync(join(folder, "blank.html"), "<!doctype html><head></head>");
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** A server whose site becomes the newer one, as a host that deploys it, and lets browsers keep files; `close` may come twice. */
async function host(place) {
  const link = join(mkdtempSync(join(folder, "host-")), "site");
  symlinkSync(site, link);
  const { url, close } = await serve(link, place, { "cache-control": "max-age=600" });
  return {
    url,
    close,
    deploy() {
      rmSync(link);
      symlinkSync(newer, link);
    },
  };
}

/** Looks at the page until there is something to see. */
async function see(client, look, arg = null) {
  for (;;) {
    const seen = await client.run(look, arg);
    if (seen) return seen;
    await sleep(100);
  }
}

const versionOf = (client) => see(client, () => document.querySelector("footer")?.textContent.match(/[\d.]+\d/)?.[0]);

/** Whether the script of the page runs: a press of the button changes the look. */
async function checkScript(client) {
  await see(client, () => {
    const { dataset } = document.documentElement;
    const before = dataset.theme;
    document.querySelector("[data-theme-button]").click();
    return dataset.theme !== before;
  });
}

/** Waits until the first figure of the page lives, where it has one. */
const checkFigure = (client) =>
  see(client, () => {
    const figure = document.querySelector("snn-figure");
    return figure === null || figure.dataset.lives === "";
  });

/** Goes where a link of the page leads, which is found by its text. */
async function follow(client, text) {
  const find = (wanted) => Array.from(document.links).find((link) => link.textContent.trim() === wanted)?.href;
  await client.navigate(await see(client, find, text));
}

/** The files that the service worker of a site keeps at once. */
const firstFiles = (folder) =>
  JSON.parse(/^const FILES = (.*);$/m.exec(readFileSync(join(folder, "offline.js"), "utf8"))[1]);

/** Goes to the first page; the tab belongs to the service worker when this one has kept all first files. */
async function begin(client, url) {
  await client.navigate(url);
  await see(client, () => navigator.serviceWorker.controller?.state === "activated");
}

/** Which of these files the browser does not keep in a cache. */
async function missing([cacheName, addresses]) {
  const found = await Promise.all(addresses.map((address) => caches.match(address, { cacheName })));
  return addresses.filter((_, i) => found[i] === undefined);
}

async function walk(client, place) {
  const own = await host(place);
  const go = (path) => client.navigate(own.url + path);
  try {
    await begin(client, own.url);
    const version = await versionOf(client);
    await checkFigure(client);
    for (const path of ["equation/", "zoo/", "lessons/1-one-neuron.html", "lessons/3-layers-and-shapes.html"]) {
      await go(path);
      assert.ok(await client.run(() => document.querySelector("snn-figure") !== null), path);
      await checkFigure(client);
    }
    await go("");

    await follow(client, "Documents");
    await follow(client, "API");
    await follow(client, "jarvis-snn/engine");
    await follow(client, "fit");
    assert.equal(await see(client, () => document.querySelector("h1")?.textContent), "fit");
    await see(client, () => {
      const input = document.querySelector("[data-search]");
      input.value = "refractory steps";
      input.dispatchEvent(new Event("input"));
      return true;
    });
    const found = await see(client, () => document.querySelector(".results a")?.href);
    assert.equal(found, `${own.url}docs/neurons.html#refractory-steps`);
    await client.navigate(found);
    await go("play/#/neuron");
    await see(client, () => document.querySelector("main canvas")?.width > 0);

    await go("docs/losses.html");
    assert.equal(await versionOf(client), version);

    // A newer version comes; this tab goes on with the older one.
    own.deploy();
    // Chromium looks for a newer version at once, but a minute later beside the first page.
    await go("docs/");
    assert.equal(await versionOf(client), version);
    await client.run(() => navigator.serviceWorker.getRegistration().then((registration) => registration.update()));
    await see(client, () =>
      navigator.serviceWorker.getRegistration().then(({ waiting }) => waiting?.state === "installed"),
    );
    const addresses = firstFiles(newer).map((file) => new URL(file, own.url).href);
    assert.deepEqual(await client.run(missing, [`jarvis-snn ${own.url} newer`, addresses]), []);
    for (const path of ["docs/getting-started.html", "docs/losses.html", ""]) {
      await go(path);
      assert.equal(await versionOf(client), version, `${path}: the version of the open tab`);
      await checkScript(client);
    }
    // A browser needs some time after the end of a tab until the waiting worker serves.
    for (let times = 1; times <= 10; times++) {
      await client.renew(own.url);
      if ((await versionOf(client)) !== version) break;
    }
    assert.equal(await versionOf(client), "9.9.9", "the version after the tab was closed");
    await see(client, () => navigator.serviceWorker.controller?.state === "activated");
    await go("docs/losses.html");
    assert.equal(await versionOf(client), "9.9.9", "the version of a page that the browser kept from before");
    await checkScript(client);
  } finally {
    own.close();
  }
}

/**
 * The first files, and a page that was visited, without the server. Not behind the walk: WebKit, whose window is private here, drops what
 * a worker keeps when for some time no tab shows the site, as while a newer version takes over.
 */
async function readWithoutServer(client, place) {
  const own = await host(place);
  try {
    await begin(client, own.url);
    await client.navigate(`${own.url}docs/losses.html`);
    const version = await versionOf(client);
    own.close();
    for (const path of [...firstFiles(site).filter((each) => /(^\.?|\/|\.html)$/.test(each)), "docs/losses.html"]) {
      await client.navigate(own.url + path);
      if (path.startsWith("play/")) {
        await see(client, () => document.querySelector("main canvas")?.width > 0);
        continue;
      }
      assert.equal(await versionOf(client), version, path);
      await checkScript(client);
      await checkFigure(client);
    }
  } finally {
    own.close();
  }
}

/** Chromium by Playwright, with the client that the others have. */
async function inChromium(use) {
  const browser = await launch();
  try {
    const context = await browser.newContext(DESKTOP);
    let page = await context.newPage();
    await use({
      navigate: (url) => page.goto(url),
      run: (body, arg) => page.evaluate(body, arg),
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
    await browser.close();
  }
}

const driven = (await browsers()).filter(({ isDriven }) => isDriven);
const engines = [
  { name: "Chromium", use: inChromium },
  ...driven.map(({ name, visit }) => ({ name, use: (use) => visit(folder, "blank.html", use) })),
];

describe("walk", { concurrency: 2 }, () => {
  for (const { name, use } of engines) {
    for (const place of PLACES) {
      test(`${name}, at ${place}: by links and search, and beside a newer version`, () =>
        use((client) => walk(client, place)));
    }
    test(`${name}: without the server`, () => use((client) => readWithoutServer(client, PLACES.at(-1))));
  }
});
