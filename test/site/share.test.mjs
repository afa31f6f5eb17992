/** Sharing: links open what was set, `?still` draws it once, and the choice gives links, frames, pictures and loops. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import axe from "axe-core";
import { engines, host, see } from "./engines.mjs";
import { addressOf, contextOf, downloaded, linkOf, open, PHONE, site, texts } from "./support.mjs";

/** Figures by the hashes of links to their pages; one without a state has none. */
const LINKS = {
  "digit, card-equation, card-zoo, card-boundary, card-neighbours, card-balance, card-ring": [
    "",
    "strokes=gugu_i0i0i0q0i0qd&step=9",
  ],
  equation: [
    "equation/",
    "text=u+%3D+0.9*v+%2B+I%0As+%3D+%5Bu+%E2%89%A5+1%5D%0Av%E2%80%B2+%3D+u&current=0*10_0.2*90&width=2",
  ],
  zoo: ["zoo/", "current=0.5*50_-1*50_0.25*100&dots=0_0.1_0.3"],
  train: ["play/", "data=xor&seed=3&sample=4&steps=25"],
  neighbours: ["neighbours/", "seed=2&inhibition=20&digits=40"],
  "stdp-window": ["neighbours/", "figure=stdp-window&before=-20&behind=11"],
  balance: ["balance/", "seed=3&updates=40"],
  ring: ["ring/", "angle=220&size=128&push=-0.5"],
  "first-spike": ["lessons/0-first-spike.html", "current=0.35"],
  "one-neuron": ["lessons/1-one-neuron.html", "current=2&tau=11&threshold=0.75"],
  codes: ["lessons/2-codes.html", "timesteps=12&rate=0.3&seed=8"],
  "shape-cube": ["lessons/3-layers-and-shapes.html", "cut=neuron&t=9&n=3"],
  credit: ["lessons/4-why-a-spike-has-no-gradient.html", "at=30&width=1.2"],
  "mnist-page": ["lessons/5-mnist-in-a-page.html", ""],
  filters: ["lessons/6-convolutions.html", "filter=spot&row=3&column=7"],
  nano: ["docs/nano.html", ""],
  ladder: ["docs/ladder.html", ""],
};

/** The pictures of figures that have drawn the state of an address once. */
async function stills(page, names, path, hash) {
  // A page whose hash alone differs would stay.
  await page.goto("about:blank");
  await page.goto(addressOf("/", `${path}?still#${hash}`));
  const pictures = {};
  for (const name of names) {
    const figure = page.locator(`snn-figure[name="${name}"]`);
    await figure.scrollIntoViewIfNeeded();
    await page.locator(`snn-figure[name="${name}"][data-still]`).waitFor();
    pictures[name] = await figure.evaluate((element) =>
      Array.from(element.querySelectorAll("canvas, .host > svg"), (each) => each.toDataURL?.() ?? each.outerHTML),
    );
    assert.ok(pictures[name].length > 0, name);
  }
  return pictures;
}

