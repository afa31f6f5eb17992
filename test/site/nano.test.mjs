/** The training of nano beside the package, in the built site. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DESKTOP, open as openPage, PHONE } from "./support.mjs";

async function figureOf(t, options) {
  const page = await openPage(t, "/a/b/", "docs/nano.html", options);
  const figure = page.locator("snn-figure[data-lives]");
  await figure.waitFor();
  return { page, figure };
}

test("a press trains both, whose weights stay equal; a stop ends it, and a further press goes on", async (t) => {
  const { figure } = await figureOf(t, DESKTOP);
  const stepsOf = async () =>
    Number(/^After ([\d\u202f]+) /.exec(await sentence.textContent())[1].replace("\u202f", ""));
  const sentence = figure.locator(".sentence");
  await figure.getByRole("button", { name: "Train both" }).click();
  await figure.getByText(/^After \d\d+ steps on the same batches 4\u202f482 of 4\u202f482 weights are equal/).waitFor();
  await figure.getByRole("button", { name: "Stop" }).click();
  const stopped = await stepsOf();
  await figure.getByRole("button", { name: "Go on" }).click();
  await figure.getByText(/4\u202f482 of 4\u202f482/).waitFor();
  assert.ok((await stepsOf()) > stopped);
  await figure.getByRole("button", { name: "Stop" }).click();
  assert.equal(await figure.locator(".problem").isVisible(), false);
});

test("each part of the source has its paragraph beside it, and the training stays in sight", async (t) => {
  const { page, figure } = await figureOf(t, { ...DESKTOP, viewport: { width: 1440, height: 900 } });
  const parts = await page.evaluate(() =>
    [...document.querySelectorAll("main > .program")].map((pre) => {
      const [code, text] = [pre, pre.previousElementSibling].map((each) => each.getBoundingClientRect());
      return { isBeside: Math.abs(code.top - text.top) < 24 && text.left >= code.right };
    }),
  );
  assert.deepEqual(parts, Array(8).fill({ isBeside: true }));
  const right = await page.evaluate(() =>
    Math.max(
      ...[...document.querySelectorAll("main > :not(snn-figure)")].map((each) => each.getBoundingClientRect().right),
    ),
  );
  await page.locator("main > .program").last().scrollIntoViewIfNeeded();
  const { x, y } = await figure.getByRole("button", { name: "Train both" }).boundingBox();
  assert.ok(x > right && y > 0 && y < 900, `the training at ${x}, ${y}, the text until ${right}`);
});

test("on a phone the page fits, and its button can be touched", async (t) => {
  const { page, figure } = await figureOf(t, PHONE);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  const { width, height } = await figure.getByRole("button", { name: "Train both" }).boundingBox();
  assert.ok(Math.min(width, height) >= 24, `${width} × ${height}`);
});
