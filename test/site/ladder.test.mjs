/** The race of the rungs, in the built site. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DESKTOP, open as openPage, PHONE } from "./support.mjs";

const LADDER = "docs/ladder.html";

async function figureOf(t, options = {}) {
  const page = await openPage(t, "/a/b/", LADDER, { ...DESKTOP, ...options });
  const figure = page.locator("snn-figure[data-lives]").first();
  await figure.waitFor();
  return { page, figure };
}

test("a press races the rungs, whose losses are equal from SIMD on; a stop ends the race, and another press begins anew", async (t) => {
  const { figure } = await figureOf(t);
  const sentence = figure.locator(".sentence");
  await figure.getByRole("button", { name: "Race", exact: true }).click();
  await figure.getByText(/have equal losses in each of their first \d\d+ steps, to the bit/).waitFor();
  await figure.getByRole("button", { name: "Stop", exact: true }).click();
  assert.match(await figure.locator(".time").textContent(), /^\d+\.\d s for each rung · stopped$/);
  assert.match(await sentence.textContent(), /have equal losses/);
  // Both in one task of the page: no picture of the new race comes between the press and the look.
  const begun = await figure.evaluate((host) => {
    host.querySelector("button.primary").click();
    return [".time", ".sentence"].map((selector) => host.querySelector(selector).textContent);
  });
  assert.deepEqual(begun, ["0.0 s for each rung", ""]);
  await figure.getByText(/have equal losses/).waitFor();
  await figure.getByRole("button", { name: "Stop", exact: true }).click();
  assert.equal(await figure.locator(".problem").isVisible(), false);
});

test("on a phone the race fits, and its button can be touched", async (t) => {
  const { page, figure } = await figureOf(t, PHONE);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  const { width, height } = await figure.getByRole("button", { name: "Race", exact: true }).boundingBox();
  assert.ok(Math.min(width, height) >= 24, `${width} × ${height}`);
});
