/** What the README and the pages of docs/ show runs, and the commands that the README names exist. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const readme = readFileSync(at("README.md"), "utf8");
const pages = readme + readFileSync(at("docs/extend.md"), "utf8");
const examples = [...pages.matchAll(/^```ts\n(.*?)^```$/gms)]
  .map(([, code]) => code as string)
  .filter((code) => /from "jarvis-snn/.test(code));

const folder = at("build/readme");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

afterEach(() => {
  vi.restoreAllMocks();
});

test("readme: there are examples", () => {
  expect(examples.length).toBeGreaterThan(0);
});

examples.forEach((code, i) => {
  const first = code.split("\n").find((line) => line !== "" && !line.startsWith("import")) ?? "";

  test(`readme: example ${i + 1} runs: ${first.trim()}`, async () => {
    const file = `${folder}/${i + 1}.ts`;
    writeFileSync(file, code);
    const printed: unknown[] = [];
    vi.spyOn(console, "log").mockImplementation((...values) => {
      printed.push(...values);
    });
    await import(/* @vite-ignore */ file);
    const wrong = printed.filter((value) => value === undefined || Number.isNaN(value));
    expect(wrong, `printed ${JSON.stringify(printed)}`).toEqual([]);
    if (code.includes("console.log")) expect(printed.length).toBeGreaterThan(0);
  });
});

test("readme: the npm scripts it names exist", () => {
  const { scripts } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !Object.hasOwn(scripts, name as string))).toEqual([]);
});
