/** The built playground in the browsers that a client of WebDriver drives: its rooms in turn, each in a page of its own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { browsers } from "../../scripts/browsers.mjs";
import { inNode, SIDE_BY_SIDE, site } from "./support.mjs";

/** Runs in the page, and tells what there is to see. */
function look() {
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  const hasInk = (canvas) => {
    if (canvas.width === 0 || canvas.height === 0) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, i) => value !== data[i % 4]);
  };
  return {
    room: document.body?.dataset.room ?? "",
    problem: text(".problem:not([hidden])"),
    step: Number.parseInt(text("[data-figure=step]"), 10),
    isTraining: text("[data-action=play]") === "Pause",
    hash: text("[data-fact=hash]"),
    command: text("[data-fact=command]"),
    isDrawn: Array.from(document.querySelectorAll("main canvas"), hasInk).includes(true),
  };
}

const press = () => document.querySelector("[data-action=play]").click();

/** Looks at the page until there is something to see; a problem that the page shows is an error. */
async function see(client, wanted) {
  for (;;) {
    const seen = await client.run(look);
    assert.equal(seen.problem, "");
    if (wanted(seen)) return seen;
    await sleep(200);
  }
}

const driven = (await browsers()).filter(({ isDriven }) => isDriven);

describe("driven", SIDE_BY_SIDE, () => {
  for (const { name, visit } of driven) {
    test(`${name}, driven: every room opens and is drawn, and training gives the weights of Node`, async () => {
      const rooms = await visit(site, "index.html#/train?steps=40", async (client) => {
        const first = await see(client, ({ step, isTraining }) => step === 40 && !isTraining);
        assert.equal(await inNode(first.command), first.hash);
        await client.run(press);
        await see(client, ({ step }) => step > 50);
        await client.run(press);
        const second = await see(
          client,
          ({ step, isTraining, command }) => !isTraining && command.endsWith(`=${step}`),
        );
        assert.equal(await inNode(second.command), second.hash);

        const links = () => Array.from(document.querySelectorAll("nav a"), ({ href }) => href);
        return (await client.run(links)).map((address) => new URL(address).hash);
      });
      assert.equal(rooms.length, 4);
      // A browser of its own for each: WebKitGTK does not survive many pages with workers.
      for (const hash of rooms) {
        const [room] = hash.match(/\w+$/);
        await visit(site, `index.html${hash}`, async (client) => {
          await see(client, (seen) => seen.room === room && seen.isDrawn);
          // A browser may paint some time after the page has drawn; the picture of an empty page has a few kilobytes.
          while ((await client.screenshot()).length < 20_000) await sleep(100);
        });
      }
    });
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
      await assert.rejects(visit(site, "index.html", use), /a script does not load: .*nothing\.js/);
    });
  }
});
