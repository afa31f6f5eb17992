/** The first page: the hand writes, a reader draws with a mouse, a finger or keys, and the network answers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../../scripts/entries.mjs";
import { DESKTOP, open as openPage, PHONE } from "./support.mjs";

const folder = join(root, "demos/playground/figures/digit/drawings");
const drawings = JSON.parse(readFileSync(join(folder, "first.json"), "utf8"));

/** Without motion the network answers a drawing at once, and no wave is drawn meanwhile. */
const STILL = { ...DESKTOP, reducedMotion: "reduce" };

/** The first page with its figure alive; when the test ends, nothing may have gone wrong on it. */
async function open(t, options) {
  const page = await openPage(t, "/a/b/", "", options);
  await page.locator(".figure-digit .pad").waitFor();
  return page;
}

/** Draws strokes with the mouse. */
async function draw(page, strokes) {
  const box = await page.locator(".pad").boundingBox();
  const at = (stroke, i) => [box.x + stroke[2 * i] * box.width, box.y + stroke[2 * i + 1] * box.height];
  for (const stroke of strokes) {
    await page.mouse.move(...at(stroke, 0));
    await page.mouse.down();
    for (let i = 1; i < stroke.length / 2; i += 2) await page.mouse.move(...at(stroke, i));
    await page.mouse.up();
  }
}

const pixels = (page, selector) =>
  page
    .locator(selector)
    .first()
    .evaluate((canvas) => canvas.toDataURL());
const told = (page) => page.locator(".figure-digit [role=status]");

describe("digit", { concurrency: 2 }, () => {
  test("the hand writes, and the network answers, before anybody has drawn", async (t) => {
    const page = await open(t, DESKTOP);
    await page.waitForFunction(() => document.querySelector(".figure-digit .answer").textContent === "3");
    await page.waitForFunction(() => document.querySelector(".figure-digit .answer").textContent === "1");
  });

  test("the network reads drawings of a mouse, at any place and in any size", async (t) => {
    const page = await open(t, STILL);
    const chosen = drawings.filter(({ digit, way }, i) => i % 3 === 0 && way === "upright" && digit % 2 === 0);
    assert.ok(chosen.length > 0);
    for (const { digit, strokes } of chosen) {
      await page.getByRole("button", { name: "Clear" }).click();
      await draw(page, strokes);
      await page.waitForFunction(
        (words) => document.querySelector(".figure-digit [role=status]").textContent.startsWith(words),
        `Read as ${digit}:`,
      );
    }
  });

  test("dots, bars and scribbles are no digit, and a drawing between two digits gets both", async (t) => {
    const page = await open(t, STILL);
    const scribbles = JSON.parse(readFileSync(join(folder, "scribbles.json"), "utf8"));
    const said = async (place, words) => {
      await page.getByRole("button", { name: "Clear" }).click();
      await draw(page, scribbles.find((scribble) => scribble.place === place).strokes);
      await page.waitForFunction(
        (words) => document.querySelector(".figure-digit [role=status]").textContent.startsWith(words),
        words,
      );
    };
    for (const place of ["a slip to the right", "flat, across the pad", "a spiral"]) {
      await said(place, "No digit I know.");
      assert.equal(await page.locator(".figure-digit .answer").textContent(), "?");
    }
    await said("short scratches", "Perhaps ");
    assert.match(await told(page).textContent(), /^Perhaps \d, perhaps \d\. \d+ spikes\.$/);
    assert.match(await page.locator(".figure-digit .answer").textContent(), /^\d\?$/);
  });

  test("on a phone the figure is on one screen, and a finger on the pad does not scroll", async (t) => {
    const page = await open(t, PHONE);
    const box = await page.locator(".figure-digit").boundingBox();
    assert.ok(box.y + box.height <= 844, `ends at ${box.y + box.height}`);
    assert.ok(box.x >= 0 && box.x + box.width <= 390, `from ${box.x}, ${box.width} wide`);
    assert.equal(await page.locator(".pad").evaluate((pad) => getComputedStyle(pad).touchAction), "none");
    const pad = await page.locator(".pad").boundingBox();
    await page.touchscreen.tap(pad.x + pad.width / 2, pad.y + pad.height / 2);
    await page.waitForFunction(() => document.querySelector(".figure-digit [role=status]").textContent !== "");
    assert.equal(await page.evaluate(() => scrollY), 0);
  });

  test("keys draw a one", async (t) => {
    const page = await open(t, DESKTOP);
    const pad = page.locator(".pad");
    for (let i = 0; i < 4; i++) await pad.press("ArrowUp");
    for (let i = 0; i < 8; i++) {
      await pad.press(" ");
      await pad.press("ArrowDown");
    }
    await page.waitForFunction(() =>
      document.querySelector(".figure-digit [role=status]").textContent.startsWith("Read as 1:"),
    );
  });

  test("with reduced motion the picture is still, and a button shows the wave step by step", async (t) => {
    const page = await open(t, STILL);
    const wave = ".figure-digit .host canvas";
    const frames = () =>
      page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await frames();
    const before = await pixels(page, wave);
    for (let i = 0; i < 20; i++) await frames();
    assert.equal(await pixels(page, wave), before);
    await page.getByRole("button", { name: "Next step" }).click();
    await frames();
    const first = await pixels(page, wave);
    assert.notEqual(first, before);
    await page.getByRole("slider", { name: "time step" }).press("ArrowRight");
    await frames();
    assert.notEqual(await pixels(page, wave), first);
    const { strokes, digit } = drawings[40];
    await draw(page, strokes);
    await page.waitForFunction(() => document.querySelector(".figure-digit [role=status]").textContent !== "");
    assert.match(await told(page).textContent(), new RegExp(`^Read as ${digit}:`));
  });

  test("out of sight, nothing moves", async (t) => {
    const page = await open(t, DESKTOP);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForFunction(() => document.querySelector(".figure-digit").getBoundingClientRect().bottom < 0);
    const asked = await page.evaluate(
      () =>
        new Promise((done) => {
          let count = 0;
          const own = requestAnimationFrame.bind(globalThis);
          const tick = (left) => own(() => (left === 0 ? done(count) : tick(left - 1)));
          // The observer tells the figure within some frames.
          const settle = (left) =>
            own(() => {
              if (left > 0) return settle(left - 1);
              globalThis.requestAnimationFrame = (callback) => {
                count++;
                return own(callback);
              };
              tick(20);
            });
          settle(10);
        }),
    );
    assert.equal(asked, 0);
  });
});
