/** The figure Train in the built site: what its controls do, and that its runs are those of Node. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chromium } from "playwright-core";
import {
  addressOf,
  assertAlike,
  CHROMIUM,
  downloaded,
  fact,
  figure,
  inkOf,
  inNode,
  linkOf,
  longestTask,
  openBroken,
  openTrain,
  PHONE,
  playing,
  query,
  ready,
  redrawn,
  stepIs,
  stepsAbove,
  texts,
  trained,
} from "./support.mjs";

/** The toy of `npm start` as an address of the figure. */
const TOY =
  "data=linear&encode=poisson&timesteps=25&layers=128&beta=0.95&threshold=1&reset=zero&surrogate=sigmoid&slope=10" +
  "&readout=rate&lr=0.001&batch=128";

/** Tests whose pages wait for each other in no way; tests of time run alone, and so do those that compare pictures at rest. */
const SIDE_BY_SIDE = { concurrency: 3 };

describe("train", SIDE_BY_SIDE, () => {
  test("the toy of npm start gets above 88 %", async (t) => {
    const page = await trained(t, TOY, 260);
    assert.ok((await figure(page, "accuracy")) > 88);
  });

  for (const query of ["", TOY, "data=mnist&encode=poisson&layers=32", "data=xor&reset=zero&readout=rate&seed=7"]) {
    test(`the same weights as in Node: ${query || "the defaults"}`, async (t) => {
      const page = await trained(t, query, 60);
      const hash = await fact(page, "hash");
      assert.match(hash, /^[0-9a-f]{64}$/);
      assert.equal(await inNode(await fact(page, "command")), hash);
    });
  }

  test("saved weights are loaded again, into the network and at the step that the file names", async (t) => {
    const page = await trained(t, "layers=20,12&seed=4", 30);
    const hash = await fact(page, "hash");
    const accuracy = await figure(page, "accuracy");
    const { name, path } = await downloaded(page, "Save weights");
    assert.equal(name, "jarvis-snn-moons.safetensors");
    const other = await trained(t, "data=xor&layers=5", 10);
    await other.setInputFiles("input[type=file]", path);
    await other.waitForFunction((wanted) => document.querySelector("[data-fact=hash]").textContent === wanted, hash);
    assert.equal(await figure(other, "step"), 30);
    assert.equal(await figure(other, "accuracy"), accuracy);
    assert.match(await fact(other, "command"), /came from a file/);
    assert.equal(await query(other), "layers=20,12&seed=4");
    assert.equal(await other.locator("[data-field=data]").inputValue(), "moons");
    await other.click("[data-action=step]");
    await stepIs(other, 31);
    await other.locator(".figure-train .stack").press("Shift+R");
    await stepIs(other, 0);
    assert.match(await fact(other, "command"), /--config="layers=20,12&seed=4" --steps=0/);
  });

  test("the weights of an earlier step come back", async (t) => {
    const page = await trained(t, "", 64);
    const now = await fact(page, "hash");
    const past = page.getByRole("slider", { name: "Weights of an earlier step" });
    await past.press("Home");
    await stepIs(page, 0);
    assert.equal(await inNode(await fact(page, "command")), await fact(page, "hash"));
    await past.press("End");
    await page.waitForFunction((hash) => document.querySelector("[data-fact=hash]").textContent === hash, now);
    await past.press("ArrowLeft");
    await page.waitForFunction(() => Number(document.querySelector("[data-figure=step]").textContent) < 64);
  });

  test("the slider of earlier steps stands where the picture is, though a frame from before comes late", async (t) => {
    const page = await trained(t, "", 20);
    const past = page.getByRole("slider", { name: "Weights of an earlier step" });
    const now = await past.inputValue();
    // The worker hears of the recall after the look that follows it, and answers that with a frame of the weights as they are.
    await page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (order) {
        setTimeout(() => postMessage.call(this, order), order.message?.kind === "recall" ? 500 : 0);
      };
    });
    await past.press("Home");
    await page.locator("[data-field=sample]").press("ArrowRight");
    await stepIs(page, 0);
    assert.equal(await past.inputValue(), "0");
    await past.press("End");
    await stepIs(page, 20);
    assert.equal(await past.inputValue(), now);
  });

  test("a neuron is pinned by a click, and the cursor goes through every plot", async (t) => {
    const page = await trained(t, "", 20);
    const stack = page.locator(".stack");
    const diagram = await inkOf(page, ".diagram canvas");
    await stack.scrollIntoViewIfNeeded();
    const box = await stack.boundingBox();
    // The raster of the second layer begins below the input and the first layer.
    await page.mouse.click(box.x + 300, box.y + 24 + 96 + 32 + 112 + 32 + 40);
    assert.match(await query(page), /layer=2/);
    await stack.press("Home");
    assert.equal(await stack.getAttribute("aria-valuenow"), "0");
    await stack.press("ArrowRight");
    assert.match(
      await stack.getAttribute("aria-valuetext"),
      /^time step 1\. Input.*Layer 1: \d+ spikes?.*Readout: \w+ leads/,
    );
    await redrawn(page, ".diagram canvas", diagram);
  });

  for (const [width, height] of [
    [1440, 900],
    [1024, 768],
    [390, 844],
  ]) {
    test(`button, diagram and map lie in the first screen of ${width} pixels, and it learns without a press`, async (t) => {
      const page = await openTrain(t, "", { viewport: { width, height }, reducedMotion: "no-preference" });
      await stepsAbove(page, 10);
      for (const part of ["[data-action=play]", ".diagram canvas", ".map canvas"]) {
        const box = await page.locator(part).boundingBox();
        assert.ok(box.y >= 0 && box.y + box.height <= height, `${part} ends at ${box.y + box.height} of ${height}`);
      }
      await stepIs(page, 200);
      await playing(page, false);
    });
  }

  test("a reader who wants no motion sees an untrained network at rest", async (t) => {
    const page = await openTrain(t);
    await ready(page);
    await page.click("[data-action=step]");
    await stepIs(page, 1);
    await playing(page, false);
  });

  test("a hidden page rests, and goes on when it is seen", async (t) => {
    const page = await openTrain(t, "pace=20");
    await ready(page);
    await page.click("[data-action=play]");
    await stepsAbove(page, 3);
    await page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      globalThis.orders = [];
      Worker.prototype.postMessage = function (order, ...rest) {
        globalThis.orders.push(order.kind);
        postMessage.call(this, order, ...rest);
      };
      globalThis.turn = (state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      };
    });
    await page.evaluate(() => globalThis.turn("hidden"));
    assert.deepEqual(await page.evaluate(() => globalThis.orders), ["rest"]);
    await page.evaluate(() => globalThis.turn("visible"));
    await stepsAbove(page, (await figure(page, "step")) + 3);
  });

  test("the map follows the cursor of time", async (t) => {
    const page = await trained(t, "", 60);
    /** Waits until most of the plane belongs to a class, or until it does not. */
    const decided = (wanted) =>
      page.waitForFunction((wanted) => {
        const canvas = document.querySelector(".map canvas");
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        const painted = data.filter((_, i) => i % 4 === 3 && data[i] > 0).length;
        return painted / (canvas.width * canvas.height) > 0.9 === wanted;
      }, wanted);
    await decided(true);
    await page.locator(".stack").press("Home");
    await decided(false);
    await page.locator(".stack").press("End");
    await decided(true);
  });

  test("a neuron shows its own map under the pointer, is pinned by a click and silenced by Alt and a click", async (t) => {
    const page = await trained(t, "layers=8,4", 60);
    const diagram = page.locator(".diagram canvas");
    const { width, height } = await diagram.boundingBox();
    const title = (text) =>
      page.waitForFunction((wanted) => document.querySelector(".plane strong")?.textContent === wanted, text);
    // The third of eight neurons in the first of two layers: a third of the way from the inputs to the readout.
    const position = { x: 28 + (width - 92) / 3, y: 28 + (2.5 / 8) * (height - 36) };
    await title("What it decides where");
    await diagram.hover({ position });
    await title("Neuron 3 of layer 1");
    await page.locator("h1").hover();
    await title("What it decides where");
    await diagram.click({ position });
    assert.match(await query(page), /neuron=3/);
    const spikes = await figure(page, "spikes");
    await diagram.click({ position, modifiers: ["Alt"] });
    await page.waitForFunction(
      (before) => Number(document.querySelector("[data-figure=spikes]").textContent) < before,
      spikes,
    );
    await page.getByRole("button", { name: "Let it fire" }).click();
    await page.waitForFunction(
      (before) => Number(document.querySelector("[data-figure=spikes]").textContent) === before,
      spikes,
    );
  });

  test("where the engine does not run, the page says why", async (t) => {
    const body = 'throw new Error("this engine has no WebAssembly SIMD")';
    const page = await openBroken(t, "**/worker-*.js", (route) =>
      route.fulfill({ contentType: "text/javascript", body }),
    );
    await page.waitForSelector(".problem:not([hidden])");
    assert.match(await page.locator(".problem").textContent(), /no WebAssembly SIMD/);
  });
});

