/** The built site: its files, and a walk through it in a browser, at the root of a server and in a folder of one. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import { parse } from "parse5";
import { chromium } from "playwright-core";
import { root } from "../../scripts/entries.mjs";
import { serve } from "../../scripts/serve.mjs";

const site = join(root, "build/site");
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const DESKTOP = { viewport: { width: 1440, height: 900 } };

/** Paths of pages of the shell; the playground has tests of its own. */
const pages = readdirSync(site, { recursive: true })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".html") && !path.startsWith("play/"));
const texts = new Map(pages.map((path) => [path, readFileSync(join(site, path), "utf8")]));

/** Pages of the reference that stand for all: an entry, a class, a neuron, a function, an interface, a namespace. */
const REFERENCE = ["snn/index", "engine/Tensor", "snn/AdEx", "engine/fit", "engine/FitOptions", "snn/surrogate"].map(
  (name) => `api/${name}.html`,
);
/** Pages that persons have written, and the six. */
const written = [...pages.filter((path) => !path.startsWith("api/")), "api/index.html", ...REFERENCE];

/** Elements of a tree of parse5, at any depth. */
function* elementsOf(node) {
  if (node.tagName !== undefined) yield node;
  for (const child of node.childNodes ?? []) yield* elementsOf(child);
}
const attributeOf = (element, name) => element.attrs.find((attr) => attr.name === name)?.value;

describe("files", () => {
  const trees = new Map();
  const errors = [];
  for (const [path, text] of texts) {
    trees.set(path, [
      ...elementsOf(
        parse(text, { onParseError: ({ code, startLine }) => errors.push(`${path}:${startLine}: ${code}`) }),
      ),
    ]);
  }

  test("every page is HTML without errors, and gives an id once", () => {
    assert.deepEqual(errors, []);
    for (const [path, elements] of trees) {
      const ids = elements.map((element) => attributeOf(element, "id")).filter((id) => id !== undefined);
      assert.deepEqual(
        ids.filter((id, i) => ids.indexOf(id) !== i),
        [],
        path,
      );
      assert.equal(elements.filter(({ tagName }) => tagName === "h1").length, 1, `${path}: one h1`);
    }
  });

  test("links are relative, and lead to files and to ids that are there", () => {
    const ids = new Map(
      [...trees].map(([path, elements]) => [path, new Set(elements.map((element) => attributeOf(element, "id")))]),
    );
    const wrong = [];
    let count = 0;
    for (const [path, elements] of trees) {
      for (const element of elements) {
        const target = attributeOf(element, "href") ?? attributeOf(element, "src");
        if (target === undefined || /^(https?|mailto|data):/.test(target)) continue;
        count++;
        const [, file, hash] = /^([^#]*)#?(.*)$/.exec(target);
        if (file.startsWith("/")) wrong.push(`${path}: ${target} begins at the root`);
        let to = file === "" ? path : join(dirname(path), decodeURI(file)).replaceAll("\\", "/");
        if (existsSync(join(site, to)) && statSync(join(site, to)).isDirectory()) to = join(to, "index.html");
        if (!existsSync(join(site, to))) wrong.push(`${path}: ${target}`);
        else if (hash !== "" && ids.has(to) && !ids.get(to).has(decodeURIComponent(hash)))
          wrong.push(`${path}: ${target}`);
      }
    }
    assert.ok(count > 10_000, `${count} links`);
    assert.deepEqual(wrong, []);
  });

  test("no page holds a script or a style, or asks another server for one", () => {
    for (const [path, elements] of trees) {
      for (const element of elements) {
        assert.equal(attributeOf(element, "style"), undefined, path);
        assert.notEqual(element.tagName, "style", path);
        for (const { name } of element.attrs) assert.ok(!name.startsWith("on"), `${path}: ${name}`);
        if (element.tagName !== "script") continue;
        assert.deepEqual(element.childNodes, [], path);
        assert.ok(!/^\w+:/.test(attributeOf(element, "src")), path);
      }
    }
  });

  test("a page of text carries at most 15 kB of scripts, compressed", () => {
    const weigh = (path) => gzipSync(readFileSync(join(site, path)), { level: 9 }).length;
    for (const [path, elements] of trees) {
      const scripts = elements.filter(({ tagName }) => tagName === "script").map((each) => attributeOf(each, "src"));
      const sum = scripts.reduce((sum, src) => sum + weigh(join(dirname(path), src)), 0);
      assert.ok(sum <= 15_000, `${path}: ${sum} bytes`);
    }
  });

  test("the service worker asks for files that are there, at most 6 MB of them", () => {
    const [, list] = /^const FILES = (.*);$/m.exec(readFileSync(join(site, "offline.js"), "utf8"));
    const sizes = JSON.parse(list).map(
      (path) => statSync(join(site, /(^\.?|\/)$/.test(path) ? `${path}index.html` : path)).size,
    );
    const sum = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(sum <= 6 * 2 ** 20, `${sum} bytes`);
  });

  test("without an address of its own no page names one", () => {
    for (const [path, text] of texts) assert.doesNotMatch(text, /rel="canonical"|property="og:/, path);
  });
});

let browser;
const servers = {};

before(async () => {
  for (const place of ["/", "/a/b/"]) servers[place] = await serve(site, place);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
});

after(async () => {
  await browser?.close();
  for (const server of Object.values(servers)) server.close();
});

const addressOf = (place, path) => servers[place].url + path;

/** A page; when the test ends, nothing may have gone wrong on it. */
async function open(t, place, path, options = DESKTOP) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.stack ?? String(error)));
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(addressOf(place, path));
  return page;
}

