/** Trainings in every browser give the weights of Node, and a client of WebDriver tells what goes wrong on a page. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { browsers } from "../../scripts/browsers.mjs";
import { engines, host, see } from "./engines.mjs";
import { inNode, site } from "./support.mjs";

/** What the figure shows, once a training is over; a problem that it tells is an error. */
function look(least) {
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  if (text(".problem:not([hidden])") !== "") throw new Error(text(".problem:not([hidden])"));
  const [step, command] = [text("[data-figure=step]"), text("[data-fact=command]")];
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
    await see(client, (step) => Number(document.querySelector("[data-figure=step]").textContent) > step, 50);
    await client.run(press);
    const second = await see(client, look, 51);
    assert.equal(await inNode(second.command), second.hash);
  } finally {
    own.close();
  }
}

const driven = (await browsers()).filter(({ isDriven }) => isDriven);

describe("engines", { concurrency: 2, timeout: 300_000 }, () => {
  for (const { name, use } of engines)
    test(`${name}: a training pauses, and gives the weights of Node`, () => use(train));

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