describe("train, in time", () => {
  test("it pauses, goes on, takes single steps and starts anew, by buttons and by keys", async (t) => {
    const page = await openTrain(t, "seed=0");
    await ready(page);
    const untrained = await fact(page, "hash");
    await page.click("[data-action=play]");
    await stepsAbove(page, 20);
    await page.click("[data-action=play]");
    await playing(page, false);
    const paused = await figure(page, "step");
    await page.waitForTimeout(300);
    assert.equal(await figure(page, "step"), paused);
    await page.locator("[data-action=step]").press("ArrowRight");
    await stepIs(page, paused + 1);
    await page.locator(".figure-train .stack").press(" ");
    await playing(page, true);
    await stepsAbove(page, paused + 10);
    await page.locator(".figure-train .stack").press(" ");
    await playing(page, false);
    const steps = await figure(page, "step");
    assert.equal(await inNode(await fact(page, "command")), await fact(page, "hash"), `${steps} steps with a pause`);
    await page.locator(".figure-train .stack").press("r");
    assert.ok((await figure(page, "step")) >= steps, "R alone destroys nothing");
    await page.locator(".figure-train .stack").press("Shift+R");
    await stepIs(page, 0);
    await page.waitForFunction((hash) => document.querySelector("[data-fact=hash]").textContent === hash, untrained);
  });

  test("a shared link opens what its sender saw", async (t) => {
    const page = await trained(t, "data=spirals&layers=20,12&noise=0.02&seed=5&sample=3&neuron=7&layer=2", 40);
    await page.locator(".map").click({ position: { x: 60, y: 40 } });
    const hash = await fact(page, "hash");
    const address = new URL(await linkOf(page, "train")).hash.slice(1);
    assert.match(address, /steps=40/);
    assert.match(address, /px=0\.\d+&py=0\.\d+/);
    const second = await openTrain(t, address);
    await second.waitForFunction((wanted) => document.querySelector("[data-fact=hash]")?.textContent === wanted, hash);
    await playing(second, false);
    await assertAlike(page, second);
  });

  test("slow motion runs through the sample", async (t) => {
    const page = await trained(t, "timesteps=4", 20, { reducedMotion: "no-preference" });
    const shown = await page.evaluate(() => {
      const stack = document.querySelector(".stack");
      const steps = [];
      document.querySelector("[data-action=slow]").click();
      return new Promise((resolve) => {
        const look = () => {
          const step = stack.getAttribute("aria-valuenow");
          if (step !== steps.at(-1)) steps.push(step);
          if (step === "3" && steps.length > 1) resolve(steps.join(""));
          else requestAnimationFrame(look);
        };
        look();
      });
    });
    assert.match(shown, /^3?0?1?2?3$/);
    assert.match(shown, /[12]3$/, "steps in the middle are shown");
  });

  test("the page stays smooth while it trains at full speed", async (t) => {
    const page = await openTrain(t, "pace=0");
    await ready(page);
    await page.click("[data-action=play]");
    const longest = await longestTask(page, async () => {
      const begin = await figure(page, "step");
      await stepsAbove(page, begin + 1000);
    });
    t.diagnostic(`the longest task takes ${longest} ms`);
    assert.ok(longest <= 50);
    // The measure itself: a task that is too long is seen.
    const work = () => {
      let sum = 0;
      for (let i = 0; i < 5e7; i++) sum += Math.sin(i);
      return sum;
    };
    assert.ok((await longestTask(page, () => page.evaluate(work))) > 100);
  });

  test("memory stays where it is over 2000 steps, and nothing jumps", async (t) => {
    const page = await openTrain(t, "pace=0");
    await ready(page);
    await page.evaluate(() => {
      globalThis.shift = 0;
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.shift += value;
      }).observe({ type: "layout-shift" });
    });
    const session = await page.context().newCDPSession(page);
    const measure = async () => {
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      return { page: usedSize, linear: await fact(page, "memory") };
    };
    await page.click("[data-action=play]");
    await stepsAbove(page, 1000);
    const before = await measure();
    await stepsAbove(page, (await figure(page, "step")) + 2000);
    const after = await measure();
    t.diagnostic(JSON.stringify({ before, after }));
    assert.equal(after.linear, before.linear);
    assert.ok(after.page < before.page + 2e6, `${before.page} → ${after.page} bytes`);
    assert.ok((await page.evaluate(() => globalThis.shift)) < 0.01);
  });
});