describe("walk", { concurrency: 3 }, () => {
  for (const place of ["/", "/a/b/"]) {
    test(`at ${place}: from the first page to documents, reference and playground, and by search`, async (t) => {
      const page = await open(t, place, "");
      await page.getByRole("link", { name: "Documents" }).first().click();
      await page.waitForURL(addressOf(place, "docs/"));
      await page.getByRole("link", { name: "API", exact: true }).first().click();
      await page.getByRole("link", { name: "jarvis-snn/engine" }).first().click();
      await page.getByRole("link", { name: "fit", exact: true }).click();
      assert.equal(await page.locator("h1").textContent(), "fit");
      await page.fill("[data-search]", "refractory steps");
      await page.locator(".results a").first().waitFor();
      await page.press("[data-search]", "Enter");
      await page.waitForURL(/docs\/neurons\.html#refractory-steps$/);
      await page.goto(addressOf(place, "play/#/train"));
      await page.locator(".room canvas").first().waitFor();
      await page.getByRole("link", { name: "jarvis-snn" }).click();
      await page.waitForURL(addressOf(place, ""));
    });
  }

  test("without the server, pages that were there at the first visit and pages that were visited open again", async (t) => {
    const own = await serve(site, "/");
    let isOpen = true;
    t.after(() => isOpen && own.close());
    const context = await browser.newContext(DESKTOP);
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(own.url);
    await page.evaluate(() =>
      navigator.serviceWorker.ready.then(({ active }) =>
        active.state === "activated"
          ? null
          : new Promise((tell) => active.addEventListener("statechange", tell, { once: true })),
      ),
    );
    await page.goto(`${own.url}docs/losses.html`);
    own.close();
    isOpen = false;
    for (const path of ["", "docs/losses.html", "play/"]) {
      await page.goto(own.url + path);
      assert.ok((await page.title()).includes("jarvis-snn"), path);
    }
  });

  test("the look is changed from light to dark, and stays", async (t) => {
    const page = await open(t, "/", "docs/losses.html");
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.click("[data-theme-button]");
    const dark = await paper();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await paper(), dark);
  });

  test("every page reads without JavaScript", async (t) => {
    const page = await open(t, "/", "docs/neurons.html", { ...DESKTOP, javaScriptEnabled: false });
    assert.ok((await page.locator("main").textContent()).length > 10_000);
    await page.getByRole("link", { name: "API", exact: true }).click();
    assert.equal(await page.locator("h1").textContent(), "API reference");
  });
});

describe("access", { concurrency: 3 }, () => {
  for (const [look, options] of Object.entries({
    "light, wide": { ...DESKTOP, colorScheme: "light" },
    "dark, narrow": { ...PHONE, colorScheme: "dark" },
  })) {
    test(`axe finds nothing, and no page is wider than its window: ${look}`, async (t) => {
      const page = await open(t, "/", "", options);
      const found = [];
      for (const path of written) {
        await page.goto(addressOf("/", path));
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
        for (const { id, nodes } of violations) found.push(`${path}: ${id}: ${nodes[0].html.slice(0, 160)}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) found.push(`${path}: ${over} pixels wider than the window`);
      }
      assert.deepEqual(found, []);
    });
  }
});
