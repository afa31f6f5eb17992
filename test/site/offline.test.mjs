/**
 * The service worker in every browser: it keeps files of its version and nothing else, shows what it cannot keep, leaves other projects at
 * its address alone, and ends where pages are served for a look.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { TIMEOUT_MS } from "../../scripts/browsers.mjs";
import { root } from "../../scripts/entries.mjs";
import { writeOffline } from "../../scripts/offline.mjs";
import { poll, start } from "../../scripts/programs.mjs";
import { begin, engines, folder, host, inChromium, see } from "./engines.mjs";
import { site } from "./support.mjs";

const PORTAL = "<!doctype html><title>portal</title><p>Log in to the network.</p>";
const PAGE = "docs/energy.html";
const { first } = JSON.parse(readFileSync(join(site, "offline.json"), "utf8"));

const { title } = /<title>(?<title>.*)<\/title>/.exec(readFileSync(join(site, PAGE), "utf8")).groups;
const titleOf = (client) => client.run(() => document.title);

/** What the worker says of itself: its version, and how many files it could not keep. */
const told = (client) =>
  client.run(
    () =>
      new Promise((tell) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => tell(data);
        navigator.serviceWorker.controller.postMessage(null, [port2]);
      }),
  );

/** How often the answer comes, and how often the worker is then asked whether it has counted it. */
const ANSWERS = 10;
const LOOKS = 100;

/**
 * Waits until the worker counts an answer that it cannot keep. It forgets its count where the browser ends it for a while, so that the answer
 * has to come again.
 */
async function seeMissed(client, answer) {
  for (let time = 0; time < ANSWERS; time++) {
    const { missed } = await told(client);
    await client.run(answer);
    for (let look = 0; look < LOOKS; look++) if ((await told(client)).missed > missed) return;
  }
  assert.fail("the worker does not count an answer that it cannot keep");
}

/** The paths of all that the caches of a site have. */
const kept = async (client, url) => {
  const addresses = await client.run(async () => {
    const found = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) found.push(url);
    return found;
  });
  return addresses.map((address) => address.slice(url.length));
};

/** A host of the built site, or of another folder, while `body` runs. */
const hosted =
  (body, served = site, caching = "max-age=600") =>
  async (client) => {
    const own = await host(served, "/a/b/", caching);
    try {
      await body(client, own);
    } finally {
      own.close();
    }
  };

/** The answer of somebody else, with the status 200, for a page and for the index of the search. */
async function visitBehindPortal(client, own) {
  await begin(client, own.url);
  for (const path of [PAGE, "assets/search.json"]) own.answers.set(path, PORTAL);
  await client.navigate(own.url + PAGE);
  assert.equal(await titleOf(client), "portal");
  await client.navigate(`${own.url}docs/`);
  const ask = () => fetch("../assets/search.json").then((response) => response.text());
  assert.equal(await client.run(ask), PORTAL);
  await seeMissed(client, ask);
  own.answers.clear();
  assert.ok(
    (await client.run(ask)) === readFileSync(join(site, "assets/search.json"), "utf8"),
    "the index of the search",
  );
  await client.navigate(own.url + PAGE);
  assert.equal(await titleOf(client), title);
  await see(client, () => caches.match(location.href).then((file) => file !== undefined));
}

/** The same while the worker installs: for the list of files, and for one of them. */
async function installBehindPortal(client, own) {
  for (const path of ["offline.json", "zoo/index.html"]) {
    own.answers.set(path, PORTAL);
    await client.navigate(own.url);
    const fails = async () => {
      const registration = await navigator.serviceWorker.register("offline.js");
      while (registration.installing !== null) await new Promise((again) => setTimeout(again, 50));
      return (registration.waiting ?? registration.active) === null;
    };
    assert.equal(await client.run(fails), true, path);
    assert.deepEqual(await client.run(() => caches.keys()), [], path);
    own.answers.clear();
  }
  await begin(client, own.url);
  assert.deepEqual((await kept(client, own.url)).sort(), ["offline.json", ...Object.keys(first)].sort());
  await client.navigate(`${own.url}zoo/`);
  assert.notEqual(await titleOf(client), "portal");
}

/** Another project at the address of the site, with names of its own and with the name of a folder that the site has too. */
const another = join(folder, "another");
for (const path of ["src", "docs"]) {
  mkdirSync(join(another, path), { recursive: true });
  writeFileSync(join(another, path, "page.html"), "<!doctype html><title>another project</title>");
}

