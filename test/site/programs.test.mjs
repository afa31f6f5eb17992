/** Programs of the pages in Chromium and Firefox: each that runs prints what stands below it, and what a reader does with one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { engines, host, see } from "./engines.mjs";
import { site, texts } from "./support.mjs";

/** A program that runs, and the text below it. */
const RUNNABLE =
  /<div class="program" data-types="[^"]*"><pre tabindex="0"><code class="language-ts">[\s\S]*?<\/code><\/pre><\/div>\n<pre tabindex="0"><code class="language-text">([\s\S]*?)<\/code><\/pre>/g;

const plain = (html) =>
  html.replace(/&(lt|gt|quot|amp);/g, (_, name) => ({ lt: "<", gt: ">", quot: '"', amp: "&" })[name]);

const programs = [...texts].flatMap(([path, text]) =>
  [...text.matchAll(RUNNABLE)].map(([html, said], i) => ({
    name: `${path}, program ${i + 1}`,
    html: html.slice(0, html.lastIndexOf(said)) + html.slice(html.lastIndexOf(said) + said.length),
    said: `${plain(said)}\n`,
  })),
);

/** Milliseconds after which no program of a test is over. */
const LATE_MS = 600_000;

/** A page with programs alone, none of which says what it prints, and none of which the clock ends. */
function pageOf(shown) {
  const page = texts.get("docs/neurons.html");
  const blocks = shown.map(({ html }) => html.replace('class="program"', `$& data-limit="${LATE_MS}"`));
  return page.replace(/(?<=<main id="content">)[\s\S]*(?=<\/main>)/, () => blocks.join("\n"));
}

const hasTools = () => document.querySelector(".program .primary") !== null;

/** In a page: defines `programAt(i)`, a program as a reader sees and uses it. */
function define() {
  const until = async (isSo) => {
    while (!isSo()) await new Promise((tell) => setTimeout(tell, 5));
  };
  window.programAt = (i) => {
    const program = document.querySelectorAll(".program")[i];
    const [run, status] = [program.querySelector(".primary"), program.querySelector("[role=status]")];
    const box = () => program.querySelector("textarea");
    const printed = () => program.nextElementSibling.textContent;
    const press = (name) =>
      [...program.querySelectorAll("button")].find(({ textContent }) => textContent === name).click();
    return {
      program,
      box,
      press,
      printed,
      until,
      words: () => status.textContent,
      async undo() {
        press("Undo edits");
        await until(() => box() === null);
      },
      /** Opens the program for typing, and types a text in its place. */
      async edit(text) {
        if (box() === null) press("Edit");
        await until(() => box() !== null);
        box().value = text;
        box().dispatchEvent(new Event("input"));
      },
      /** Runs to the end; resolves to what is printed and what is said. */
      async run() {
        status.textContent = "";
        run.click();
        await until(() => run.textContent === "Run" && !["", "Running …"].includes(status.textContent));
        return { printed: printed(), words: status.textContent };
      },
    };
  };
  return true;
}

/** It prints now and then, and never waits. */
const ENDLESS = 'for (let n = 0; ; n++) if (n % 1e6 === 0) console.log("still here");';

