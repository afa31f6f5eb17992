/** What pages weigh, compressed: the scripts of pages of text, and the data that figures load. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { addressOf, open, site, texts } from "./support.mjs";

const weigh = (path) => gzipSync(readFileSync(join(site, path)), { level: 9 }).length;

const sum = (paths) => [...paths].reduce((total, path) => total + weigh(path), 0);

/** A script with all that it imports at its beginning. */
function closure(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const text = readFileSync(join(site, path), "utf8");
  for (const [, other] of text.matchAll(/(?:\bfrom|\bimport)\s*["`](\.[^"`]+\.js)["`]/g))
    closure(join(dirname(path), other).replaceAll("\\", "/"), found);
  return found;
}

test("a page of text carries at most 15 kB of scripts", () => {
  for (const [path, text] of texts) {
    const scripts = [...text.matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, src]) => join(dirname(path), src));
    assert.ok(scripts.length > 0, path);
    const bytes = sum(scripts.flatMap((script) => [...closure(script.replaceAll("\\", "/"))]));
    assert.ok(bytes <= 15_000, `${path}: ${bytes} bytes`);
  }
});

test("a figure loads at most 150 kB of data when it comes near", async (t) => {
  const page = await open(t, "/", "");
  for (const [path] of [...texts].filter(([, text]) => text.includes("<snn-figure"))) {
    const loaded = new Set();
    const note = (request) => {
      if (["fetch", "xhr", "other"].includes(request.resourceType()))
        loaded.add(new URL(request.url()).pathname.slice(1));
    };
    page.on("request", note);
    await page.goto(addressOf("/", `${path}?embed=1`));
    await page.locator("snn-figure[data-lives]").first().waitFor();
    page.off("request", note);
    // The digits have a limit of their own.
    const bytes = sum([...loaded].filter((each) => !/\.(js|svg)$|^assets\/digits\.bin$/.test(each)));
    assert.ok(bytes <= 150_000, `${path}: ${bytes} bytes: ${[...loaded].join(", ")}`);
  }
});

test("the digits that figures learn are at most 250 kB", () => {
  const bytes = weigh("assets/digits.bin");
  assert.ok(bytes <= 250_000, `${bytes} bytes`);
});
