/** The built site: its files, its looks, and who can use it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import axe from "axe-core/axe.min.js";
import { parse } from "parse5";
import { render } from "../../scripts/site/markdown.mjs";
import { addressOf, contextOf, DESKTOP, open, PHONE, site, texts, wake } from "./support.mjs";

/** Pages of the reference that stand for all: an entry, a class, a neuron, a function, an interface, a namespace. */
const REFERENCE = ["snn/index", "engine/Tensor", "snn/AdEx", "engine/fit", "engine/FitOptions", "snn/surrogate"].map(
  (name) => `api/${name}.html`,
);
/** Pages that persons have written, and the six. */
const written = [...[...texts.keys()].filter((path) => !path.startsWith("api/")), "api/index.html", ...REFERENCE];

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

  test("the service worker is small, and asks for at most 6 MB of files at once", () => {
    const { first } = JSON.parse(readFileSync(join(site, "offline.json"), "utf8"));
    const sizes = Object.keys(first).map((path) => statSync(join(site, path.replace(/(^|\/)$/, "$1index.html"))).size);
    const sum = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(sum <= 6 * 2 ** 20, `${sum} bytes`);
    const { size } = statSync(join(site, "offline.js"));
    assert.ok(size <= 3000, `${size} bytes`);
  });

  test("every page has the same content policy, before anything that it loads", () => {
    const policyOf = (elements) => {
      const metas = elements.filter((element) => attributeOf(element, "http-equiv") === "Content-Security-Policy");
      const loads = elements.findIndex(({ tagName }) => ["link", "script"].includes(tagName));
      assert.ok(metas.length === 1 && elements.indexOf(metas[0]) < loads);
      return attributeOf(metas[0], "content");
    };
    const policies = new Set([...trees.values()].map(policyOf));
    assert.equal(policies.size, 1);
    assert.match([...policies][0], /default-src 'self'; script-src 'self' 'wasm-unsafe-eval';/);
  });

  test("without an address of its own no page names one", () => {
    for (const [path, text] of texts) assert.doesNotMatch(text, /rel="canonical"|property="og:/, path);
  });
});

describe("formulas", () => {
  const html = (text) => render(text, { link: (href) => href, name: () => undefined, figure: () => undefined }).html;

  test("formulas in texts and in blocks become MathML without inline styles", () => {
    assert.match(
      html("the sum $\\frac{a}{b}$ of"),
      /^<p>the sum <math><mfrac><mi>a<\/mi><mi>b<\/mi><\/mfrac><\/math> of<\/p>/,
    );
    const block = html("```math\n\\begin{cases} a & b \\\\ \\hat c & d \\end{cases}\n```");
    assert.match(block, /^<div class="formula" tabindex="0"><math display="block"/);
    assert.doesNotMatch(block, / style=/);
    assert.throws(() => html("$\\color{red} x$"), /expected a style that the sheet has/);
  });

  test("dollars that hold no formula stay as they are", () => {
    for (const text of ["$5 and $6", "a $ b $ c", "`$x$` costs $1", "US$ and A$"])
      assert.doesNotMatch(html(text), /<math/, text);
  });
});

describe("looks", { concurrency: 3 }, () => {
  test("the look is changed from light to dark, and stays", async (t) => {
    // With the service worker, which answers once the page is loaded again.
    const page = await open(t, "/", "docs/losses.html", { ...DESKTOP, serviceWorkers: "allow" });
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
    await page.locator("summary").getByText("Pages", { exact: true }).click();
    await page.getByRole("link", { name: "API", exact: true }).click();
    assert.equal(await page.locator("h1").textContent(), "API reference");
  });

  for (const width of [390, 360, 320]) {
    test(`the bar shows the parts of the site side by side, ${width} pixels wide`, async (t) => {
      const page = await open(t, "/", "docs/", { ...PHONE, viewport: { width, height: 844 } });
      const boxes = await page.evaluate(() =>
        Array.from(document.querySelectorAll(".bar :is(.brand, nav a, input, button)"), (element) => {
          const { left, right, top, bottom, height } = element.getBoundingClientRect();
          return { text: element.textContent.trim() || element.tagName, left, right, top, bottom, height };
        }),
      );
      assert.ok(boxes.length >= 6);
      boxes.forEach((box, i) => {
        assert.ok(box.left >= 0 && box.right <= width, `${box.text}: from ${box.left} to ${box.right}`);
        assert.ok(box.height >= 24, `${box.text}: ${box.height} pixels high`);
        for (const other of boxes.slice(i + 1)) {
          const apart =
            box.right <= other.left || other.right <= box.left || box.bottom <= other.top || other.bottom <= box.top;
          assert.ok(apart, `${box.text} covers ${other.text}`);
        }
      });
    });
  }

  test("the search tells where nothing is found, and where its index does not load", async (t) => {
    const page = await (await contextOf(t)).newPage();
    await page.goto(addressOf("/", "docs/losses.html"));
    await page.fill("[data-search]", "xyzzyx");
    await page.getByText("Nothing is found for “xyzzyx”.").waitFor();
    await page.reload();
    await page.route("**/search.json", (route) => route.fulfill({ status: 503, body: "" }));
    await page.fill("[data-search]", "loss");
    await page.getByText("The index does not load").waitFor();
    await page.unroute("**/search.json");
    await page.fill("[data-search]", "losses");
    await page.locator(".results a").first().waitFor();
  });

  test("in forced colours the current page and the current part show by lines, and code has a border", async (t) => {
    const page = await open(t, "/", "docs/losses.html", { ...DESKTOP, forcedColors: "active" });
    const styleOf = (selector) =>
      page.evaluate((selector) => {
        const { borderLeftWidth, borderTopStyle, textDecorationLine } = getComputedStyle(
          document.querySelector(selector),
        );
        return { borderLeftWidth, borderTopStyle, textDecorationLine };
      }, selector);
    const [current, other] = [await styleOf(".pages [aria-current]"), await styleOf(".pages a:not([aria-current])")];
    assert.ok(Number.parseFloat(current.borderLeftWidth) > Number.parseFloat(other.borderLeftWidth));
    assert.equal((await styleOf(".bar [aria-current]")).textDecorationLine, "underline");
    assert.equal((await styleOf(".bar nav a:not([aria-current])")).textDecorationLine, "none");
    assert.equal((await styleOf("pre")).borderTopStyle, "solid");
  });
});

