/** Figures of the first lessons in a browser, at the width of a phone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { figure, open as openPage, PHONE, query, ready, stepsAbove } from "./support.mjs";

/** A page; when the test ends, nothing may have gone wrong on it. */
async function open(t, path, options = PHONE) {
  const page = await openPage(t, "/a/b/", path, options);
  return page;
}

/** The picture of a canvas, as text. */
const inkOf = (canvas) => canvas.evaluate((node) => node.toDataURL());

/** Waits until a canvas shows another picture. */
async function changed(canvas, before) {
  while ((await inkOf(canvas)) === before) await canvas.page().evaluate(() => new Promise(requestAnimationFrame));
}

/** Findings of axe in a page and its frames. */
async function found(page) {
  for (const frame of page.frames()) await frame.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].target} ${nodes[0].html.slice(0, 160)}`);
}

test("lesson 0: the membrane climbs by itself, follows the current, and stays where the reader wants no motion", async (t) => {
  const page = await open(t, "lessons/0-first-spike.html");
  const canvas = page.locator(".figure-first-spike canvas");
  await changed(canvas, await inkOf(canvas));
  const current = page.getByRole("slider", { name: "Current I" });
  await current.press("Home");
  await page.getByText(/^No spike: the membrane settles at .* 0\.00/).waitFor();
  await current.fill("0.2");
  await page.getByText("A spike every 7 steps.").waitFor();
  assert.deepEqual(await found(page), []);

  const still = await open(t, "lessons/0-first-spike.html", { ...PHONE, reducedMotion: "reduce" });
  const rests = still.locator(".figure-first-spike canvas");
  await still.getByRole("button", { name: "Play" }).waitFor();
  const before = await inkOf(rests);
  await still.getByRole("slider", { name: "Current I" }).fill("0.05");
  await changed(rests, before);
});

test("lesson 1: sliders change the run and the curve, the current only its place on the curve", async (t) => {
  const page = await open(t, "lessons/1-one-neuron.html");
  const [run, curve] = [".stack canvas", ".host canvas"].map((selector) =>
    page.locator(`.figure-one-neuron ${selector}`).first(),
  );
  for (const [name, value] of Object.entries({ "Time constant τ": "5", "Threshold θ": "2", "Current R·I": "3" })) {
    const pictures = await Promise.all([run, curve].map(inkOf));
    await page.getByRole("slider", { name }).fill(value);
    await changed(run, pictures[0]);
    await changed(curve, pictures[1]);
  }
  assert.deepEqual(await found(page), []);
});

/** Lesson 2 at the width of a phone, and the picture of its rows. */
async function openCodes(t, hash = "") {
  const page = await open(t, `lessons/2-codes.html${hash}`);
  // It began by itself. Time rests, so that numbers are those of the whole run.
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator(".figure-codes .stack").press("Escape");
  const rows = page.locator(".figure-codes .stack canvas").first();
  await rows.waitFor();
  return { page, rows };
}

test("lesson 2: what is drawn becomes spikes and comes back from them, on one screen of a phone", async (t) => {
  const { page, rows } = await openCodes(t);
  const before = await inkOf(rows);
  await page.getByRole("button", { name: "seven" }).click();
  await changed(rows, before);
  await page.locator("[data-example=nothing]").click();
  assert.equal(await figure(page, "latency-spikes"), 0);
  const [pad, stack] = [page.locator(".figure-codes .pad"), page.locator(".figure-codes .stack")];
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  await page.mouse.move(box.x + 20, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 90, box.y + 40, { steps: 5 });
  await page.mouse.up();
  assert.ok((await figure(page, "latency-spikes")) > 20);
  assert.ok((await figure(page, "rate-spikes")) > (await figure(page, "latency-spikes")));
  assert.ok((await figure(page, "latency-error")) < 0.02);
  await stack.press("Home");
  assert.ok((await figure(page, "latency-error")) > 0.05);
  const [top, bottom] = [await pad.boundingBox(), await stack.boundingBox()];
  assert.ok(bottom.y + bottom.height - top.y <= 732, `${bottom.y + bottom.height - top.y} pixels`);
  assert.deepEqual(await found(page), []);
});

test("lesson 2: its address holds the drawing, and amounts are compared as amounts", async (t) => {
  const { page } = await openCodes(t, "#timesteps=4&rate=0.05");
  const [rate, latency] = [await figure(page, "rate-spikes"), await figure(page, "latency-spikes")];
  assert.ok((await page.locator(".note").textContent()).includes(`${rate} spikes against ${latency}`));
  const text = await page.locator(".figure-codes").textContent();
  assert.doesNotMatch(text, /bright|dark|\b[01] times as many/i);
  await page.getByRole("slider", { name: "time steps" }).press("ArrowRight");
  assert.equal(await query(page), "timesteps=5&rate=0.05");
});

test("lesson 2: time passes without a press until a hand takes it, and rests out of sight", async (t) => {
  const { page } = await openCodes(t);
  const time = () => page.locator(".figure-codes .stack").getAttribute("aria-valuenow");
  await page.getByRole("button", { name: "Play" }).click();
  const passed = (steps) =>
    page.waitForFunction((n) => Number(document.querySelector(".figure-codes .stack").ariaValueNow) === n, steps);
  await passed(3);
  // Keys take the cursor, and it stays where they put it.
  await page.locator(".figure-codes .stack").press("Home");
  assert.equal(await time(), "0");
  await page.getByRole("button", { name: "Play" }).click();
  await passed(2);
  await page.getByRole("heading", { name: "Sources" }).scrollIntoViewIfNeeded();
  // The frame hears of it with a later picture.
  for (let i = 0; i < 10; i++) await page.evaluate(() => new Promise(requestAnimationFrame));
  const rested = await time();
  for (let i = 0; i < 60; i++) await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await time(), rested);
});

test("a training rests out of sight, and goes on in sight", async (t) => {
  // Where nothing moves before a press.
  const page = await open(t, "play/", { ...PHONE, reducedMotion: "reduce" });
  await ready(page);
  await page.click("[data-action=play]");
  await stepsAbove(page, 5);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.locator("snn-figure").evaluate(async (element) => {
    element.style.marginTop = "3000px";
    scrollTo(0, 0);
    for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame);
  });
  const rested = await figure(page, "step");
  await page.waitForTimeout(500);
  assert.ok((await figure(page, "step")) <= rested + 2);
  await page.locator("snn-figure").evaluate((element) => {
    element.style.marginTop = "0";
  });
  await stepsAbove(page, rested + 5);
});
