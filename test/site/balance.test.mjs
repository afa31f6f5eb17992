/** A pole that learns to stand in the built site. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/entries.mjs";
import { DESKTOP, figure, open, PHONE, sharedWords } from "./support.mjs";

async function page(t, hash = "", options = DESKTOP) {
  const opened = await open(t, "/a/b/", `balance/${hash}`, options);
  await opened.locator('snn-figure[name="balance"][data-lives]').waitFor();
  return opened;
}

const sentence = (page) => page.locator(".figure-balance .sentence");

/** Waits until a number of the figure is at least so large. */
const reaches = (page, name, least, options = {}) =>
  page.waitForFunction(
    ([name, n]) =>
      Number.parseFloat(document.querySelector(`[data-figure=${name}]`)?.textContent.replaceAll(/\s/g, "")) >= n,
    [name, least],
    options,
  );

const learn = (page, label) => page.getByRole("button", { name: label, exact: true }).click();

/** The hash of the policy in Node. */
async function hashInNode(...flags) {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, "build/demos/main.js"),
    "balance",
    ...flags,
  ]);
  const [, hash] = /hash=(\w+)/.exec(stdout);
  return hash.slice(0, 16);
}

test("it falls, learns and stands, with the bits of Node; a press stops learning, and it goes on after a pause", async (t) => {
  const opened = await page(t);
  assert.match(await sentence(opened).textContent(), /learned nothing yet/);
  await reaches(opened, "falls", 1);
  assert.equal(await figure(opened, "updates"), 0);
  await learn(opened, "Let it learn");
  await reaches(opened, "updates", 5);
  await learn(opened, "Stop learning");
  await opened.getByRole("button", { name: "Go on learning" }).waitFor();
  const updates = await figure(opened, "updates");
  const words = await sharedWords(opened, "balance");
  assert.ok(words.endsWith(`npm run demo -- balance --seed=0 --updates=${updates}`), words);
  const hash = await hashInNode(`--updates=${updates}`, "--episodes=1");
  assert.ok(words.includes(hash), `${words} has ${hash}`);

  await opened.getByRole("button", { name: "Pause" }).click();
  await opened.getByRole("button", { name: "Go on", exact: true }).click();
  await learn(opened, "Go on learning");
  await opened.getByRole("button", { name: "Another seed" }).waitFor();
  await reaches(opened, "stood", 2);
  const end = await sentence(opened).textContent();
  assert.match(end, /kick the pole/);
});

/** Kicks once more; a pole that lies is kicked in vain. */
async function kick(page, act) {
  const before = await figure(page, "kicks");
  for (let tries = 0; tries < 20 && (await figure(page, "kicks")) === before; tries++) {
    await act();
    await reaches(page, "kicks", before + 1, { timeout: 1500 }).catch(() => {});
  }
  assert.ok((await figure(page, "kicks")) > before);
}

test("a link has the policy; buttons, keys, a tap and a swipe kick the pole, on a phone", async (t) => {
  const opened = await page(t, "#seed=3&updates=150", PHONE);
  assert.equal(await opened.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await reaches(opened, "stood", 0.1);
  const pole = opened.getByRole("group", { name: /large pole/ });
  await pole.scrollIntoViewIfNeeded();
  await kick(opened, () => opened.getByRole("button", { name: "Kick left" }).tap());
  await kick(opened, () => opened.getByRole("button", { name: "Kick right" }).tap());
  await kick(opened, () => pole.press("ArrowRight"));
  await kick(opened, () => pole.tap({ position: { x: 40, y: 60 } }));
  await kick(opened, async () => {
    const { x, y } = await pole.boundingBox();
    await opened.mouse.move(x + 60, y + 60);
    await opened.mouse.down();
    await opened.mouse.move(x + 200, y + 60);
    await opened.mouse.up();
  });
});

test("who wants no motion sees a try at its end, and two seconds after a kick", async (t) => {
  const opened = await page(t, "#seed=3&updates=40", { ...DESKTOP, reducedMotion: "reduce" });
  await sentence(opened).filter({ hasText: "Learning has stopped" }).waitFor();
  assert.equal(await figure(opened, "updates"), 40);
  assert.equal(await opened.getByRole("button", { name: "Pause" }).count(), 0);
  const canvas = opened.locator(".figure-balance canvas");
  const ink = () => canvas.evaluate((element) => element.toDataURL());
  // Two frames paint what has come.
  await opened.evaluate(() => new Promise((tell) => requestAnimationFrame(() => requestAnimationFrame(tell))));
  const before = await ink();
  await opened.getByRole("button", { name: "Kick right" }).click();
  await opened.waitForFunction((old) => document.querySelector(".figure-balance canvas").toDataURL() !== old, before);
});