/** The names of the living figures of a page that move by themselves. */
async function moving(page) {
  const names = [];
  for (const figure of await page.locator("snn-figure[data-lives]").all()) {
    await figure.scrollIntoViewIfNeeded();
    // What a worker computes may come some time after the figure lives; a figure that moves has no round without a change.
    const isStill = await figure.evaluate(async (element) => {
      const ink = () => Array.from(element.querySelectorAll("canvas"), (canvas) => canvas.toDataURL()).join();
      for (let round = 0, before = ""; round < 20; round++) {
        for (let i = 0; i < 30; i++) await new Promise(requestAnimationFrame);
        const after = ink();
        if (after === before) return true;
        before = after;
      }
      return false;
    });
    if (!isStill) names.push(await figure.getAttribute("name"));
  }
  return names;
}

/** A page on which a program is open for typing. */
const EDITED = "docs/neurons.html";

async function openEditor(page) {
  const program = page.locator(".program[data-types]").first();
  await program.scrollIntoViewIfNeeded();
  await program.getByRole("button", { name: "Edit" }).click();
  await program.locator("textarea").waitFor();
}

describe("access", { concurrency: 2 }, () => {
  const SHARES = 2;
  for (let share = 0; share < SHARES; share++) {
    test(`axe finds nothing, light and dark, wide and narrow, no page is wider than its window, and with reduced motion no figure moves by itself: ${share + 1} of ${SHARES}`, async (t) => {
      const page = await open(t, "/", "", { ...DESKTOP, reducedMotion: "reduce" });
      const found = [];
      const check = async (where, rules) => {
        const { violations } = await page.evaluate((rules) => globalThis.axe.run(rules), rules);
        for (const { id, nodes } of violations) found.push(`${where}: ${id}: ${nodes[0].html.slice(0, 160)}`);
      };
      /** Makes the window as wide, and its page, once figures have followed, may be no wider. */
      const resize = async (viewport) => {
        await page.setViewportSize(viewport);
        const over = await page.evaluate(async () => {
          for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
          const { scrollWidth, clientWidth } = document.documentElement;
          return scrollWidth - clientWidth;
        });
        if (over > 0) found.push(`${page.url()}: ${over} pixels wider than a window of ${viewport.width}`);
      };
      const all = { resultTypes: ["violations"] };
      // A look changes colours alone.
      const colours = { ...all, runOnly: ["color-contrast"] };
      for (const path of written.filter((_, i) => i % SHARES === share)) {
        await page.goto(addressOf("/", path));
        for (const problem of await wake(page)) found.push(`${path}: ${problem}`);
        for (const name of await moving(page)) found.push(`${path}: ${name} moves`);
        if (path === EDITED) await openEditor(page);
        await resize(DESKTOP.viewport);
        await page.evaluate(thin);
        await page.evaluate(axe.source);
        await check(`${path}, wide, light`, all);
        await page.emulateMedia({ colorScheme: "dark" });
        await check(`${path}, wide, dark`, colours);
        await resize(PHONE.viewport);
        await check(`${path}, narrow, dark`, colours);
        await page.emulateMedia({ colorScheme: "light" });
        await check(`${path}, narrow, light`, all);
        await resize({ ...PHONE.viewport, width: 320 });
        await page.setViewportSize(DESKTOP.viewport);
      }
      assert.deepEqual(found, []);
    });
  }
});

/** Leaves of what is alike on a page a few: axe asks for the ground of each word. Rows of a long table, and words of one colour in a program. */
function thin() {
  for (const row of document.querySelectorAll("tbody tr:nth-child(n + 9)")) row.remove();
  for (const program of document.querySelectorAll("pre")) {
    const seen = new Set();
    for (const word of program.querySelectorAll("span")) {
      if (word.childElementCount > 0 || !seen.has(word.className)) seen.add(word.className);
      else word.replaceWith(word.textContent);
    }
  }
}
