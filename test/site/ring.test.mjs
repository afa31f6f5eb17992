/** The ring in the built site: its bits are those of Node; fingers, keys and a silence change what it holds. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/entries.mjs";
import { DESKTOP, open, PHONE, sharedWords } from "./support.mjs";

async function page(t, hash = "", options = DESKTOP) {
  const opened = await open(t, "/a/b/", `ring/${hash}`, options);
  const figure = opened.locator('snn-figure[name="ring"][data-lives]');
  await figure.waitFor();
  await figure.getByRole("slider", { name: "Direction of the ring" }).scrollIntoViewIfNeeded();
  return { opened, figure };
}

const degrees = (text) => Number(text.replace(/[^\d−]/g, "").replace("−", "-"));
const away = (a, b) => Math.abs(((a - b + 540) % 360) - 180);

/** Waits until a cue at this direction is over. */
const cueWas = (opened, wanted) =>
  opened.waitForFunction((text) => document.querySelector("[data-figure=left]")?.textContent === text, `${wanted}°`);

test("the first three seconds have the bits of Node", async (t) => {
  const { opened, figure } = await page(t, "#angle=220&size=128&push=-0.5");
  const program = join(root, "build/demos/main.js");
  const flags = ["ring", "--neurons=128", "--angle=220", "--push=-0.5", "--starts=1"];
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...flags]);
  const [, hash] = /^figure direction=\S+ hash=(\w{8})$/m.exec(stdout);
  // The cue ends after half a second, and the hash comes two and a half seconds later, which is rounded.
  await figure.getByText(/^apart after (2\.[6-9]|[3-9]|\d\d)/).waitFor();
  const words = await sharedWords(opened, "ring");
  assert.ok(words.includes(`Hash ${hash} of the first 3 s`), `${words} has ${hash}`);
  assert.ok(words.endsWith(`npm run demo -- ${flags.slice(0, 4).join(" ")}`), words);
});

test("a finger turns the ring on a phone, and the link has its direction", async (t) => {
  const { opened, figure } = await page(t, "", PHONE);
  assert.equal(await opened.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  const ring = figure.getByRole("slider", { name: "Direction of the ring" });
  const { x, y, width, height } = await ring.boundingBox();
  await opened.touchscreen.tap(x + width / 2, y + height - 20);
  await cueWas(opened, 180);
  assert.ok(away(degrees(await figure.locator("[data-figure=direction]").textContent()), 180) < 30);
});

test("keys turn the cue, and a silence empties the ring", async (t) => {
  const { opened, figure } = await page(t, "#angle=90");
  const ring = figure.getByRole("slider", { name: "Direction of the ring" });
  await cueWas(opened, 90);
  await figure.getByRole("button", { name: "Pause" }).click();
  const before = Number(await ring.getAttribute("aria-valuenow"));
  await ring.press("PageUp");
  await figure.getByText("A cue at").waitFor();
  await figure.getByRole("button", { name: "Go on" }).click();
  // The key turns the direction of the spikes, before it is rounded.
  await opened.waitForFunction(() => !document.querySelector(".figure-ring .sentence").textContent.startsWith("A cue"));
  const left = degrees(await figure.locator("[data-figure=left]").textContent());
  assert.ok(away(left, before + 45) <= 1, `${left} is 45° from ${before}`);
  await figure.getByRole("button", { name: /^Silence/ }).click();
  await figure.getByText("Noise alone chooses").waitFor();
});

test("who wants no motion steps by three seconds", async (t) => {
  const { figure } = await page(t, "", { ...DESKTOP, reducedMotion: "reduce" });
  const later = figure.getByText(/apart after \d/);
  assert.equal(await later.textContent(), "apart after 2.5 s");
  await figure.getByRole("button", { name: "3 s later" }).click();
  assert.equal(await later.textContent(), "apart after 5.5 s");
});
