/**
 * Walks through the built site in every browser, at the root of a server and in a folder of one: by links and search, while a newer
 * version takes the place of the older one; and without the server.
 */
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { ofSite, writeOffline } from "../../scripts/offline.mjs";
import { begin, engines, folder, host, see } from "./engines.mjs";
import { PLACES, site } from "./support.mjs";

const newer = join(folder, "newer");
const OLD = /<footer>jarvis-snn [\d.]+/;

/** Names of scripts with the digest of their content, as the bundler writes them. */
const SCRIPT = /-([\w-]{8})\.js\b/g;

let newerVersion;

/** A newer version of the site: pages say another version, all scripts have other names, and the service worker has other files. */
before(() => {
  cpSync(site, newer, { recursive: true, filter: (path) => !path.includes(join(site, "api", "snn")) });
  for (const entry of readdirSync(newer, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(html|js)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, "utf8").replace(OLD, "<footer>jarvis-snn 9.9.9").replaceAll(SCRIPT, "-$1N.js");
    writeFileSync(path, text);
    const name = entry.name.replaceAll(SCRIPT, "-$1N.js");
    if (name !== entry.name) renameSync(path, join(dirname(path), name));
  }
  newerVersion = writeOffline(newer, ofSite);
});

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
const firstFiles = (folder) => Object.keys(JSON.parse(readFileSync(join(folder, "offline.json"), "utf8")).first);

/** Which of these files the browser does not keep in a cache. */
async function missing([cacheName, addresses]) {
  const found = await Promise.all(addresses.map((address) => caches.match(address, { cacheName })));
  return addresses.filter((_, i) => found[i] === undefined);
}

async function walk(client, place, engine) {
  const own = await host(site, place);
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

    await follow(client, "Docs");
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
    await go("play/");
    await checkFigure(client);

    await go("docs/losses.html");
    assert.equal(await versionOf(client), version);

    // A newer version comes; this tab goes on with the older one.
    own.deploy(newer);
    // Chromium looks for a newer version at once, but a minute later beside the first page.
    await go("docs/");
    assert.equal(await versionOf(client), version);
    await client.run(() => navigator.serviceWorker.getRegistration().then((registration) => registration.update()));
    await see(client, () =>
      navigator.serviceWorker.getRegistration().then(({ waiting }) => waiting?.state === "installed"),
    );
    const addresses = firstFiles(newer).map((file) => new URL(file, own.url).href);
    assert.deepEqual(await client.run(missing, [`jarvis-snn ${own.url} ${newerVersion}`, addresses]), []);
    let shown = version;
    for (const path of ["docs/getting-started.html", "docs/losses.html", ""]) {
      await go(path);
      const found = await versionOf(client);
      // In WebKit no tab shows the site between two pages: on a busy machine the newer version takes over there, and stays.
      if (engine.startsWith("WebKit") && found === "9.9.9") shown = found;
      assert.equal(found, shown, `${path}: the version of the open tab`);
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
  const own = await host(site, place);
  try {
    await begin(client, own.url);
    await client.navigate(`${own.url}docs/losses.html`);
    const version = await versionOf(client);
    own.close();
    for (const path of [...firstFiles(site).filter((each) => /(^|\/|\.html)$/.test(each)), "docs/losses.html"]) {
      await client.navigate(own.url + path);
      assert.equal(await versionOf(client), version, path);
      await checkScript(client);
      await checkFigure(client);
    }
  } finally {
    own.close();
  }
}

/** Chromium walks at both places; of the other engines, whose links lead where those of Chromium lead, each at one. */
const placesOf = (i) => (i === 0 ? PLACES : [PLACES[i % PLACES.length]]);

describe("walk", { concurrency: 2 }, () => {
  for (const [i, { name, use }] of engines.entries()) {
    for (const place of placesOf(i)) {
      test(`${name}, at ${place}: by links and search, and beside a newer version`, () =>
        use((client) => walk(client, place, name)));
    }
    test(`${name}: without the server`, () => use((client) => readWithoutServer(client, PLACES.at(-1))));
  }
});
