/** The figure Train tells the truth: words, numbers and pictures agree with each other and with the run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  assertAlike,
  cost,
  downloaded,
  fact,
  figure,
  linkOf,
  openBroken,
  openTrain,
  query,
  ready,
  stepIs,
  stepsAbove,
  trained,
} from "./support.mjs";

const SIDE_BY_SIDE = { concurrency: 3 };

/** The words of an element as they are read: of each choice the chosen one, and nothing that is hidden. */
const words = (page, selector) =>
  page
    .locator(selector)
    .first()
    .evaluate((node) => {
      const read = (child) => {
        if (child.nodeType === Node.TEXT_NODE) return child.data;
        if (child.hidden) return "";
        if (child instanceof HTMLSelectElement) return child.selectedOptions[0].textContent;
        return [...child.childNodes].map(read).join("");
      };
      return read(node).replaceAll(/\s+/g, " ").trim();
    });

/** Where the curves lie in the window, without the numbers beside them. */
async function plotOf(page) {
  const curves = page.locator(".curves");
  await curves.scrollIntoViewIfNeeded();
  const { x, y, width } = await curves.boundingBox();
  return { x: x + 40, y, width: width - 88 };
}

const stackText = (page) => page.locator(".stack").getAttribute("aria-valuetext");

/** Shows a test sample by the address, and waits for its frame. */
async function choose(page, sample) {
  const before = await stackText(page);
  const isOther = await page.evaluate((n) => {
    const before = location.hash;
    location.hash = before.replace(/sample=\d+/, `sample=${n}`);
    return location.hash !== before;
  }, sample);
  if (isOther) await page.waitForFunction((text) => document.querySelector(".stack").ariaValueText !== text, before);
}

const slider = (page, name) => page.getByRole("slider", { name, exact: true });

/** The picture that the choice would hand out. */
const svgOf = (page) =>
  page.evaluate(async () => {
    const { click } = HTMLAnchorElement.prototype;
    const { createObjectURL } = URL;
    let blob = null;
    document.querySelector("snn-figure > .share").click();
    while (document.querySelector(".sharing") === null) await new Promise(requestAnimationFrame);
    HTMLAnchorElement.prototype.click = () => {};
    URL.createObjectURL = (content) => {
      blob = content;
      return "";
    };
    const press = (label) =>
      Array.from(document.querySelectorAll(".sharing button"))
        .find(({ textContent }) => textContent === label)
        .click();
    press("Picture (SVG)");
    HTMLAnchorElement.prototype.click = click;
    URL.createObjectURL = createObjectURL;
    press("Close");
    return blob.text();
  });

/** Bold names in ink: those of the diagram; names of the row have colours. */
const bold = (svg) => [...svg.matchAll(/fill="#1d1f24"[^>]*font-weight="600"[^>]*>([^<]*)</g)].map(([, text]) => text);

describe("a leader", SIDE_BY_SIDE, () => {
  for (const readout of ["membrane", "rate"]) {
    test(`diagram, row, title and scores name the same class at every step: ${readout}`, async (t) => {
      const page = await trained(t, `data=circles&sample=2&timesteps=12&readout=${readout}`, 500);
      const stack = page.locator(".stack");
      for (const sample of [2, 3, 5]) {
        await choose(page, sample);
        await stack.press("Home");
        let led = null;
        for (let step = 0; step < 12; step++) {
          const [, leader] = (await stackText(page)).match(/Readout: (\w+) leads/);
          const svg = await svgOf(page);
          const named = bold(svg).filter((text) => /^(disc|square)$/.test(text));
          assert.deepEqual(named, leader === "nobody" ? [] : [leader], `sample ${sample}, step ${step}`);
          led = leader;
          await stack.press("ArrowRight");
        }
        assert.equal((await svgOf(page)).match(/decides for (\w+)/)?.[1] ?? "nobody", led);
      }
    });
  }

  test("the value that the row tells is the one by which it leads, the largest so far", async (t) => {
    const page = await trained(t, "data=circles&sample=2", 500);
    const stack = page.locator(".stack");
    for (const sample of [2, 3, 5]) {
      await choose(page, sample);
      await stack.press("Home");
      let before = { leader: "nobody", value: 0 };
      for (let step = 0; step < 8; step++) {
        const [, leader, digits] = (await stackText(page)).match(/Readout: (\w+) leads(?:, ([−\d.]+))?/);
        const value = Number((digits ?? "0").replace("−", "-"));
        if (leader === before.leader)
          assert.ok(value >= before.value, `${before.value}, then ${value} at step ${step}`);
        before = { leader, value };
        await stack.press("ArrowRight");
      }
      assert.notEqual(before.leader, "nobody");
    }
  });

  test("nobody leads before a spike has reached the readout, and the decision is marked later", async (t) => {
    const page = await trained(t, "", 200);
    const stack = page.locator(".stack");
    await stack.press("Home");
    let reached = false;
    for (let step = 0; step < 8; step++) {
      const text = await stackText(page);
      reached ||= Number(text.match(/Layer 2: (\d+) spike/)[1]) > 0;
      if (!reached) assert.match(text, /Readout: nobody leads/, `step ${step}`);
      await stack.press("ArrowRight");
    }
    assert.ok(reached);
    const first = await openTrain(t);
    await ready(first);
    await first.locator(".stack").press("Home");
    assert.match(await stackText(first), /Readout: nobody leads/);
  });
});

