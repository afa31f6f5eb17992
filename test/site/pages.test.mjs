/** Pages in every browser where they meet something odd: a reader who forbids site data, addresses of another time, scripts in a page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { engines, host, inChromium, see } from "./engines.mjs";
import { site } from "./support.mjs";

/** Puts a script in front of all others of a page; it notes what goes wrong there. */
function watch(own, path, script) {
  const html = readFileSync(join(site, path), "utf8");
  own.answers.set(path, html.replace(/<meta charset[^>]*>/, '$&<script src="/watch-page.js"></script>'));
  own.answers.set(
    "watch-page.js",
    `window.wrong = [];
    // A window without an exception only tells that a size has changed twice in a frame.
    const note = ({ error, target }) => (error || target !== window) && wrong.push(String(error ?? target.src));
    addEventListener("error", note, true);
    addEventListener("unhandledrejection", ({ reason }) => wrong.push(String(reason)));
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      wrong.push(violatedDirective + " " + blockedURI));
    ${script}`,
  );
}
const hasFigure = () => document.querySelector("snn-figure[data-lives]") !== null;

function isForbidden() {
  try {
    return localStorage.length < 0;
  } catch {
    return true;
  }
}

/** As where a reader forbids site data: the mere look at storage throws. */
const FORBID = `for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });`;

/** Presses the button of looks twice. */
async function changeLook(client) {
  const press = () => {
    document.querySelector("[data-theme-button]").click();
    return document.documentElement.dataset.theme;
  };
  const looks = [await client.run(press), await client.run(press)];
  assert.deepEqual(looks.toSorted(), ["dark", "light"]);
}

/** Walks through pages whose first script is this one. */
async function walkWithoutStorage(client, script) {
  const own = await host(site, "/");
  const go = async (path) => {
    await client.navigate(own.url + path);
    assert.equal(await client.run(isForbidden), true);
  };
  const check = async (path) => assert.deepEqual(await client.run(() => window.wrong), [], path);
  try {
    for (const path of ["index", "equation/index", "docs/losses", "play/index"]) watch(own, `${path}.html`, script);
    for (const path of ["", "equation/", "play/"]) {
      await go(path);
      await see(client, hasFigure);
      await check(path);
    }
    await go("docs/losses.html?embed=1");
    assert.equal(await client.run(() => document.documentElement.dataset.embed), "");
    await changeLook(client);
    await check("docs/losses.html");
  } finally {
    own.close();
  }
}

/** Addresses of rooms that the page had lead to the pages in their places; those that no room had open the figure. */
async function openOldAddresses(client) {
  const own = await host(site, "/a/b/");
  try {
    for (const room of ["toString", "constructor", "__proto__", "train?data=xor"]) {
      await client.navigate(`${own.url}play/?${room}#/${room}`);
      await see(client, hasFigure);
      assert.equal(await client.run(() => location.pathname), "/a/b/play/");
    }
    assert.equal(await see(client, () => document.querySelector("[data-field=data]")?.value), "xor");
    const places = {
      "neuron?tau=31": "equation/",
      draw: "",
      "coding?timesteps=20": "lessons/2-codes.html#timesteps=20",
    };
    // A page that leads on answers no question.
    const leading = { run: (look, arg) => client.run(look, arg).catch(() => false) };
    for (const [room, place] of Object.entries(places)) {
      await client.navigate(`${own.url}play/?${room}#/${room}`);
      await see(leading, (address) => location.href === address, own.url + place);
    }
  } finally {
    own.close();
  }
}

async function keepToPolicy(client) {
  const own = await host(site, "/");
  try {
    watch(own, "play/index.html", "");
    await client.navigate(`${own.url}play/`);
    await see(client, () => document.querySelector("[data-fact=hash]")?.textContent);
    assert.deepEqual(await client.run(() => window.wrong), []);
    const ran = await client.run(() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.head.append(script);
      return window.ran === true;
    });
    assert.equal(ran, false);
    assert.match(await see(client, () => window.wrong[0]), /^script-src/);
  } finally {
    own.close();
  }
}

describe("odd", { concurrency: 2 }, () => {
  for (const { name, use } of engines) {
    test(`${name}: where storage throws, documents and figures live, and their look changes`, () =>
      use((client) => walkWithoutStorage(client, FORBID)));
    test(`${name}: addresses of rooms of another time lead on, and odd ones open the figure`, () =>
      use(openOldAddresses));
    test(`${name}: a training keeps to a content policy, which lets no script run that stands in a page`, () =>
      use(keepToPolicy));
  }
  test("Chromium, whose reader forbids site data: documents and figures live, and their look changes", () => {
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    return inChromium((client) => walkWithoutStorage(client, ""), preferences);
  });
});
