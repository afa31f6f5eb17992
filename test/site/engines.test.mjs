/** Trainings and figures in every browser have the bits of Node, and a client of WebDriver tells what goes wrong on a page. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { browsers } from "../../scripts/browsers.mjs";
import { root } from "../../scripts/entries.mjs";
import { engines, host, see } from "./engines.mjs";
import { inNode, site } from "./support.mjs";

/** What the figure shows, once a training is over; a problem that it tells is an error. */
function look(least) {
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  if (text(".problem:not([hidden])") !== "") throw new Error(text(".problem:not([hidden])"));
  const step = text("[data-figure=step]").replace(/\s/g, ""); // thousands are apart
  const command = text("[data-fact=command]");
  const isOver = text("[data-action=play]") === "Train" && Number(step) >= least && command.endsWith(`=${step}`);
  return isOver && { hash: text("[data-fact=hash]"), command, step: Number(step) };
}

const press = () => document.querySelector("[data-action=play]").click();

async function train(client) {
  const own = await host(site, "/a/b/");
  try {
    await client.navigate(`${own.url}play/#steps=40`);
    const first = await see(client, look, 40);
    assert.equal(first.step, 40);
    assert.equal(await inNode(first.command), first.hash);
    await client.run(press);
    await see(client, () => Number(document.querySelector("[data-figure=step]").textContent.replace(/\s/g, "")) > 50);
    await client.run(press);
    const second = await see(client, look, 51);
    assert.equal(await inNode(second.command), second.hash);
  } finally {
    own.close();
  }
}

/** Pages whose first figure computes by itself and has a hash of it, and a flag by which the demo does little besides. */
const HASHED = {
  "balance/#seed=3&updates=20": ["--episodes=1"],
  "ring/#angle=220&size=128&push=-0.5": ["--starts=1"],
  "neighbours/#seed=2&digits=3000": [],
};

/** What the menu of the figure says of Node, once it says something. */
function said() {
  if (document.querySelector(".problem:not([hidden])") !== null)
    throw new Error(document.querySelector(".problem:not([hidden])").textContent);
  const words = Array.from(document.querySelectorAll(".sharing p"), ({ textContent }) => textContent);
  document.querySelector(".sharing")?.close();
  document.querySelector("snn-figure[data-lives] > .share")?.click();
  return words.find((text) => text.includes("npm run demo"));
}

async function compare(client) {
  const own = await host(site, "/a/b/");
  try {
    for (const [path, flags] of Object.entries(HASHED)) {
      await client.navigate(own.url + path);
      const [, hash, command] = /Hash (\w+).* npm run demo -- (.*)$/.exec(await see(client, said));
      const program = join(root, "build/demos/main.js");
      const { stdout } = await promisify(execFile)(process.execPath, [program, ...command.split(" "), ...flags]);
      assert.ok(stdout.includes(`hash=${hash}`), `${command} prints ${hash}: ${stdout}`);
    }
  } finally {
    own.close();
  }
}

const driven = (await browsers()).filter(({ isDriven }) => isDriven);

describe("engines", { concurrency: 2 }, () => {
  for (const { name, use } of engines)
    test(`${name}: a training pauses, and gives the weights of Node`, () => use(train));

  // The tests of these figures look at Chromium.
  for (const { name, use } of engines.slice(1))
    test(`${name}: figures that learn or remember have the bits of Node`, () => use(compare));

  for (const { name, visit } of driven) {
    test(`${name}, driven: errors that nothing catches end a visit, errors of a command are the client's`, async () => {
      const use = async (client) => {
        const wrong = client.run((text) => JSON.parse(text), "no JSON");
        await assert.rejects(wrong, /the page throws SyntaxError/);
        await client.run(() => {
          const script = document.createElement("script");
          script.src = "./nothing.js";
          document.head.append(script);
          return new Promise(() => {});
        });
      };
      await assert.rejects(visit(site, "play/index.html", use), /a script does not load: .*nothing\.js/);
    });
  }
});