/** Changes made by hand go back one by one, and old links stay valid. */
describe("train, by hand", SIDE_BY_SIDE, () => {
  test("other neurons and connections within layers are loaded when they are chosen, and links and Node keep them", async (t) => {
    const page = await openTrain(t, "timesteps=6");
    await ready(page);
    const scripts = () =>
      page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => /cells-/.test(name)).length);
    const before = await fact(page, "hash");
    assert.equal(await scripts(), 0);
    await page.locator("[data-field=cells]").selectOption("Synaptic");
    await page.locator("[data-field=links]").selectOption("recurrent");
    await page.waitForFunction((hash) => document.querySelector("[data-fact=hash]").textContent !== hash, before);
    await page.waitForFunction(() => /cells=Synaptic&links=recurrent/.test(location.hash));
    await page.waitForFunction(() => /links=recurrent/.test(document.querySelector("[data-fact=command]").textContent));
    for (let step = 1; step <= 3; step++) {
      await page.click("[data-action=step]");
      await stepIs(page, step);
    }
    await page.waitForFunction(() => /--steps=3$/.test(document.querySelector("[data-fact=command]").textContent));
    assert.equal(await inNode(await fact(page, "command")), await fact(page, "hash"));
    // Izhikevich's neuron has none of the three settings.
    await page.locator("[data-field=cells]").selectOption("Izhikevich");
    for (const name of ["beta", "threshold", "reset"])
      assert.equal(await page.locator(`[data-field=${name}]`).isVisible(), false, name);
  });

  test("back undoes a change of the run, and forward makes it again; a drag is one change", async (t) => {
    const page = await openTrain(t, "");
    await ready(page);
    const entries = () => page.evaluate(() => history.length);
    const first = await entries();
    await page.locator("[data-field=data]").selectOption("xor");
    await page.waitForFunction(() => location.hash === "#data=xor");
    await page.locator("[data-field=seed]").press("ArrowRight");
    await page.waitForFunction(() => location.hash === "#data=xor&seed=1");
    assert.equal((await entries()) - first, 2);
    const box = await page.locator("[data-field=threshold]").boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 20, y);
    await page.waitForFunction(() => /threshold=/.test(location.hash));
    const dragged = await query(page);
    await page.mouse.move(x + 60, y);
    await page.waitForFunction((before) => location.hash !== `#${before}`, dragged);
    await page.mouse.up();
    assert.equal((await entries()) - first, 3);
    const last = await query(page);
    // Looking at another sample changes no run.
    await page.locator("[data-field=sample]").press("ArrowRight");
    await page.waitForFunction(() => /sample=2/.test(location.hash));
    assert.equal((await entries()) - first, 3);
    await page.evaluate(() => history.back());
    await page.waitForFunction(() => location.hash === "#data=xor&seed=1");
    await page.evaluate(() => history.back());
    await page.waitForFunction(() => location.hash === "#data=xor");
    assert.equal(await page.locator("[data-field=seed]").getAttribute("aria-valuenow"), "0");
    await page.evaluate(() => history.back());
    await page.waitForFunction(() => location.hash === "");
    assert.equal(await page.locator("[data-field=data]").inputValue(), "moons");
    await page.evaluate(() => history.go(3));
    await page.waitForFunction((wanted) => location.hash === `#${wanted}&sample=2`, last);
  });

  test("a tap opens a number with less and more for a finger, digits begin to type, and neither leaves the page", async (t) => {
    const page = await openTrain(t, "", { ...PHONE, reducedMotion: "reduce" });
    await ready(page);
    const seed = page.locator("[data-field=seed]");
    await seed.tap();
    const dial = page.getByRole("group", { name: "seed" });
    for (const name of ["less seed", "more seed"]) {
      const { width, height, x } = await page.getByRole("button", { name }).boundingBox();
      assert.ok(width >= 44 && height >= 44 && x >= 0 && x + width <= 390, name);
    }
    await page.getByRole("button", { name: "more seed" }).tap();
    await page.getByRole("button", { name: "more seed" }).tap();
    assert.equal(await seed.getAttribute("aria-valuenow"), "2");
    await page.getByRole("button", { name: "less seed" }).tap();
    assert.equal(await seed.getAttribute("aria-valuenow"), "1");
    await page.locator("h1").tap();
    await dial.waitFor({ state: "detached" });
    const { pathname } = new URL(page.url());
    await seed.press("2");
    await dial.getByRole("textbox").press("5");
    await dial.getByRole("textbox").press("Enter");
    await dial.waitFor({ state: "detached" });
    assert.equal(await seed.getAttribute("aria-valuenow"), "25");
    await seed.press("7");
    await dial.getByRole("textbox").press("Escape");
    assert.equal(await seed.getAttribute("aria-valuenow"), "25");
    assert.equal(new URL(page.url()).pathname, pathname);
  });

  test("a page at rest reads well: whole words in each window, one accuracy, ticks of one width, a copied command", async (t) => {
    const page = await trained(t, "timesteps=30", 60, { deviceScaleFactor: 1.25 });
    // The reading and the curves.
    const accuracy = await page.locator("[data-figure=accuracy]").textContent();
    assert.match(await page.locator(".values .accuracy").textContent(), new RegExp(`accuracy ${accuracy}$`));
    // Readings and flags in one line each.
    for (const width of [2560, 1440, 1280, 1101, 844, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const cut = await page.evaluate(() => {
        const lines = (node) => {
          const range = document.createRange();
          range.selectNodeContents(node);
          return [...range.getClientRects()];
        };
        const words = [...document.querySelectorAll(".status .reading > *, .facts code .kept")];
        const boxes = words.map((node) => ({ text: node.textContent, rects: lines(node) }));
        return boxes.flatMap(({ text, rects }, i) => {
          const [box] = rects;
          const meets = boxes.slice(i + 1).some(({ rects: [other] }) => {
            const inLine = box.top < other.bottom - 1 && other.top < box.bottom - 1;
            return inLine && box.left < other.right + 2 && other.left < box.right + 2;
          });
          return rects.length > 1 || meets || box.right > innerWidth ? [text] : [];
        });
      });
      assert.deepEqual(cut, [], `${width} pixels`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    assert.equal(
      await page.locator(".figure-train .map").evaluate((node) => getComputedStyle(node).touchAction),
      "pan-y",
    );
    // A row of the raster of the first layer: spikes are runs of its colour.
    const runs = await page
      .locator(".stack canvas")
      .first()
      .evaluate((canvas) => {
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        const [r, g, b] = [0x17, 0x69, 0xaa];
        const found = [];
        const [top, bottom] = [(24 + 96 + 32) * 1.25, (24 + 96 + 32 + 100) * 1.25];
        for (let y = Math.round(top); y < bottom; y++) {
          let run = 0;
          for (let x = 40 * 1.25; x < width - 90; x++) {
            const i = 4 * (y * width + x);
            if (data[i] === r && data[i + 1] === g && data[i + 2] === b) run++;
            else if (run > 0) run = found.push(run) * 0;
          }
        }
        return found;
      });
    assert.ok(runs.length > 20, `${runs.length} ticks`);
    assert.deepEqual([...new Set(runs)].length, 1, [...new Set(runs)].join(", "));
    // The command of the run.
    await page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => {
        globalThis.copied = text;
      };
    });
    await page.click("[data-action=copy]");
    await page.getByRole("button", { name: "Copied", exact: true }).waitFor();
    assert.equal(await page.evaluate(() => globalThis.copied), await fact(page, "command"));
  });

  test("what is to be pressed has a colour of its own, and colours of the system keep the lines under numbers", async (t) => {
    const page = await trained(t, "", 20);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const { pressed, others } = await page.evaluate(() => {
        const styleOf = (selector) => getComputedStyle(document.querySelector(selector));
        return {
          pressed: styleOf("[data-action=play]").backgroundColor,
          others: [
            styleOf(".values .accuracy").color,
            styleOf(".values .loss").color,
            styleOf(".bar-of.spikes").backgroundColor,
          ],
        };
      });
      assert.ok(!others.includes(pressed), `${colorScheme}: ${pressed} among ${others}`);
    }
    await page.emulateMedia({ colorScheme: "light", forcedColors: "active" });
    const lines = await page.locator(".figure-train .scrub:visible, .figure-train .word:visible").evaluateAll((nodes) =>
      nodes.map((node) => {
        const { borderBottomWidth, borderBottomColor } = getComputedStyle(node);
        const { backgroundColor } = getComputedStyle(document.body);
        return borderBottomWidth === "2px" && borderBottomColor !== backgroundColor;
      }),
    );
    assert.ok(lines.length > 10 && lines.every(Boolean), lines.join());
  });

  test("the columns fill the window: none ends far above the others, and a large window is used", async (t) => {
    const page = await trained(t, "", 20);
    for (const width of [1240, 1440, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      const { stage, all } = await page.evaluate(() => {
        const boxOf = (selector) => document.querySelector(selector).getBoundingClientRect();
        return { stage: boxOf(".figure-train .stage"), all: boxOf(".figure-train") };
      });
      assert.ok(stage.height > 0.75 * all.height, `${width}: ${stage.height} of ${all.height}`);
      assert.ok(all.width > 0.65 * width, `${width}: ${all.width}`);
    }
  });

  test("the rule under the bar ends at the scroll bar, on a page that needs none too", async (t) => {
    // Chromium without a window shows scroll bars only when it is asked to.
    const browser = await chromium.launch({ ...CHROMIUM, ignoreDefaultArgs: ["--hide-scrollbars"] });
    t.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1000, height: 6000 } });
    await page.goto(addressOf("/", "play/"));
    const { right, isShort } = await page.evaluate(() => ({
      right: document.querySelector(".bar").getBoundingClientRect().right,
      isShort: document.documentElement.scrollHeight <= innerHeight,
    }));
    assert.ok(isShort && right < 1000, `${right} of 1000`);
    const shot = await page.screenshot({ clip: { x: right, y: 0, width: 1000 - right, height: 400 } });
    const colours = await page.evaluate(
      async (bytes) => {
        const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
        const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
        context.drawImage(picture, 0, 0);
        const { data } = context.getImageData(0, 0, picture.width, picture.height);
        const paper = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
        const isPaper = (i) => paper.every((value, c) => Math.abs(data[4 * i + c] - value) <= 1);
        return {
          paper: Array.from({ length: data.length / 4 }, (_, i) => i).filter(isPaper).length,
          all: data.length / 4,
        };
      },
      [...shot],
    );
    assert.ok(colours.paper < 0.1 * colours.all, `${colours.paper} of ${colours.all} pixels are paper`);
  });

  test("slow motion has a pause, a press on the rows takes the cursor, and nothing shows what is yet to come", async (t) => {
    const page = await trained(t, "timesteps=30", 60, { reducedMotion: "no-preference" });
    const slow = page.locator("[data-action=slow]");
    const says = (text) =>
      page.waitForFunction((text) => document.querySelector("[data-action=slow]").textContent === text, text);
    const stack = page.locator(".stack");
    await stack.scrollIntoViewIfNeeded();
    await page.locator("h1").hover();
    await slow.click();
    await says("Pause");
    // In the first steps paper covers the place beside the title of the readout, and what lies below the line at the foot of a potential.
    await page.waitForFunction(() => {
      const host = document.querySelector(".figure-train .stack");
      const button = document.querySelector("[data-action=slow]");
      if (button.textContent !== "Pause") button.click();
      if (button.textContent !== "Pause" || Number(host.getAttribute("aria-valuenow")) > 2) return false;
      const canvas = host.querySelector("canvas.overlay");
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const alpha = (x, y, width, height) => {
        const box = [x, y, width, height].map((value) => Math.round((value * canvas.width) / canvas.clientWidth));
        return Math.min(...copy.getImageData(...box).data.filter((_, i) => i % 4 === 3));
      };
      // From the foot: 32 pixels of the axis, 8 between rows, 88 of the readout, 24 of its title, and 8 between rows.
      const readout = canvas.clientHeight - 32 - 8 - 88;
      const right = canvas.clientWidth - 72;
      return alpha(130, readout - 20, right - 130, 16) === 255 && alpha(right - 100, readout - 24 - 8 + 1, 90, 1) > 150;
    });
    await slow.click();
    await says("Slow motion");
    await slow.click();
    await stack.click({ position: { x: 120, y: 60 } });
    await says("Slow motion");
    assert.doesNotMatch(await page.locator(".note").textContent(), /Press Train/);
    const label = await page.locator(".figure-train .map").getAttribute("aria-label");
    assert.match(label, /^Map: What it decides where; arrow keys move the point/);
  });

  test("the page says what it is, in its title and to a search", () => {
    const text = texts.get("play/index.html");
    assert.match(text, /<title>[^<]*learns[^<]*<\/title>/);
    assert.match(text, /<meta name="description" content="[^"]{40,}"/);
  });
});