/** What a reader does with a program, in a page; each gives what it has seen. */
const USES = {
  "Stop ends a program that never ends": {
    use: async (text) => {
      const { edit, press, until, printed, words } = programAt(0);
      await edit(text);
      press("Run");
      await until(() => printed() !== "" && words() === "Running …");
      press("Stop");
      const before = printed();
      // Longer than text waits in the worker.
      await new Promise((tell) => setTimeout(tell, 200));
      return { words: words(), first: before.split("\n")[0], isStill: printed() === before };
    },
    arg: ENDLESS,
    sees: { words: "Stopped", first: "still here", isStill: true },
  },
  "a program that takes longer than its limit is ended": {
    use: async (text) => {
      const { program, edit, run } = programAt(0);
      await edit(text);
      const { limit } = program.dataset;
      program.dataset.limit = "300";
      const { words } = await run();
      program.dataset.limit = limit;
      return words;
    },
    arg: ENDLESS,
    sees: "Stopped after 0.3 s",
  },
  "a program that prints more than fits is ended, and shows as much as fits": {
    use: async (text) => {
      const { edit, run } = programAt(0);
      await edit(text);
      const { printed, words } = await run();
      return { length: printed.length, words };
    },
    arg: 'for (;;) console.log("x".repeat(9999));',
    sees: { length: 100_000, words: "Stopped: it has printed more than 100000 characters" },
  },
  "an edited program runs as it is edited, and Undo shows the page as it was": {
    use: async (text) => {
      const { program, box, edit, undo, run, printed, words } = programAt(1);
      const code = () => program.querySelector("pre").outerHTML;
      const before = code();
      await edit(text);
      const ink = program.querySelector("pre").textContent;
      const ran = await run();
      await undo();
      return { ink, ran, isOpen: box() !== null, isAsBefore: code() === before, printed: printed(), words: words() };
    },
    arg: "// two\nconsole.log(1 + 1);",
    sees: {
      ink: "// two\nconsole.log(1 + 1);\n",
      ran: { printed: "2\n", words: "Ran" },
      isOpen: false,
      isAsBefore: true,
      printed: "",
      words: "",
    },
  },
  "Copy copies what is shown, and selects it where the page may not": {
    use: async (text) => {
      const { program, box, edit, undo, press, until, words } = programAt(1);
      const copied = [];
      let may = true;
      const writeText = async (copy) => {
        if (!may) throw new Error("denied");
        copied.push(copy);
      };
      Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
      const shown = program.querySelector("code").textContent;
      const copy = async (said) => {
        press("Copy");
        await until(() => words() === said);
      };
      await copy("Copied");
      await edit(text);
      program.querySelector("[role=status]").textContent = "";
      await copy("Copied");
      may = false;
      await copy("Selected: a key copies it");
      const inBox = box().value.slice(box().selectionStart, box().selectionEnd);
      await undo();
      program.querySelector("[role=status]").textContent = "";
      await copy("Selected: a key copies it");
      const isShown = getSelection().toString().trim() === shown.trim();
      return { isFirst: copied[0] === shown, second: copied[1], inBox, isShown };
    },
    arg: "console.log(2);",
    sees: { isFirst: true, second: "console.log(2);", inBox: "console.log(2);", isShown: true },
  },
  "an edited text is in no link, no storage and no cookie": {
    use: async (text) => {
      const { edit, run } = programAt(1);
      await edit(text);
      const { printed } = await run();
      const kept = [location.href, JSON.stringify(history.state), document.cookie];
      for (const { href } of document.links) kept.push(href);
      for (const storage of [localStorage, sessionStorage]) kept.push(JSON.stringify({ ...storage }));
      for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) kept.push(url);
      const databases = await indexedDB.databases();
      return { printed, found: kept.filter((each) => decodeURIComponent(each).includes("nowhere")), databases };
    },
    arg: 'console.log("kept nowhere");',
    sees: { printed: "kept nowhere\n", found: [], databases: [] },
  },
};

test("at least 60 programs run, and every program can be copied", () => {
  assert.ok(programs.length >= 60, `${programs.length} programs`);
  for (const [path, text] of texts) {
    const all = text.match(/<pre[^>]*><code class="language-(?:ts|js|jsx|html|python)"/g) ?? [];
    assert.equal(text.match(/<div class="program"/g)?.length ?? 0, all.length, path);
  }
});

/** Visits the page of all programs: a reader uses one or two of them, loads the page again, and runs each. */
async function visit(t, client, url) {
  const load = async () => {
    await client.navigate(url);
    await see(client, hasTools);
    await client.run(define);
  };
  await load();
  for (const [what, { use, arg, sees }] of Object.entries(USES))
    await t.test(what, async () => assert.deepEqual(await client.run(use, arg), sees));
  await load();
  await t.test("a page that is loaded again has nothing of an edited text", async () => {
    assert.equal(await client.run(() => document.querySelector("main textarea") !== null), false);
    assert.doesNotMatch(await client.run(() => document.body.textContent), /nowhere/);
  });
  await t.test("each program prints what stands below it, character for character", async () => {
    const wrong = [];
    for (const [i, { name, said }] of programs.entries()) {
      const { printed, words } = await client.run((i) => programAt(i).run(), i);
      if (printed !== said || words !== "Ran") wrong.push({ name, said, printed, words });
    }
    assert.deepEqual(wrong, []);
  });
}

describe("programs", { concurrency: 2 }, () => {
  for (const { name, use } of engines.filter(({ name }) => /Chromium|Firefox/.test(name))) {
    test(name, (t) =>
      use(async (client) => {
        const own = await host(site, "/a/b/");
        try {
          own.answers.set("docs/programs.html", pageOf(programs));
          await visit(t, client, `${own.url}docs/programs.html`);
        } finally {
          own.close();
        }
      }),
    );
  }
});
