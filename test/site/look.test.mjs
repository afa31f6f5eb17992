/** One look on each kind of page: nothing jumps, fingers find their targets, and figures write in the type of the page. One visit serves all. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { addressOf, contextOf, DESKTOP, PHONE, site, texts } from "./support.mjs";

const KINDS = {
  "the first page": "",
  figures: "figures/",
  equation: "equation/",
  zoo: "zoo/",
  Train: "play/",
  neighbours: "neighbours/",
  balance: "balance/",
  ring: "ring/",
  "a lesson with a figure": "lessons/0-first-spike.html",
  "the list of lessons, without one": "lessons/",
  "a guide": "docs/training.html",
  "an engine on one page": "docs/nano.html",
  "all documents": "docs/",
  "the reference": "api/",
  "a page of the reference": "api/snn/LIF.html",
};
const FIGURES = ["equation", "zoo", "Train", "neighbours", "balance", "ring"];
const WINDOWS = { "1440 pixels wide": DESKTOP, "390 pixels wide": PHONE };

/** The files of the type of figures. */
const SANS = readdirSync(join(site, "assets")).filter((file) => /^sans(-bold)?-\w{8}\.woff2$/.test(file));

/** Sum of layout shifts that a page may have. */
const MOST = 0.02;
/** How late fonts come. */
const LATE_MS = 500;
/** What is smaller than a finger, with the reason; at most ten. */
const SMALL = {
  ".word": "stands in a sentence, whose lines lie closer",
  ".scrub": "stands in a sentence, whose lines lie closer",
};
const FINGER = 44;

/** Notes layout shifts and, for each text of a canvas, how wide its type writes a word; stands in the page before its first script. */
function watch() {
  globalThis.seen = { shifts: [], widths: new Set() };
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      const moved = sources.map(({ node }) => node?.parentElement?.closest("[class]")?.className ?? node?.nodeName);
      if (!hadRecentInput) globalThis.seen.shifts.push({ value, moved });
    }
  }).observe({ type: "layout-shift", buffered: true });
  const { prototype } = CanvasRenderingContext2D;
  const { fillText } = prototype;
  prototype.fillText = function (...args) {
    const { font } = this;
    this.font = font.replace(/[\d.]+px/, "100px");
    globalThis.seen.widths.add(this.measureText("spikes").width);
    this.font = font;
    return fillText.apply(this, args);
  };
}

/** How wide the page's own type writes this word, in both weights. */
async function ownWidths(files) {
  const context = document.createElement("canvas").getContext("2d");
  return Promise.all(
    files.map(async (file, i) => {
      const face = new FontFace(`own ${i}`, `url(${file})`);
      document.fonts.add(await face.load());
      context.font = `100px "own ${i}"`;
      return context.measureText("spikes").width;
    }),
  );
}

/** What is to be pressed and smaller than a finger. Links in a line of text are as high as the line. */
function smallTargets({ finger, names }) {
  const all = [
    ...document.querySelectorAll("a[href], button, select, input, textarea, summary, [role=slider], [role=button]"),
  ];
  const found = new Set();
  for (const element of all) {
    const { width, height, right } = element.getBoundingClientRect();
    if (!element.checkVisibility() || right <= 0 || getComputedStyle(element).display === "inline") continue;
    if (Math.min(width, height) >= finger - 0.01) continue;
    const name = names.find((name) => element.closest(name) !== null);
    const what = `${element.localName}.${element.className} in ${element.parentElement.className}: ${Math.round(width)} × ${Math.round(height)}`;
    found.add(name ?? what);
  }
  return [...found];
}

/** Opens a page with a cold cache; returns it when fonts and the figures in sight are there. */
async function visit(t, path, options) {
  const page = await (await contextOf(t, options)).newPage();
  await page.addInitScript(watch);
  await page.route("**/*.woff2", async (route) => {
    await new Promise((late) => setTimeout(late, LATE_MS));
    await route.continue();
  });
  await page.goto(addressOf("/", path));
  const figure = page.locator("snn-figure").first();
  if ((await figure.count()) > 0) await page.locator("snn-figure[data-lives]").first().waitFor();
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame);
  });
  return page;
}

const small = new Set();

describe("one look", { concurrency: 2 }, () => {
  for (const [width, options] of Object.entries(WINDOWS)) {
    for (const [kind, path] of Object.entries(KINDS)) {
      test(`${kind}, ${width}`, async (t) => {
        const page = await visit(t, path, options);
        const { shifts, widths } = await page.evaluate(() => ({ ...seen, widths: [...seen.widths] }));
        const sum = shifts.reduce((sum, { value }) => sum + value, 0);
        assert.ok(sum <= MOST, `layout shift of ${sum}: ${JSON.stringify(shifts)}`);
        const own = await page.evaluate(
          ownWidths,
          SANS.map((file) => addressOf("/", `assets/${file}`)),
        );
        assert.deepEqual(
          widths.filter((width) => !own.includes(width)),
          [],
          `a canvas is written in another type, whose widths are not ${own}`,
        );
        if (options === PHONE) {
          const found = await page.evaluate(smallTargets, { finger: FINGER, names: Object.keys(SMALL) });
          for (const name of found.filter((name) => name in SMALL)) small.add(name);
          assert.deepEqual(
            found.filter((name) => !(name in SMALL)),
            [],
          );
        }
        if (FIGURES.includes(kind)) {
          const first = await page.evaluate(() => document.querySelector("main > *").localName);
          assert.equal(first, "snn-figure", "no heading stands above the figure");
        }
        await LOOKS[kind]?.(page, options);
      });
    }
  }

  test("the exceptions are at most ten, and each is one", () => {
    assert.ok(Object.keys(SMALL).length <= 10);
    assert.deepEqual([...small].sort(), Object.keys(SMALL).sort());
  });
});

/** What one kind of page has to show besides. */
const LOOKS = {
  async "the first page"(page, options) {
    const { font, columns, used } = await page.evaluate(() => {
      const parts = Array.from(document.querySelectorAll(".halves > div"), (part) => part.getBoundingClientRect());
      return {
        font: getComputedStyle(document.querySelector(".answer")).fontSize,
        columns: new Set(parts.map(({ left }) => left)).size,
        used: (parts.at(-1).right - parts[0].left) / document.querySelector("main").clientWidth,
      };
    });
    assert.equal(font, "88px");
    assert.equal(columns, options === PHONE ? 1 : 2);
    assert.ok(used > 0.95, `${used} of the width`);
  },
  /** Titles and durations, of neighbours too. */
  async zoo(page) {
    const covered = await page.evaluate(() => {
      const words = Array.from(document.querySelectorAll(".zoo-cell > *"), (element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return { text: element.textContent, box: range.getBoundingClientRect() };
      });
      const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
      return words.flatMap(({ text, box }, i) =>
        words.slice(i + 1).flatMap((other) => (meets(box, other.box) ? [`${text}, ${other.text}`] : [])),
      );
    });
    assert.deepEqual(covered, []);
  },
};

test("each lesson leads to the one before and the one after it", () => {
  const lessons = [...texts.keys()].filter((path) => path.startsWith("lessons/") && !path.endsWith("index.html"));
  assert.ok(lessons.length >= 6);
  for (const [i, path] of lessons.entries()) {
    const hrefOf = (rel) => new RegExp(`rel="${rel}" href="([^"]+)"`).exec(texts.get(path))?.[1];
    assert.equal(hrefOf("prev"), `../${lessons[i - 1] ?? "lessons/"}`, path);
    assert.equal(hrefOf("next"), lessons[i + 1] && `../${lessons[i + 1]}`, path);
  }
});
