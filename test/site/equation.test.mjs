/** The page of a typed neuron: what keystrokes, links, drawing and learning do, on a desktop and a phone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import axe from "axe-core";
import { DESKTOP, linkOf, open as openPage, PHONE } from "./support.mjs";

/** The page with its figure alive; when the test ends, nothing may have gone wrong on it. */
async function open(t, options = DESKTOP, hash = "") {
  const page = await openPage(t, "/a/b/", `equation/${hash}`, options);
  await page.locator("snn-figure[data-lives] .figure-equation .stack canvas").first().waitFor();
  await frames(page);
  return page;
}

/** Waits until what was asked for is painted. */
const frames = (page) =>
  page.evaluate(
    () => new Promise((tell) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(tell)))),
  );

/** The picture of a canvas, as a text that is compared. */
const picture = (page, selector) => page.evaluate((at) => document.querySelector(at).toDataURL(), selector);
const ROWS = ".figure-equation .stack canvas";
const PLANE = ".figure-equation .pair canvas";
const TEXT = ".figure-equation textarea";

async function type(page, change) {
  const text = await page.inputValue(TEXT);
  await page.fill(TEXT, change(text));
  await frames(page);
}

const count = (page) => page.locator(".figure-equation .count").textContent();
const said = (page) => page.locator(".figure-equation .said").textContent();

