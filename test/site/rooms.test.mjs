/** The first lessons in a browser: their figures, and rooms of the playground in a frame, at the width of a phone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { addressOf, open as openPage, PHONE } from "./support.mjs";

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

/** Opens the Coding room of lesson 2; returns the frame. */
async function openRoom(page) {
  assert.equal(page.frames().length, 1, "nothing is loaded before the press");
  await page.getByRole("button", { name: "Open the room" }).click();
  const frame = await (await page.locator(".figure-room iframe").elementHandle()).contentFrame();
  await frame.locator(".stack canvas").first().waitFor();
  return frame;
}

test("lesson 2: the room opens at a press, with control and picture on one screen of a phone", async (t) => {
  const page = await open(t, "lessons/2-codes.html");
  const frame = await openRoom(page);
  assert.ok(await frame.locator(".bar").isHidden());
  const window = await page.locator(".figure-room iframe").boundingBox();
  assert.equal(window.width, 390);
  assert.ok(window.height <= 844, `${window.height} pixels`);
  for (const part of [".pad", ".pair", "[data-action=play]", ".stack"]) {
    const { y, height } = await frame.locator(part).boundingBox();
    assert.ok(y + height <= window.y + window.height, `${part} ends at ${y + height - window.y} of ${window.height}`);
  }
  const rasters = frame.locator(".stack canvas").first();
  const before = await inkOf(rasters);
  await frame.getByRole("button", { name: "seven" }).click();
  await changed(rasters, before);
  assert.deepEqual(await found(page), []);
  await page.getByRole("button", { name: "Close the room" }).click();
  await page.getByRole("button", { name: "Open the room" }).waitFor();
  assert.equal(page.frames().length, 1);
});

test("lesson 2: the room has the look of the page, and its slow motion rests out of sight", async (t) => {
  const page = await open(t, "lessons/2-codes.html");
  const frame = await openRoom(page);
  const paper = () => frame.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  await page.click("[data-theme-button]");
  await frame.waitForFunction((color) => getComputedStyle(document.documentElement).backgroundColor !== color, light);
  const time = () => frame.locator(".stack").getAttribute("aria-valuenow");
  await frame.locator("[data-action=play]").click();
  await frame.waitForFunction(() => Number(document.querySelector(".stack").getAttribute("aria-valuenow")) >= 3);
  await frame.evaluate(() => {
    globalThis.told = new Promise((tell) => addEventListener("message", ({ data }) => data === "rest" && tell()));
  });
  await page.getByRole("heading", { name: "Sources" }).scrollIntoViewIfNeeded();
  await frame.evaluate(() => globalThis.told);
  const rested = await time();
  // The cursor would have moved on: a step lasts twelve frames at most.
  for (let i = 0; i < 60; i++) await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await time(), rested);
});

test("a room that trains in a frame stops when the page around says so, and every room is lower than a phone", async (t) => {
  const page = await open(t, "play/?embed=1#/train");
  await page.waitForSelector("[data-fact=hash]:not(:empty)");
  await page.click("[data-action=play]");
  await page.waitForFunction(() => Number(document.querySelector("[data-figure=step]").textContent) > 5);
  await page.evaluate(() => postMessage("rest", location.origin));
  await page.waitForFunction(() => document.querySelector("[data-action=play]").textContent === "Train");
  for (const [room, parts] of Object.entries({
    neuron: [".stack", ".controls"],
    coding: [".pad", ".stack"],
    draw: [".pad", ".answer", ".diagram"],
    train: ["[data-action=play]", ".diagram"],
  })) {
    await page.goto(`${addressOf("/a/b/", "")}play/?embed=1#/${room}`);
    await page.waitForFunction((name) => document.body.dataset.room === name, room);
    for (const part of parts) {
      const { y, height } = await page.locator(part).first().boundingBox();
      assert.ok(y + height <= 732, `${room}: ${part} ends at ${y + height}`);
    }
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${room}: ${over} pixels wider than the window`);
  }
});