async function leaveOthersAlone(client, own) {
  await begin(client, own.url);
  own.deploy(another);
  const paths = ["src/page.html", "docs/page.html"];
  for (const path of paths) {
    const response = await client.navigate(own.url + path);
    assert.equal(await titleOf(client), "another project");
    if (path.startsWith("src/")) assert.notEqual(response?.fromServiceWorker(), true);
  }
  // The answer to a page that the worker knows comes after those that it might have kept.
  assert.ok(await client.run(() => fetch("../lessons/").then(({ ok }) => ok)));
  const found = await kept(client, own.url);
  assert.deepEqual(
    paths.filter((path) => found.includes(path)),
    [],
  );
}

/** Neither a worker nor a file is left. */
const isGone = async () =>
  (await navigator.serviceWorker.getRegistrations()).length === 0 && (await caches.keys()).length === 0;

/** Goes through pages of a build without a worker, each in turn, so that one that begins is there in the end. */
async function visitAll(client, url, paths) {
  for (const path of [...paths, ...paths]) {
    await client.navigate(url + path);
    await see(client, () => document.readyState === "complete");
  }
  assert.equal(await client.run(isGone), true);
}

const looked = join(folder, "looked");

before(async () => {
  // A command of this name opens no browser.
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "xdg-open"), "#!/bin/sh\n", { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const program = start(process.execPath, [join(root, "scripts/site.mjs"), "--open"], { env });
  const address = () => /^http:\S+/m.exec(program.output())?.[0];
  try {
    const url = await program.during((over) => poll(address, over), "the address of the site", TIMEOUT_MS);
    assert.match(await (await fetch(url)).text(), /jarvis-snn/);
  } finally {
    await program.end();
  }
  cpSync(join(root, "build/site-open"), looked, { recursive: true });
});

async function lookAround(client, own) {
  await visitAll(client, own.url, ["", "docs/losses.html", "play/"]);
  const replaceWorker = async (path) => {
    own.deploy(site);
    await begin(client, own.url);
    own.deploy(looked);
    await client.navigate(own.url + path);
  };
  // A page that the old worker does not keep ends it.
  await replaceWorker(PAGE);
  await see(client, isGone);
  await visitAll(client, own.url, [PAGE]);
  // A page that it keeps is the old one, until the browser looks for a newer worker; beside the first page Chromium does so after a minute.
  await replaceWorker("docs/");
  await seeFree(client);
  await visitAll(client, own.url, ["docs/"]);
}

/** Asks for a newer worker, as the browser may have done already: the worker without a version loads the page anew when it has ended. */
async function seeFree(client) {
  const update = () => void navigator.serviceWorker.getRegistration().then((left) => left?.update());
  const isFree = () => navigator.serviceWorker.controller === null;
  // A page that is loaded anew does not answer.
  const unlessAnew = (body) => client.run(body).catch(() => false);
  await unlessAnew(update);
  await see({ run: () => unlessAnew(isFree) });
  await see(client, isGone);
}

/** A folder as the playground was, a site of its own with a worker of its own. */
const playground = join(folder, "playground");
mkdirSync(playground);
writeFileSync(join(playground, "index.html"), "<!doctype html><title>playground</title>");
writeOffline(playground, () => "first");

/** The worker that `play/` had ends when the site has taken the place of the folder. */
async function endOldWorker(client) {
  const own = await host(playground, "/a/b/play/", "no-cache");
  try {
    await client.navigate(own.url);
    await client.run(() => navigator.serviceWorker.register("offline.js").then(() => null));
    await see(client, () => navigator.serviceWorker.controller !== null);
    assert.deepEqual((await kept(client, own.url)).sort(), ["", "offline.json"]);
    own.deploy(join(site, "play"));
    await seeFree(client);
  } finally {
    own.close();
  }
}

async function fillStorage(client, own) {
  await begin(client, own.url);
  const { usage } = await client.run(() => navigator.storage.estimate());
  const session = await client.protocol();
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(own.url).origin, quotaSize: usage - 1000 });
  await client.navigate(own.url + PAGE);
  assert.equal(await titleOf(client), title);
  await seeMissed(client, () => fetch(location.href).then((response) => response.text()));
}

describe("offline", { concurrency: 2 }, () => {
  for (const { name, use } of engines) {
    test(`${name}: an answer of somebody else is shown, and is not kept`, () => use(hosted(visitBehindPortal)));
    test(`${name}: a worker that gets an answer of somebody else does not install, until it gets its files`, () =>
      use(hosted(installBehindPortal)));
    test(`${name}: other projects at the address of the site have their pages`, () => use(hosted(leaveOthersAlone)));
    test(`${name}: a site that is opened for a look has no worker, and ends one that is left`, () =>
      use(hosted(lookAround, looked, "no-cache")));
    test(`${name}: the worker of the playground before ends itself, with its files`, () => use(endOldWorker));
  }
  test("Chromium: a page is shown where storage is full, and the worker counts it", () =>
    inChromium(hosted(fillStorage)));
});
