/**
 * The programs that the README, the pages of docs/ and the lessons show run, and print the text behind them (`npx vitest run readme -u` writes
 * it there); lessons have all their parts; the commands that the README names exist.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { manualSeed } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { printedBy, printing } from "./support/examples.ts";
import { byLiterals, differs, neighbour } from "./support/last-bit.ts";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const folder = at("build/readme");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

/** A program, and the text block behind it, if there is one. */
const EXAMPLE = /^```ts\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms;

const documents = ["docs", "docs/lessons"].flatMap((place) =>
  readdirSync(at(place))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${place}/${name}`),
);

/** Pages of tables alone show no programs. */
const pages = documents.filter((page) => readFileSync(at(page), "utf8").includes("\n```ts\n"));

describe.each(["README.md", ...pages])("%s", (page) => {
  const text = readFileSync(at(page), "utf8");
  const examples = [...text.matchAll(EXAMPLE)].filter(([, code]) => /from "jarvis-snn/.test(code as string));
  const shown = new Map<string, string>();

  test("has examples", () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  examples.forEach(([whole, code = "", result], i) => {
    const first = code.split("\n").find((line) => line !== "" && !line.startsWith("import")) ?? "";

    test(`example ${i + 1} runs: ${first.trim()}`, async () => {
      const file = `${folder}/${page.replace(/\W/g, "-")}-${i + 1}.ts`;
      manualSeed(0); // as in a process of its own
      const lines = await printedBy(file, code);
      if (result === undefined) return;
      const text = lines.map((line) => `${line}\n`).join("");
      shown.set(whole, `\`\`\`ts\n${code}\`\`\`\n\n\`\`\`text\n${text}\`\`\`\n`);
    });
  });

  test("texts behind examples are what these print", async () => {
    const now = text.replace(EXAMPLE, (whole) => shown.get(whole) ?? whole);
    await expect(now).toMatchFileSnapshot(at(page));
  });
});

const lessons = documents.filter((page) => /^docs\/lessons\/\d/.test(page));

describe.each(lessons)("%s", (page) => {
  const text = readFileSync(at(page), "utf8");
  const [head = "", ...sections] = text.split(/^## /m);
  const section = (title: string) => sections.find((each) => each.startsWith(`${title}\n`)) ?? "";
  const programs = (part: string) => [...part.matchAll(EXAMPLE)].map(([, code = "", output]) => ({ code, output }));

  test("shows a figure above its first section", () => {
    expect(head).toMatch(/^!\[[^\]]+\]\(\.\.\/figures\/[\w-]+\.svg\)$/m);
  });

  test("has programs of at most 60 lines, each with its output", () => {
    expect(programs(text).length).toBe(text.match(/^```ts$/gm)?.length);
    for (const { code, output } of programs(text)) {
      expect(code.split("\n").length - 1, code).toBeLessThanOrEqual(60);
      expect(code).toContain('from "jarvis-snn');
      expect(output, code).toBeDefined();
    }
  });

  test("tells of typical mistakes by a program that asks diagnose", () => {
    expect(programs(section("Typical mistakes")).some(({ code }) => code.includes("diagnose("))).toBe(true);
  });

  test("has exercises, each with a program as its solution", () => {
    const parts = section("Exercises").split(/^<details>$/m);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts.slice(1)) expect(programs(part.split(/^<\/details>$/m)[0] ?? "")).not.toEqual([]);
  });

  // A rate that hangs on one rounding teaches nothing. Training is left out: there a bit grows until weights differ.
  programs(text).forEach(({ code, output = "" }, i) => {
    const { module, numbers } = byLiterals(code);
    if (numbers.length === 0 || /new Adam\b/.test(code)) return;

    test(`program ${i + 1} does not hang on the last bit of a number, or says so`, async () => {
      const file = `${folder}/${page.replace(/\W/g, "-")}-${i + 1}-literals.ts`;
      writeFileSync(file, module);
      const { default: run } = (await import(/* @vite-ignore */ file)) as { default: (n: number[]) => Promise<void> };
      const changes: string[] = [];
      for (const [at, number] of numbers.entries()) {
        for (const direction of [1, -1] as const) {
          const lines = await printing(() => run(numbers.with(at, neighbour(number, direction))));
          const change = differs(output.trimEnd().split("\n"), lines.join("\n").split("\n"));
          if (change !== null) changes.push(`${number}, its neighbour ${direction > 0 ? "above" : "below"}: ${change}`);
        }
      }
      const [after = ""] = text.slice(text.indexOf(code) + code.length).split(/^(?:```ts|##? .*|<\/details>)$/m);
      if (after.includes("the last bit")) expect(changes, "it says that the last bit decides").not.toEqual([]);
      else expect(changes).toEqual([]);
    });
  });

  test("names its sources", () => {
    expect(section("Sources")).toContain("https://doi.org/");
  });
});

test("readme: the npm scripts it names exist", () => {
  const readme = readFileSync(at("README.md"), "utf8");
  const { scripts } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !Object.hasOwn(scripts, name as string))).toEqual([]);
});