describe("every control", SIDE_BY_SIDE, () => {
  test("does what it says", async (t) => {
    const page = await openTrain(t);
    await ready(page);
    const selects = page.locator("select.word");
    for (let i = 0; i < (await selects.count()); i++) {
      const select = selects.nth(i);
      const first = await select.inputValue();
      const values = await select.locator("option").evaluateAll((options) => options.map(({ value }) => value));
      // In the end as it was: other controls depend on it.
      for (const value of [...values.filter((value) => value !== first), first]) {
        await select.selectOption(value);
        await page.waitForTimeout(50);
        await nudgeInPage(page);
      }
    }
    await nudgeAll(page);
    assert.notEqual(await query(page), "");
    for (const name of ["one more layer", "one layer fewer"]) {
      const button = page.getByRole("button", { name });
      if ((await button.count()) > 0) await button.click();
    }
  });
});

/** Moves each number as `nudgeAll` does, from within the page: after every choice a press from here would take minutes. */
async function nudgeInPage(page) {
  const standing = await page.evaluate(async () => {
    const standing = [];
    for (const slider of document.querySelectorAll(".scrub")) {
      if (!slider.checkVisibility() || slider.ariaValueMin === slider.ariaValueMax) continue;
      const before = slider.ariaValueNow;
      for (const key of ["ArrowRight", "ArrowLeft"]) {
        if (slider.ariaValueNow !== before) continue;
        slider.focus();
        slider.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      }
      if (slider.ariaValueNow === before) standing.push(slider.ariaLabel);
      await new Promise(requestAnimationFrame);
    }
    return standing;
  });
  assert.deepEqual(standing, []);
}

/** Moves each number on the page one step by a key, back where there is no way on. */
async function nudgeAll(page) {
  const sliders = page.locator(".scrub:visible");
  for (let i = 0; i < (await sliders.count()); i++) {
    const slider = sliders.nth(i);
    const look = () =>
      slider.evaluate((node) => [node.ariaValueNow, node.ariaValueMin === node.ariaValueMax, node.ariaLabel]);
    const [before, isFixed, label] = await look();
    // The layer where there is but one.
    if (isFixed) continue;
    await slider.press("ArrowRight");
    let [after] = await look();
    if (after === before) {
      await slider.press("ArrowLeft");
      [after] = await look();
    }
    assert.notEqual(after, before, label);
  }
}