describe("equation", { concurrency: 2 }, () => {
  test("a keystroke changes rows, plane and gradient", async (t) => {
    const page = await open(t);
    const before = [await picture(page, ROWS), await picture(page, PLANE)];
    await type(page, (text) => text.replace("β = 0.95", "β = 0.9"));
    assert.notEqual(await picture(page, ROWS), before[0]);
    assert.notEqual(await picture(page, PLANE), before[1]);
    const printed = () => page.locator(".figure-equation .printed").textContent();
    assert.match(await printed(), /∇ρ \+= ∂a′·a/);
    await type(page, (text) => text.replace("a′ = ρ·a + s", "a′ = ρ·ρ·a + s"));
    assert.match(await printed(), /∇a = .*ρ·ρ/);
  });

  test("a text that is no neuron is underlined and told of, and the pictures stay", async (t) => {
    const page = await open(t);
    const before = await picture(page, ROWS);
    await type(page, (text) => text.replace("β·v", "γ·v"));
    assert.equal(await page.locator(".figure-equation .wrong").textContent(), "γ");
    assert.match(await page.locator(".figure-equation .said").textContent(), /there is no name γ/);
    assert.equal(await page.getAttribute(TEXT, "aria-invalid"), "true");
    assert.equal(await picture(page, ROWS), before);
    await type(page, (text) => text.replace("γ·v", "β·v"));
    assert.equal(await page.locator(".figure-equation .wrong").count(), 0);
  });

  test("the coloured text is that of the box, whatever was there before", async (t) => {
    const page = await open(t);
    const first = await page.inputValue(TEXT);
    const colored = () => page.locator(".figure-equation .text pre").evaluate((pre) => pre.innerHTML);
    const beginning = await colored();
    const changes = {
      "a line before all": (text) => `k = 2\n${text}`,
      "a line behind all": (text) => `${text}\nk = 2`,
      "a name in the middle": (text) => text.replace("β·v", "γ·v"),
      "a line twice": (text) => `${text.split("\n")[0]}\n${text}`,
      "a line less": (text) => text.split("\n").slice(1).join("\n"),
    };
    for (const [what, change] of Object.entries(changes)) {
      await type(page, change);
      const text = await page.inputValue(TEXT);
      assert.equal(await page.locator(".figure-equation .text pre").textContent(), `${text}\n`, what);
      const edited = await colored();
      await type(page, () => "x");
      await type(page, () => text);
      assert.equal(await colored(), edited, what);
      await type(page, () => first);
      assert.equal(await colored(), beginning, what);
    }
  });

  test("changes are undone and done again, by buttons and by keys", async (t) => {
    const page = await open(t);
    const first = await page.inputValue(TEXT);
    await page.getByRole("button", { name: "Izhikevich" }).click();
    const second = await page.inputValue(TEXT);
    assert.notEqual(second, first);
    await page.getByRole("button", { name: "Undo" }).click();
    assert.equal(await page.inputValue(TEXT), first);
    await page.focus(TEXT);
    await page.keyboard.press("Control+Shift+z");
    assert.equal(await page.inputValue(TEXT), second);
    await page.keyboard.press("Control+z");
    assert.equal(await page.inputValue(TEXT), first);
  });

  test("a link opens the same neuron under the same current", async (t) => {
    const page = await open(t);
    await page.getByRole("button", { name: "AdEx" }).click();
    await page.getByRole("button", { name: "rising" }).click();
    // The address follows after a pause; a current that rises has a term for each step.
    await page.waitForFunction(() => location.hash.length > 1500);
    await frames(page);
    const hash = await page.evaluate(() => location.hash);
    const other = await open(t, DESKTOP, hash);
    assert.equal(await other.inputValue(TEXT), await page.inputValue(TEXT));
    assert.equal(await count(other), await count(page));
    assert.equal(
      await picture(other, ".figure-equation .curve canvas"),
      await picture(page, ".figure-equation .curve canvas"),
    );
  });

  test("the text of a link is no program", async (t) => {
    const text = encodeURIComponent("v′ = alert(1)\n<img src=x onerror=alert(1)>");
    const page = await open(t, DESKTOP, `#text=${text}&current=0.1*400`);
    assert.match(await page.locator(".figure-equation .said").textContent(), /no sign of an equation|no function/);
    assert.equal(await page.locator(".figure-equation .text img").count(), 0);
  });

  test("a slider moves a number in the text, and keys and pointer draw the current", async (t) => {
    const page = await open(t);
    const slider = page.getByRole("slider", { name: "θ", exact: true });
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    assert.match(await page.inputValue(TEXT), /θ = 0\.999/);
    const before = await count(page);
    const box = await page.locator(".figure-equation .draw").boundingBox();
    await page.mouse.move(box.x + 20, box.y + 4);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 20, box.y + 4, { steps: 5 });
    await page.mouse.up();
    await frames(page);
    assert.notEqual(await count(page), before);
    const rows = await picture(page, ROWS);
    await page.locator(".figure-equation .stack").focus();
    for (const key of ["Home", "ArrowRight", "ArrowUp", "ArrowUp"]) await page.keyboard.press(key);
    await frames(page);
    assert.notEqual(await picture(page, ROWS), rows);
  });

  for (const [look, options] of Object.entries({
    motion: DESKTOP,
    "no motion": { ...DESKTOP, reducedMotion: "reduce" },
  })) {
    test(`the neuron learns to fire 12 times, and learning is undone in one step: ${look}`, async (t) => {
      const page = await open(t, options);
      const first = await page.inputValue(TEXT);
      await page.getByRole("button", { name: "Make it fire" }).click();
      await page.getByText(/^12 spikes after \d+ turns of learning$/).waitFor();
      assert.notEqual(await page.inputValue(TEXT), first);
      await page.getByRole("button", { name: "Undo" }).click();
      assert.equal(await page.inputValue(TEXT), first);
    });
  }

  test("a neuron that runs away says at which step", async (t) => {
    const page = await open(t);
    await type(page, () => "v′ = v·v + I + 1");
    assert.match(await count(page), /runs away at step \d+/);
    assert.match(await said(page), /^line 1 grows beyond 3\.4·10³⁸ at step \d+: bound what grows/);
    assert.equal(await page.locator(".figure-equation .wrong").textContent(), "·");
  });

  for (const [look, options] of Object.entries({ wide: DESKTOP, narrow: PHONE })) {
    test(`an operation without a value is underlined, and a sentence in the colour of errors says where: ${look}`, async (t) => {
      const page = await open(t, options);
      const color = () =>
        page
          .locator(".figure-equation .said")
          .evaluate((node) => [
            getComputedStyle(node).color,
            getComputedStyle(node.closest(".editor").querySelector(".text")).borderLeftColor,
          ]);
      await type(page, () => "u = v/0 + I\ns = [u ≥ 1]\nv′ = u");
      assert.match(await said(page), /^0\/0 in line 1 at step 0: keep the divisor away from 0/);
      assert.equal(await page.locator(".figure-equation .wrong").textContent(), "/");
      const [sentence, frame] = await color();
      assert.equal(sentence, frame);
      assert.equal(await count(page), "no number from step 0 on");
      await type(page, (text) => text.replace("v/0", "v/2"));
      assert.equal(await said(page), "");
    });
  }

  test("notations of other places are answered by those of the page", async (t) => {
    const page = await open(t);
    for (const [text, answer] of [
      ["dv/dt = (−v + I)/20", /^a rate needs a step: v′ = v \+ dt·\(…\)/],
      ["v′ = v**2 + I", /^\*\* is \^/],
      ["a = b\nb = a", /^b is used before line 2 gives it/],
      ["u = banana split", /^there is no name banana/],
      ["u = 0/0 + I\nv′ = u", /got 0\/0/],
    ]) {
      await type(page, () => text);
      assert.match(await said(page), answer);
    }
  });

  test("a link with many operations and a long current shows as many steps as they allow", async (t) => {
    const lines = Array.from({ length: 9 }, (_, i) => `x${i + 1} = sin(x${i})`);
    const text = encodeURIComponent(["x0 = v + I", ...lines, "v′ = x9", "s = [v ≥ 2]"].join("\n"));
    const page = await open(t, DESKTOP, `#text=${text}&current=0.1*2000`);
    const [, shown, all] =
      /^0 spikes in (\d+) steps; of (\d+) steps these operations allow \1$/.exec(await count(page)) ?? [];
    assert.ok(Number(shown) < 1500 && all === "2000", await count(page));
    // What lies behind them stays in the address.
    assert.match(await linkOf(page, "equation"), /current=0\.1\*2000/);
    await type(page, () =>
      `${lines.map((line, i) => line.replace("sin", i % 2 ? "erf" : "softplus")).join("\n")}\nx10 = x9^1.5\nv′ = sin(x10)`.replace(
        "x0",
        "I",
      ),
    );
    await type(page, (text) => text.replace("v′", "x11 = sin(x10)\nx12 = sin(x11)\nv′"));
    assert.match(await said(page), /at most 300 operations in all lines: exp, sin and the like count as 20/);
  });

  test("on a phone the rows stay in sight, and text, plane and curve are reached", async (t) => {
    const page = await open(t, PHONE);
    const rows = page.locator(".figure-equation .stack");
    for (const part of [TEXT, PLANE, ".figure-equation .curve canvas"]) {
      await page.locator(part).first().scrollIntoViewIfNeeded();
      await page
        .locator(part)
        .first()
        .evaluate((node) => node.scrollIntoView({ block: "end" }));
      const [place, stack] = [await page.locator(part).first().boundingBox(), await rows.boundingBox()];
      assert.ok(place.y + place.height <= 846 && place.y + place.height > 0, `${part}: in sight`);
      assert.ok(stack.y >= 0 && stack.y + stack.height <= place.y + place.height, `${part}: below the rows`);
      assert.ok(place.y + place.height - (stack.y + stack.height) > 120, `${part}: not covered by the rows`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels wider than the window`);
    const before = await count(page);
    await page.locator(".figure-equation .presets button").nth(4).tap();
    assert.notEqual(await count(page), before);
  });

  for (const [look, options] of Object.entries({
    "light, wide": { ...DESKTOP, colorScheme: "light" },
    "dark, narrow": { ...PHONE, colorScheme: "dark" },
  })) {
    test(`axe finds nothing in the living figure: ${look}`, async (t) => {
      const page = await open(t, options);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`),
        [],
      );
    });
  }
});

