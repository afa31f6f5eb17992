/**
 * Processor time of the page's thread in Chromium where the site moves or is worked with, and the same over a loop of fixed length, which a
 * slower processor lengthens too.
 *
 *   npm run site:time                          the built site
 *   npm run site:time -- --against FOLDER      it and another built site, in turns; prints the ratios
 *   npm run site:time -- --runs 5              so many turns; by default 3, of which the median counts
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { root } from "./entries.mjs";
import { serve } from "./serve.mjs";

const SECONDS = 5;
const EVENTS = 40;
const DESKTOP = { viewport: { width: 1440, height: 900 }, serviceWorkers: "block" };

const { values } = parseArgs({ options: { against: { type: "string" }, runs: { type: "string", default: "3" } } });
if (!/^[1-9]\d*$/.test(values.runs))
  throw new RangeError(`site:time: expected a number of turns after --runs, got ${values.runs}`);

/** What one does on the page of an equation, `EVENTS` times, each followed by a frame. Runs in the page. */
async function act([what, events]) {
  const box = document.querySelector(".figure-equation textarea");
  const slider = document.querySelectorAll(".figure-equation .numbers input")[2];
  const { value: text } = box;
  const sum = (i) => [...i.toString(2)].map((bit) => (bit === "1" ? "0·I" : "I·0·v")).join(" + ");
  const acts = {
    keystroke: (i) => [box, text.replace("u = ", `u = ${sum(i)} + `)],
    slider: (i) => [slider, `${300 + i}`],
  };
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  for (let i = 0; i < events; i++) {
    const [input, value] = acts[what](i);
    input.value = value;
    input.dispatchEvent(new Event("input"));
    await frame();
  }
}

/** A loop of fixed length, in the page, so that both times are of one thread of one program. */
function calibrate() {
  let x = 1;
  for (let i = 0; i < 1e8; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}

const seconds = (n) => new Promise((resolve) => setTimeout(resolve, 1000 * n));
const lives = (page) => page.waitForSelector("snn-figure[data-lives]");

/** Each row: the page, what happens there, and by how much its time is divided. */
const ROWS = {
  "landing, a second": ["", () => seconds(SECONDS), SECONDS],
  "zoo, a second": ["zoo/", () => seconds(SECONDS), SECONDS],
  "equation, an event of the slider": ["equation/", (page) => page.evaluate(act, ["slider", EVENTS]), EVENTS],
  "equation, a keystroke": ["equation/", (page) => page.evaluate(act, ["keystroke", EVENTS]), EVENTS],
};

/** Milliseconds of the thread of a page while `happens` runs. */
async function spent(cdp, happens) {
  const now = async () =>
    (await cdp.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
  const begin = await now();
  await happens();
  return 1000 * ((await now()) - begin);
}

async function timeOf(browser, url, [path, happens, count]) {
  const context = await browser.newContext(DESKTOP);
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await page.goto(url + path);
  await lives(page);
  await seconds(2);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const time = (await spent(cdp, () => happens(page))) / count;
  const loop = await spent(cdp, () => page.evaluate(calibrate));
  await context.close();
  return { time, ratio: time / loop };
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const medianOf = (runs, name) => median(runs.map((run) => run[name]));

const folders = [join(root, "build/site"), ...(values.against === undefined ? [] : [resolve(values.against)])];
const sites = await Promise.all(folders.map((folder) => serve(folder)));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
for (const [name, row] of Object.entries(ROWS)) {
  const runs = sites.map(() => []);
  for (let turn = 0; turn < Number(values.runs); turn++) {
    for (const [i, { url }] of sites.entries()) runs[i].push(await timeOf(browser, url, row));
  }
  const [ours, theirs] = runs;
  const ratio = medianOf(ours, "ratio");
  const figures = `${medianOf(ours, "time").toFixed(1).padStart(8)} ms ${ratio.toFixed(3).padStart(8)} of the loop`;
  const against =
    theirs === undefined
      ? ""
      : `   the other ${medianOf(theirs, "time").toFixed(1)} ms, ratio ${(ratio / medianOf(theirs, "ratio")).toFixed(2)}`;
  console.log(`${name.padEnd(34)}${figures}${against}`);
}
await browser.close();
for (const { close } of sites) close();