describe("costs", SIDE_BY_SIDE, () => {
  test("spikes, one dense pass and dense steps are counted apart, and energy follows from both counts", async (t) => {
    const page = await trained(t, "data=xor&seed=7", 200);
    const rows = {};
    for (const kind of ["spikes", "onePass", "everyStep"]) {
      const [additions, multiplications, energy] = [
        await cost(page, `${kind} additions`),
        await cost(page, `${kind} multiplications`),
        await cost(page, `${kind} energy`),
      ];
      const expected = (0.9 * additions + 3.7 * multiplications) / 1000;
      assert.ok(Math.abs(energy - expected) <= 0.05 * expected, `${kind}: ${energy} nJ of ${expected}`);
      rows[kind] = { additions, multiplications };
    }
    assert.deepEqual(rows.onePass, { additions: 800, multiplications: 800 });
    // The leak: 8 steps of 24 + 16 + 2 potentials.
    assert.equal(rows.spikes.multiplications, 8 * 42);
    assert.equal(rows.everyStep.multiplications, 8 * (800 + 42));
    assert.ok(rows.spikes.additions > 100);
    const text = await page.locator("main").textContent();
    assert.match(text, /0\.9 pJ an addition, 3\.7 pJ a multiplication, 4\.6 pJ both .*45 nm, Horowitz 2014/);
    assert.doesNotMatch(text, /% of what the same network would|silence costs nothing/);
  });
});

describe("a long run", SIDE_BY_SIDE, () => {
  test("its curves and its snapshots keep the first steps", async (t) => {
    const page = await trained(t, "", 4000);
    const over = await plotOf(page);
    const steps = [];
    for (let x = 1; x < 20; x++) {
      await page.mouse.move(over.x + x, over.y + 40);
      const [, step] = (await page.locator(".values").textContent()).match(/^step (\d+) /);
      steps.push(Number(step));
    }
    assert.ok(steps[0] <= over.width ** -1 * 4000 * 1.5, `the curve begins at ${steps[0]}`);
    const wide = steps.slice(1).map((step, i) => step - steps[i]);
    assert.ok(Math.max(...wide) < (4000 / over.width) * 2.5, `it goes on at ${steps}`);
    const past = page.getByRole("slider", { name: "Weights of an earlier step" });
    await past.press("Home");
    for (let i = 0; i < 3; i++) await past.press("ArrowRight");
    await stepIs(page, 3);
  });

  test("a link with steps shows each of them", async (t) => {
    const page = await trained(t, "", 120);
    const over = await plotOf(page);
    const seen = new Set();
    for (let x = 0; x < over.width; x++) {
      await page.mouse.move(over.x + x, over.y + 40);
      seen.add((await page.locator(".values").textContent()).split(" · ").slice(0, 2).join());
    }
    assert.ok(seen.size >= 110, `${seen.size} points of 121`);
  });
});