test("500 different texts in a row leave the memory of the page as it was after 300", async (t) => {
  const page = await open(t);
  const session = await page.context().newCDPSession(page);
  const used = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };
  const typeAll = (from, to) =>
    page.evaluate(
      ([from, to]) => {
        const box = document.querySelector(".figure-equation textarea");
        for (let i = from; i < to; i++) {
          // The order of so many signs is another one for each text.
          const terms = [...i.toString(2)].map((bit) => (bit === "1" ? "tanh(v)" : "exp(min(I, 1))"));
          box.value = `β = 0.9\nθ = 1\nu = β·v + I\ns = [u ≥ θ]\nv′ = 0 if s else u\na′ = 0.5a + ${terms.join(" − ")}`;
          box.dispatchEvent(new Event("input"));
          const said = document.querySelector(".figure-equation .said").textContent;
          if (said !== "") throw new Error(said);
        }
      },
      [from, to],
    );
  // The package keeps 256 compiled steps.
  await typeAll(0, 300);
  const before = await used();
  await typeAll(300, 500);
  const grown = (await used()) - before;
  t.diagnostic(`${Math.round(before / 1e6)} MB, then ${Math.round(grown / 1e3)} kB more`);
  assert.ok(grown < 2e6, `${grown} bytes more`);
});
