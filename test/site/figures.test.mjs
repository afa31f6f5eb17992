/** The weight of figures: the scripts that each loads itself, and what runs in the worker of a page. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { root } from "../../scripts/entries.mjs";

const assets = join(root, "build/site/assets");
const scripts = new Map(
  readdirSync(assets)
    .filter((name) => name.endsWith(".js"))
    .map((name) => [name, readFileSync(join(assets, name), "utf8")]),
);
const sizes = new Map([...scripts].map(([name, text]) => [name, gzipSync(text, { level: 9 }).length]));

/** The script of the entry of this name. */
function entry(name) {
  const found = [...scripts.keys()].filter((file) => file.startsWith(`${name}-`));
  assert.equal(found.length, 1, `one ${name}, got ${found.join(", ")}`);
  return found[0];
}

/** Scripts that come with these by imports at their beginnings, themselves included. */
function withImports(names) {
  const loaded = new Set(names);
  for (const name of loaded) {
    for (const [, other] of scripts.get(name).matchAll(/(?:\bfrom|\bimport)\s*["`]\.\/([\w.-]+\.js)["`]/g))
      loaded.add(other);
  }
  return loaded;
}

/** Of a script that loads others by a name, these names and their scripts: `"./zoo/figure.ts": () => import("./figure-….js")`. */
const loadedBy = (name, pattern) =>
  [...scripts.get(name).matchAll(/["`]\.\/([\w/-]+)\.ts["`]:\(\)=>(?:\w+\(\(\)=>)?import\(["`]\.\/([\w.-]+)["`]\)/g)]
    .filter(([, path]) => pattern.test(path))
    .map(([, path, file]) => [path.replace(pattern, "$1"), file]);

const weigh = (names) => [...withImports(names)].reduce((sum, name) => sum + sizes.get(name), 0);

const frame = [...scripts.keys()].find((name) => loadedBy(name, /\/figure$/).length > 0);
const figures = loadedBy(frame, /^(.+)\/figure$/);
const tasks = loadedBy(entry("worker"), /^tasks\/(.+)$/);

test("a figure loads at most 119 kB of scripts, compressed, with shell, frame and package", () => {
  assert.ok(figures.length > 0);
  for (const [name, file] of figures) {
    const sum = weigh([entry("shell"), entry("theme"), frame, file]);
    assert.ok(sum <= 119_000, `${name}: ${sum} bytes`);
  }
});

test("the choice of a shared figure loads at most 3 kB of scripts, compressed, besides what each figure has loaded", () => {
  const there = figures.map(([, file]) => withImports([entry("shell"), frame, file]));
  const own = [...withImports([entry("share")])].filter((name) => !there.every((loaded) => loaded.has(name)));
  const sum = own.reduce((sum, name) => sum + sizes.get(name), 0);
  assert.ok(sum <= 3000, `${sum} bytes: ${own.join(", ")}`);
});

test("the worker of a page loads at most 133 kB, compressed, with a task", () => {
  assert.ok(tasks.length > 0);
  for (const [name, file] of tasks) {
    const sum = weigh([entry("worker"), file]);
    assert.ok(sum <= 133_000, `${name}: ${sum} bytes`);
  }
});