describe("sentences", SIDE_BY_SIDE, () => {
  test("the first one has one full stop", async (t) => {
    const page = await openTrain(t);
    await page.waitForSelector(".configuration .prose");
    assert.equal(
      await words(page, ".configuration .prose"),
      "Tell apart two moons scattered by 0.1, each coordinate seen by 8 receptive fields.",
    );
    await page.locator("[data-field=data]").selectOption("mnist");
    assert.equal(await words(page, ".configuration .prose"), "Tell apart handwritten digits.");
  });

  test("samples, neurons and layers end where the run has no more, and all count from one", async (t) => {
    const page = await openTrain(t, "sample=900&neuron=200&layer=3");
    await ready(page);
    assert.equal(await words(page, ".row .prose"), "Test sample 200, and neuron 16 of layer 2.");
    assert.match(await stackText(page), /Potential of neuron 16 in layer 2: /);
    for (const [name, most] of [
      ["test sample", "200"],
      ["neuron", "16"],
      ["layer", "2"],
    ]) {
      await slider(page, name).press("End");
      assert.equal(await slider(page, name).getAttribute("aria-valuetext"), most);
      assert.equal(await slider(page, name).getAttribute("aria-valuemax"), most);
    }
    await slider(page, "neurons in layer 2").press("Home");
    assert.equal(await words(page, ".row .prose"), "Test sample 200, and neuron 1 of layer 2.");
    await page.getByRole("button", { name: "one layer fewer" }).click();
    assert.equal(await words(page, ".row .prose"), "Test sample 200, and neuron 1 of layer 1.");
    await slider(page, "test sample").press("Home");
    assert.equal(await slider(page, "test sample").getAttribute("aria-valuetext"), "1");
  });

  test("a point that is picked on the map is named as one, until a sample is chosen", async (t) => {
    const page = await trained(t, "", 20);
    const { width } = await page.locator(".map").boundingBox();
    await page.locator(".map").click({ position: { x: 0.34 * width, y: 0.68 * width } });
    assert.match(
      await words(page, ".row .prose"),
      /^The point \(0\.3[345], 0\.3[123]\) instead of test sample 1, and neuron 1 of layer 1\.$/,
    );
    await slider(page, "test sample").press("ArrowRight");
    assert.equal(await words(page, ".row .prose"), "Test sample 2, and neuron 1 of layer 1.");
    assert.equal(await query(page), "sample=2");
  });

  test("numbers are written one way, and the same number is the same everywhere", async (t) => {
    const page = await trained(t, "", 1500);
    const values = await page.locator(".values").textContent();
    assert.match(values, /^step 1500 · loss \S+ · accuracy [\d.]+\s%$/);
    assert.doesNotMatch(values, /loss 0\.000\b/);
    assert.equal(Number.parseFloat(values.split("accuracy ")[1]), await figure(page, "accuracy"));
    assert.equal(await page.locator("[data-figure=step]").textContent(), "1500");
    assert.equal(await page.locator(".outcome .sliders b").textContent(), "1500");
    assert.match(await fact(page, "weights"), /^800 at step 1500$/);
    assert.doesNotMatch(await page.locator("main").textContent(), /\d,\d{3}/);
  });

  test("the command stays in one piece after its hyphens", async (t) => {
    const page = await trained(t, "data=xor&seed=7", 20);
    const broken = await page.locator("[data-fact=command]").evaluate((code) => {
      const tops = new Map();
      const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
      let text = "";
      const places = [];
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        for (let i = 0; i < node.data.length; i++) {
          const range = document.createRange();
          range.setStart(node, i);
          range.setEnd(node, i + 1);
          places.push(range.getBoundingClientRect().top);
        }
        text += node.data;
      }
      for (const flag of ["--config", "--steps"]) {
        const at = text.indexOf(flag);
        tops.set(flag, new Set(places.slice(at, at + flag.length)).size);
      }
      return [...tops].filter(([, lines]) => lines > 1);
    });
    assert.deepEqual(broken, []);
    assert.match(await fact(page, "command"), /^npm run train:hash -- --config="data=xor&seed=7" --steps=20$/);
  });
});

describe("in time and at rest", () => {
  test("the pace that is shown is the pace that is set", async (t) => {
    const page = await openTrain(t, "pace=20");
    await ready(page);
    await page.click("[data-action=play]");
    // On a busy machine the pace is not kept at each time; one that is shown wrongly never stays near.
    await page.waitForFunction(async () => {
      for (let look = 0; look < 20; look++) {
        const rate = Number.parseFloat(document.querySelector("[data-figure=rate]").textContent);
        if (!(Math.abs(rate - 20) <= 2)) return false;
        await new Promise((next) => setTimeout(next, 50));
      }
      return true;
    });
  });

  for (const half of ["px=0.5", "py=0.5", "px=-0.5&py=0.5", "px=0.5&py=0.5&data=mnist"]) {
    test(`an address without a point of the square asks for none: ${half}`, async (t) => {
      const page = await openTrain(t, half);
      await ready(page);
      assert.match(await words(page, ".row .prose"), /^Test sample 1, /);
      assert.doesNotMatch(await query(page), /p[xy]=/);
      if (half.includes("mnist")) return;
      const whole = await openTrain(t);
      await ready(whole);
      await assertAlike(page, whole);
    });
  }
});

describe("sharing", SIDE_BY_SIDE, () => {
  test("weights of a file are not in a link, and the page says so", async (t) => {
    const page = await trained(t, "", 30);
    const { path } = await downloaded(page, "Save weights");
    assert.match(await linkOf(page, "train"), /steps=30/);
    await page.locator(".figure-train .stack").press("Shift+R");
    await stepIs(page, 0);
    await page.setInputFiles("input[type=file]", path);
    await stepIs(page, 30);
    await page.locator("snn-figure > .share").click();
    assert.match(await page.locator(".sharing p").textContent(), /weights from a file are not in it/);
    await page.getByRole("button", { name: "Close" }).click();
    assert.doesNotMatch(await linkOf(page, "train"), /steps=/);
  });

  test("a file that is none is refused in words, and nothing moves for it", async (t) => {
    const page = await trained(t, "", 10);
    const hash = await fact(page, "hash");
    const before = await page.locator(".stack").boundingBox();
    const buffer = Buffer.from("This is a letter to a friend, and no file of weights.");
    await page.setInputFiles("input[type=file]", { name: "letter.safetensors", mimeType: "text/plain", buffer });
    await page.waitForSelector(".problem:not([hidden])");
    const problem = await page.locator(".problem").textContent();
    assert.match(problem, /no safetensors file, or it is damaged/);
    assert.doesNotMatch(problem, /loadSafetensors|expected|got/);
    assert.deepEqual(await page.locator(".stack").boundingBox(), before);
    assert.equal(await fact(page, "hash"), hash);
    await page.click("[data-action=step]");
    await stepIs(page, 11);
    assert.equal(await page.locator(".problem").isVisible(), false);
  });
});

