/** The living figures of lessons 3 to 8, in the built site. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { build } from "vite";
import { root } from "../../scripts/entries.mjs";
import { serve } from "../../scripts/serve.mjs";
import { contextOf, DESKTOP, open as openPage, PHONE } from "./support.mjs";

const CUBE = "lessons/3-layers-and-shapes.html";
const CREDIT = "lessons/4-why-a-spike-has-no-gradient.html";
const MNIST = "lessons/5-mnist-in-a-page.html";
const FILTERS = "lessons/6-convolutions.html";
const MEMORY = "lessons/7-memory.html";
const FIELDS = "lessons/8-without-a-teacher.html";

/** The living figure of a page; when the test ends, nothing may have gone wrong on it. */
async function figureOf(t, path, options = {}) {
  const page = await openPage(t, "/a/b/", path, { ...DESKTOP, ...options });
  const figure = page.locator("snn-figure[data-lives]").first();
  await figure.waitFor();
  return { page, figure };
}

/** The pixels of all canvases of a figure, after the next picture. */
const pictureOf = (figure) =>
  figure.evaluate(async (host) => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return [...host.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()).join();
  });

/** Moves a slider as a reader does, and lets the page hear of it. */
const slide = (slider, value) =>
  slider.evaluate((input, value) => {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, String(value));

describe("lesson 3", { concurrency: 2 }, () => {
  test("time passes in the cube until the reader takes over; cuts and indices change picture and code", async (t) => {
    const { figure } = await figureOf(t, CUBE);
    const first = await figure.locator("code").textContent();
    await figure
      .page()
      .waitForFunction((before) => document.querySelector(".figure-shape-cube code").textContent !== before, first);
    const pictures = new Set([await pictureOf(figure)]);
    await slide(figure.getByRole("slider", { name: "Step t" }), 3);
    const step = await pictureOf(figure);
    assert.match(await figure.locator("code").textContent(), /^spikes\.slice\(0, 3, 4\).*\[4, 12\]$/);
    assert.equal(await pictureOf(figure), step, "the cube stands still after the reader took over");
    pictures.add(step);
    for (const [cut, code] of [
      ["sample", /^spikes\.slice\(1, 0, 1\).*\[20, 12\]$/],
      ["neuron", /^spikes\.slice\(2, 6, 7\).*\[20, 4\]$/],
      ["train", /^spikes\.slice\(1, 0, 1\)\.slice\(2, 6, 7\).*\[20\]$/],
    ]) {
      await figure.locator(`[data-cut=${cut}]`).click();
      assert.match(await figure.locator("code").textContent(), code);
      assert.equal(await figure.locator(`[data-cut=${cut}]`).getAttribute("aria-pressed"), "true");
      pictures.add(await pictureOf(figure));
    }
    await slide(figure.getByRole("slider", { name: "Sample b" }), 2);
    pictures.add(await pictureOf(figure));
    assert.equal(pictures.size, 6);
  });

  test("with reduced motion the cube stands still", async (t) => {
    const { figure } = await figureOf(t, CUBE, { reducedMotion: "reduce" });
    const before = await figure.locator("code").textContent();
    await figure.page().waitForTimeout(1200);
    assert.equal(await figure.locator("code").textContent(), before);
  });
});

describe("lesson 4", { concurrency: 2 }, () => {
  test("the slope grows; width and cursor change the bars and the sentence", async (t) => {
    const { figure, page } = await figureOf(t, CREDIT);
    await page.waitForFunction(() => Number(document.querySelector(".figure-credit input").value) >= 0.5);
    const sentence = () => figure.locator(".sentence").textContent();
    const grown = await pictureOf(figure);
    await slide(figure.locator("input"), 0);
    assert.match(await sentence(), /^Width 0, the step as it is/);
    const step = await pictureOf(figure);
    assert.notEqual(step, grown);
    await slide(figure.locator("input"), 0.8);
    assert.match(await sentence(), /^Width 0\.8: .* passes /);
    const wide = await pictureOf(figure);
    assert.notEqual(wide, step);
    const before = await sentence();
    await figure.getByRole("slider", { name: /time$/ }).press("ArrowLeft");
    assert.notEqual(await sentence(), before);
    assert.notEqual(await pictureOf(figure), wide);
  });

  test("with reduced motion the slope has its width at once", async (t) => {
    const { figure } = await figureOf(t, CREDIT, { reducedMotion: "reduce" });
    assert.equal(await figure.locator("input").inputValue(), "0.5");
  });
});

describe("lesson 5", () => {
  const untilText = (page, selector, text) =>
    page.waitForFunction(
      ([selector, text]) => document.querySelector(selector).textContent.includes(text),
      [selector, text],
    );

  test("a press trains in the worker of the page: more than 85 % of the test digits, and again after a stop", async (t) => {
    const { figure, page } = await figureOf(t, MNIST);
    // A training is over in less than a second, which a look or a press from here may take.
    const early = await figure.evaluate(async (element) => {
      const [time, train] = [element.querySelector(".time"), element.querySelector(".controls button")];
      train.click();
      while (!time.textContent.includes("left")) await new Promise(requestAnimationFrame);
      return [...element.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()).join();
    });
    await untilText(page, ".figure-mnist-page .time", "done");
    const result = await figure.locator(".sentence").textContent();
    const [, share] = /^([\d.]+)\s%.*epoch 10,/.exec(result) ?? [];
    assert.ok(Number(share) >= 85, result);
    assert.ok((await pictureOf(figure)) !== early, "the picture changes");
    await figure.getByRole("button", { name: "Train again", exact: true }).evaluate(async (button) => {
      button.click();
      while (button.textContent !== "Stop") await new Promise(requestAnimationFrame);
      button.click();
    });
    await untilText(page, ".figure-mnist-page .time", "stopped");
    assert.equal(await figure.locator(".problem").isVisible(), false);
  });

  test("a training that begins out of sight waits, and runs when it is seen", async (t) => {
    const { figure, page } = await figureOf(t, MNIST, { reducedMotion: "reduce" });
    const time = figure.locator(".time");
    await page.evaluate(async () => {
      scrollTo(0, document.body.scrollHeight);
      // The frame hears of it with a later picture.
      for (let frame = 0; frame < 10; frame++) await new Promise(requestAnimationFrame);
    });
    await figure.getByRole("button", { name: "Train", exact: true }).evaluate((button) => button.click());
    await figure.getByRole("button", { name: "Stop" }).waitFor();
    await page.waitForTimeout(1500);
    assert.doesNotMatch(await time.textContent(), /passed/);
    await page.evaluate(() => scrollTo(0, 0));
    await untilText(page, ".figure-mnist-page .time", "done");
  });
});

describe("on a phone", { concurrency: 2 }, () => {
  for (const path of [CUBE, CREDIT, MNIST, MEMORY, FIELDS]) {
    test(`the figure fits, and its controls can be touched: ${path}`, async (t) => {
      const { figure, page } = await figureOf(t, path, PHONE);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.equal(over, 0);
      for (const control of await figure.locator("button:visible, input:visible").all()) {
        const { width, height } = await control.boundingBox();
        assert.ok(Math.min(width, height) >= 24, `${width} × ${height}`);
      }
    });
  }
});

test("lesson 6: windows, a hand on the map, keys and drawings change what the neurons do", async (t) => {
  const { figure, page } = await figureOf(t, FILTERS, { reducedMotion: "reduce" });
  const [sentence, map] = [figure.locator(".sentence"), figure.locator(".pick")];
  const said = () => sentence.textContent();
  assert.match(
    await said(),
    /^Row 6, column 2: the nine products add up to [\d.]+, and its neuron fires \d+ times in 30 steps\.$/,
  );
  const before = await pictureOf(figure);
  await figure.getByRole("button", { name: "blur" }).click();
  assert.notEqual(await pictureOf(figure), before);
  await map.press("ArrowRight");
  await map.press("ArrowDown");
  assert.match(await said(), /^Row 7, column 3:/);
  const { x, y, width } = await map.boundingBox();
  await page.mouse.move(x + 0.5 * (width / 12), y + 11.5 * (width / 12));
  assert.match(await said(), /^Row 12, column 1: the nine products add up to 0\.0, and its neuron is silent\.$/);
  await figure.locator("[data-example=seven]").click();
  assert.equal(await figure.locator("[aria-pressed=true]").textContent(), "blur");
  await figure.locator("[data-example=nothing]").click();
  await map.press("ArrowUp");
  assert.match(await said(), /its neuron is silent/);
});

test("lesson 7: its address sets the ring, and a silence empties it", async (t) => {
  const { figure } = await figureOf(t, `${MEMORY}#angle=90`);
  await figure.locator("[data-figure=left]", { hasText: /^90°$/ }).waitFor();
  await figure.getByRole("button", { name: /^Silence/ }).click();
  await figure.getByText("Noise alone chooses").waitFor();
});

test("lesson 8: a press shows digits to the fields, and two spikes that are dragged change a weight", async (t) => {
  const { figure, page } = await figureOf(t, FIELDS);
  assert.match(await figure.locator(".sentence").textContent(), /Nothing learns yet/);
  await figure.locator("[data-action=play]").click();
  await page.waitForFunction(
    () => Number(document.querySelector("[data-figure=seen]").textContent.replace(/\D/g, "")) >= 2,
  );
  const rule = page.locator('snn-figure[name="stdp-window"]');
  await rule.scrollIntoViewIfNeeded();
  await rule.getByText(/weight (grows|shrinks) by 0\.\d{4}/).waitFor();
  const before = await rule.locator(".sentence").textContent();
  await rule.getByRole("slider").press("ArrowRight");
  assert.notEqual(await rule.locator(".sentence").textContent(), before);
});

test("the four files of lesson 5, built by Vite, are a page that trains", async (t) => {
  const lesson = readFileSync(join(root, "docs/lessons/5-mnist-in-a-page.md"), "utf8");
  const folder = join(root, "build/lesson-5");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "public"), { recursive: true });
  for (const [name, begins] of [
    ["index.html", "```html\n"],
    ["page.js", "```js\n// page.js\n"],
    ["worker.js", "```js\n// worker.js\n"],
    ["train.ts", "```ts train.ts\n"],
  ]) {
    const [, rest] = lesson.split(begins);
    writeFileSync(join(folder, name), rest.split("\n```\n")[0]);
  }
  copyFileSync(join(root, "build/site-data/digits.bin"), join(folder, "public/digits.bin"));
  await build({ root: folder, logLevel: "error" });
  const own = await serve(join(folder, "dist"), "/");
  t.after(() => own.close());
  const page = await (await contextOf(t)).newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  await page.goto(own.url);
  const untilLine = (text) =>
    page.waitForFunction((text) => document.querySelector("#log").textContent.includes(text), text);
  await untilLine("epoch 10:");
  const log = await page.locator("#log").textContent();
  assert.ok(lesson.includes(`The page shows:\n\n\`\`\`text\n${log}\`\`\`\n`), log);
  await page.reload();
  await untilLine("epoch 1:");
  await page.click("#stop");
  assert.deepEqual(wrong, []);
});
