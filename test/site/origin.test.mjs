/** The site for an address: canonical links, cards, and a map. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/entries.mjs";

const ORIGIN = "https://example.org/a/b";
const out = join(root, "build/site-origin");
const read = (path) => readFileSync(join(out, path), "utf8");

before(() =>
  promisify(execFile)(process.execPath, [join(root, "scripts/site.mjs"), "--origin", ORIGIN, "--out", out], {
    cwd: root,
  }),
);
after(() => rmSync(out, { recursive: true, force: true }));

/** Paths of pages; a page that is the first of its folder has the address of the folder. */
const pagesOf = () =>
  readdirSync(out, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".html"))
    .sort();
const addressOf = (path) => `${ORIGIN}/${path.replace(/(^|\/)index\.html$/, "$1")}`;

test("every page says its address, and has a card that is a picture of 1200 × 630 pixels", () => {
  const pictures = new Map();
  for (const path of pagesOf()) {
    const html = read(path);
    const value = (pattern) => pattern.exec(html)?.[1];
    assert.equal(value(/<link rel="canonical" href="([^"]+)">/), addressOf(path));
    assert.equal(value(/property="og:url" content="([^"]+)"/), addressOf(path));
    assert.ok(value(/property="og:title" content="([^"]+)"/).includes("jarvis-snn") || path === "index.html", path);
    assert.equal(value(/name="twitter:card" content="([^"]+)"/), "summary_large_image");
    const card = value(/property="og:image" content="([^"]+)"/);
    assert.ok(card.startsWith(`${ORIGIN}/cards/`), card);
    const png = readFileSync(join(out, card.slice(ORIGIN.length + 1)));
    assert.equal(png.subarray(1, 4).toString(), "PNG");
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1200, 630]);
    if (!path.startsWith("api/")) pictures.set(path, png.toString("base64"));
  }
  assert.equal(new Set(pictures.values()).size, pictures.size, "two pages have the same card");
});

test("the map lists every page", () => {
  const listed = [...read("sitemap.xml").matchAll(/<loc>([^<]+)<\/loc>/g)].map(([, address]) => address);
  assert.deepEqual(listed.sort(), pagesOf().map(addressOf).sort());
});

test("the service worker keeps no card, and no map", () => {
  assert.doesNotMatch(read("offline.js") + read("offline.json"), /cards\/|sitemap/);
});