describe("share", { concurrency: 2 }, () => {
  for (const [names, [path, hash]] of Object.entries(LINKS)) {
    test(`${names}: a link gives the same pixels twice, and is the link of the figure that it opens`, async (t) => {
      const page = await (await contextOf(t)).newPage();
      const all = names.split(", ");
      const own = new URLSearchParams(hash).get("figure") ?? all[0];
      const first = await stills(page, all, path, hash);
      assert.equal(new URL(await linkOf(page, all[0])).href, addressOf("/", hash === "" ? path : `${path}#${hash}`));
      assert.deepEqual(await stills(page, all, path, hash), first);
      // The state of the link is seen: without it the figure is another one.
      if (hash !== "") assert.notDeepEqual((await stills(page, [own], path, "none"))[own], first[own]);
    });
  }

  test("each figure of the site has a link above", () => {
    const figures = new Set(
      [...texts.values()].flatMap((text) => [...text.matchAll(/<snn-figure name="([\w-]+)"/g)]).map(([, name]) => name),
    );
    assert.deepEqual(
      [...figures].sort(),
      Object.keys(LINKS)
        .flatMap((names) => names.split(", "))
        .sort(),
    );
  });

  test("the choice opens and closes by keys, on a phone; frames and pictures show the figure", async (t) => {
    const page = await open(t, "/", "neighbours/#figure=stdp-window&before=-20", PHONE);
    const figure = page.locator('snn-figure[name="stdp-window"]');
    await figure.scrollIntoViewIfNeeded();
    const button = figure.getByRole("button", { name: /^Share/ });
    await button.press("Enter");
    const choice = page.getByRole("dialog", { name: /^Share: Two spikes/ });
    await choice.waitFor();
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
      [],
    );
    const small = await choice
      .getByRole("button")
      .evaluateAll((all) => all.filter((each) => each.clientHeight < 44).length);
    assert.equal(small, 0);
    await page.evaluate(() => {
      navigator.clipboard.writeText = (text) => Promise.reject(text);
    });
    await choice.getByRole("button", { name: "Copy embed code" }).click();
    const code = await choice.getByRole("textbox", { name: "To be copied" }).inputValue();
    const [, src, title] =
      /^<iframe src="([^"]+)" width="\d+" height="\d+" title="([^"]+)" loading="lazy" style="border: 0px;"><\/iframe>$/.exec(
        code,
      );
    assert.match(title, /^Two spikes/);
    const [svg, png] = [await downloaded(page, "Picture (SVG)"), await downloaded(page, "Picture (PNG)")];
    assert.equal(svg.name, "jarvis-snn-stdp-window.svg");
    const text = readFileSync(svg.path, "utf8");
    assert.match(
      text,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 398 \d+".*The field fires.*<\/svg>$/s,
    );
    const bytes = readFileSync(png.path);
    assert.deepEqual([bytes.readUInt32BE(16), bytes.toString("latin1", 1, 4)], [2 * 398, "PNG"]);
    await page.keyboard.press("Escape");
    await choice.waitFor({ state: "detached" });
    assert.ok(await button.evaluate((element) => element === document.activeElement), "the focus is back");
    await page.goto(src.replaceAll("&amp;", "&"));
    await page.locator('snn-figure[name="stdp-window"][data-lives]').waitFor();
    assert.deepEqual(
      await page
        .locator("snn-figure")
        .evaluateAll((all) => all.filter((each) => each.checkVisibility()).map((each) => each.getAttribute("name"))),
      ["stdp-window"],
    );
    assert.equal(await page.getByRole("slider").getAttribute("aria-valuenow"), "24");
  });

  test("what no link gives again is said beside it", async (t) => {
    const page = await open(t, "/", "lessons/0-first-spike.html");
    const share = page.locator("snn-figure").getByRole("button", { name: /^Share/ });
    await share.click();
    assert.equal(await page.locator(".sharing p").count(), 0);
    await page.getByRole("button", { name: "Close" }).click();
    const spikes = page.locator(".figure-first-spike canvas");
    const before = await spikes.evaluate((canvas) => canvas.toDataURL());
    await page.waitForFunction(
      (ink) => document.querySelector(".figure-first-spike canvas").toDataURL() !== ink,
      before,
    );
    await page.getByRole("slider", { name: "Current I" }).fill("0.3");
    await share.click();
    assert.match(await page.locator(".sharing p").textContent(), /does not have that of earlier steps/);
  });

  test("a figure that moves gives a loop", async (t) => {
    const page = await open(t, "/", "");
    await page
      .locator('snn-figure[name="digit"]')
      .getByRole("button", { name: /^Share/ })
      .click();
    const loops = page.getByRole("button", { name: /^Loop/ });
    const areDisabled = () => loops.evaluateAll((all) => all.map(({ disabled }) => disabled));
    const recorded = downloaded(page, "Loop, square");
    await page.getByText("Recording …").waitFor();
    assert.deepEqual(await areDisabled(), [true, true]);
    const { name, path } = await recorded;
    await page.getByText("Recording …").waitFor({ state: "detached" });
    assert.deepEqual(await areDisabled(), [false, false]);
    assert.equal(name, "jarvis-snn-digit.webm");
    const film = readFileSync(path);
    assert.deepEqual([...film.subarray(0, 4)], [0x1a, 0x45, 0xdf, 0xa3]);
    // A busy machine records fewer pictures.
    assert.ok(film.length > 5000 && film.length < 4e6, `${film.length} bytes`);
    // A reader who wants no motion is offered none.
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Close" }).click();
    await page
      .locator('snn-figure[name="digit"]')
      .getByRole("button", { name: /^Share/ })
      .click();
    assert.equal(await page.getByRole("button", { name: /^Loop/ }).count(), 0);
  });

  for (const path of ["lessons/0-first-spike.html", "equation/", "zoo/"]) {
    test(`${path}: spikes are heard after a press, and not while the page is hidden`, async (t) => {
      const page = await (await contextOf(t)).newPage();
      await page.addInitScript(() => {
        const { prototype } = AudioScheduledSourceNode;
        const { start } = prototype;
        prototype.start = function (...args) {
          globalThis.heard = this.context;
          return start.apply(this, args);
        };
      });
      await page.goto(addressOf("/", path));
      const sound = page.getByRole("button", { name: "Sound" });
      assert.equal(await sound.getAttribute("aria-pressed"), "false");
      await sound.click();
      await page.waitForFunction(() => globalThis.heard?.state === "running");
      await page.evaluate(() => {
        Object.defineProperty(document, "visibilityState", { value: "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
      });
      await page.waitForFunction(() => globalThis.heard.state === "suspended");
    });
  }

  for (const { name, use } of engines.filter((engine) => engine.name.startsWith("Firefox"))) {
    test(`${name}: a link is drawn once, and the choice opens`, () =>
      use(async (client) => {
        const own = await host(site, "/a/b/");
        try {
          await client.navigate(`${own.url}lessons/0-first-spike.html?still#current=0.35`);
          await see(client, () => document.querySelector("snn-figure[data-still]") !== null);
          await client.run(() => document.querySelector(".share").click());
          const choices = await see(
            client,
            () =>
              document.querySelector(".sharing")?.open &&
              [...document.querySelectorAll(".sharing button")].map(({ textContent }) => textContent),
          );
          assert.deepEqual(choices.slice(0, 4), ["Copy link", "Copy embed code", "Picture (PNG)", "Picture (SVG)"]);
        } finally {
          own.close();
        }
      }));
  }
});
