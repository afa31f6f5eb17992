/** Fields that learn digits in the built site. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/entries.mjs";
import { DESKTOP, figure, open, PHONE, sharedWords } from "./support.mjs";

async function page(t, options = DESKTOP) {
  const opened = await open(t, "/a/b/", "neighbours/", options);
  await opened.locator('snn-figure[name="neighbours"][data-lives]').waitFor();
  return opened;
}

const seen = (page, least) =>
  page.waitForFunction(
    (n) => Number(document.querySelector("[data-figure=seen]").textContent.replace(/\D/g, "")) >= n,
    least,
  );

const play = (page) => page.click("[data-action=play]");
const sentence = (page) => page.locator('snn-figure[name="neighbours"] .sentence').textContent();

test("a press shows digits, a further one stops; at the end the fields have the bits of Node, and go to their names", async (t) => {
  const opened = await page(t);
  assert.match(await sentence(opened), /Nothing learns yet/);
  await play(opened);
  await seen(opened, 2);
  await play(opened);
  const stopped = await figure(opened, "seen");
  assert.equal(await opened.locator("[data-action=play]").textContent(), "Go on");
  assert.ok(stopped < 3000);
  const program = join(root, "build/demos/main.js");
  const node = promisify(execFile)(process.execPath, [program, "neighbours"]);
  await play(opened);
  await seen(opened, 3000);
  await opened.locator("[data-action=sort]:visible").waitFor();
  const [, accuracy, hash] = /test_acc=(\S+) .*hash=(\w+)/.exec((await node).stdout);
  const words = await sharedWords(opened, "neighbours");
  assert.ok(words.includes(hash.slice(0, 16)), `${words} has ${hash}`);
  assert.equal(await figure(opened, "right"), Number((100 * accuracy).toFixed(1)));
  await opened.getByRole("button", { name: "As they lay" }).click();
  await opened.getByRole("button", { name: "Sort by name" }).waitFor();
});

test("without inhibition fields fire for digits before the first press; spikes are dragged on a phone", async (t) => {
  const opened = await page(t, PHONE);
  assert.equal(await opened.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  const rule = opened.locator('snn-figure[name="stdp-window"]');
  await rule.scrollIntoViewIfNeeded();
  const pair = rule.getByRole("slider");
  await pair.focus();
  const sentence = rule.locator(".sentence");
  await rule.getByText(/weight (grows|shrinks) by 0\.\d{4}/).waitFor();
  await opened.keyboard.press("ArrowRight");
  const before = Number(await pair.getAttribute("aria-valuenow"));
  await opened.keyboard.press("ArrowRight");
  assert.equal(Number(await pair.getAttribute("aria-valuenow")), before + 1);
  const box = await pair.boundingBox();
  // The spike of the field to the left of that of the pixel.
  await opened.touchscreen.tap(box.x + 40, box.y + 80);
  assert.match(await sentence.textContent(), /The field fires \d+ ms before the pixel: the weight shrinks by 0\.0025/);
});