describe("what does not load", SIDE_BY_SIDE, () => {
  const answers = {
    "is not there": (route) => route.fulfill({ status: 404 }),
    "is no script": (route) => route.fulfill({ contentType: "text/javascript", body: "this is (no script" }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    test(`a worker that ${what} is told of`, async (t) => {
      const page = await openBroken(t, "**/worker-*.js", answer);
      await page.waitForSelector(".problem:not([hidden])");
      assert.match(
        await page.locator(".problem").textContent(),
        /does not load.*Reload the page|SyntaxError|missing \)/i,
      );
      // It is told again whoever presses the button.
      await page.click("[data-action=play]");
      await page.waitForSelector(".problem:not([hidden])");
    });
  }

  test("digits that take their time are told of, and what was there before is faint", async (t) => {
    let arrive;
    const later = new Promise((resolve) => (arrive = resolve));
    t.after(() => arrive());
    const delayed = async (route) => {
      await later;
      await route.continue();
    };
    const page = await openBroken(t, "**/digits.bin", delayed);
    await ready(page);
    // The worker hears of the new run after the look that follows it: it still answers that with a frame of the run before.
    await page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (order) {
        setTimeout(() => postMessage.call(this, order), order.message?.kind === "configure" ? 500 : 0);
      };
    });
    await page.locator("[data-field=data]").selectOption("mnist");
    await page.waitForFunction(() => document.querySelector(".busy")?.textContent === "Loading the digits …");
    await page.waitForFunction(() => getComputedStyle(document.querySelector(".map canvas")).opacity < 1);
    arrive();
    await page.waitForFunction(() => document.querySelector(".stack").ariaValueText.includes("one line a pixel"));
    await page.waitForFunction(() => document.querySelector(".busy").textContent === "");
    assert.equal(
      await page
        .locator(".stack canvas")
        .first()
        .evaluate((canvas) => getComputedStyle(canvas).opacity),
      "1",
    );
  });

  test("digits that do not load are told of, and asked for again by whoever presses the button", async (t) => {
    const page = await openBroken(t, "**/digits.bin", (route) => route.abort());
    await ready(page);
    await page.locator("[data-field=data]").selectOption("mnist");
    await page.waitForSelector(".problem:not([hidden])");
    assert.match(await page.locator(".problem").textContent(), /^The digits do not load/);
    await page.unroute("**/digits.bin");
    await page.click("[data-action=play]");
    await page.waitForFunction(() => document.querySelector(".stack").ariaValueText.includes("one line a pixel"));
    await stepsAbove(page, 3);
    assert.ok(await page.locator(".problem").isHidden());
  });
});

describe("the page", SIDE_BY_SIDE, () => {
  test("memory: large runs are limited in words, and what the platform has given is shown", async (t) => {
    const page = await openTrain(t, "timesteps=100&layers=256,256,256");
    await ready(page);
    assert.match(await query(page), /timesteps=33/);
    assert.match(await page.locator(".configuration").textContent(), /With so many neurons 33 time steps are the most/);
    const quick = await openTrain(t, "timesteps=100&layers=64,64");
    await ready(quick);
    await quick.waitForTimeout(3000);
    await quick.locator(".stack").press("Home");
    await quick.click("[data-action=step]");
    await stepIs(quick, 1);
    const [, reserved] = (await fact(quick, "memory")).match(/in use, (\d+) MB reserved$/);
    // In one piece the map took 828 MB.
    assert.ok(Number(reserved) < 200, `${reserved} MB`);
  });

  test("what is typed on a number goes to the number", async (t) => {
    const page = await openTrain(t);
    await ready(page);
    const steps = slider(page, "time steps");
    await steps.click();
    await page.keyboard.type("25");
    await page.keyboard.press("Enter");
    assert.equal(await steps.getAttribute("aria-valuetext"), "25");
    assert.equal(await query(page), "timesteps=25");
    await page.keyboard.type("r7");
    await page.keyboard.press("Enter");
    assert.match(page.url(), /play\/#timesteps=\d+$/);
  });
});
