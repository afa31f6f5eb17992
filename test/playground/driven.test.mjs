/** The built playground in the browsers that a client of WebDriver drives: its rooms in turn, each in a page of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { browsers } from "../../scripts/browsers.mjs";
import { inNode, site } from "./support.mjs";

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
    await sleep(50);
  }
}

for (const { name, visit, isDriven } of await browsers()) {
  if (!isDriven) continue;
  test(`${name}, driven: every room opens and is drawn, and training gives the weights of Node`, async () => {
    await visit(site, "index.html#/train?steps=40", async (client) => {
      const first = await see(client, ({ step, isTraining }) => step === 40 && !isTraining);
      assert.equal(inNode(first.command), first.hash);
      await client.run(press);
      await see(client, ({ step }) => step > 50);
      await client.run(press);
      const second = await see(client, ({ step, isTraining, command }) => !isTraining && command.endsWith(`=${step}`));
      assert.equal(inNode(second.command), second.hash);

      const links = () => Array.from(document.querySelectorAll("nav a"), ({ href }) => href);
      const addresses = await client.run(links);
      assert.equal(addresses.length, 4);
      for (const address of addresses) {
        const [room] = address.match(/\w+$/);
        await client.navigate("about:blank");
        const empty = await client.screenshot();
        await client.navigate(address);
        await see(client, (seen) => seen.room === room && seen.isDrawn);
        const drawn = await client.screenshot();
        assert.ok(drawn.length > 2 * empty.length, `${room}: ${drawn.length} bytes, of an empty page ${empty.length}`);
      }
    });
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
