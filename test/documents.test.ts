/** What the documents name exists: files, and names of the code. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readEvents } from "jarvis-snn/events";
import { describe, expect, test } from "vitest";
import { blocksOf } from "../scripts/recipes.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const FOLDERS = ["kernels", "engine", "snn", "demos", "bench", "test", "scripts", "docs"];
const files = [
  ...readdirSync(root),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  ),
].map((path) => path.replaceAll("\\", "/"));

/** Placeholders. */
const EXAMPLES = ["FAMILY", "KIND"];
const words = new Set([
  ...EXAMPLES,
  ...files
    .filter((path) => /\.(ts|mjs|json)$/.test(path))
    .flatMap((path) => readFileSync(`${root}${path}`, "utf8").match(/[A-Za-z_]\w*/g) ?? []),
]);

const PAGES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  ...files.filter((path) => /^docs\/(decisions\/)?[^/]*\.md$/.test(path)),
];

test("docs/events.md: its table has the formats that can be read", async () => {
  const refused = await readEvents(new Uint8Array(), { format: "none" as never }).catch(String);
  const formats = [...String(refused).matchAll(/"([\w.]+)"/g)].map(([, name]) => name).slice(0, -1);
  const rows = readFileSync(`${root}docs/events.md`, "utf8").matchAll(/^\| `([\w.]+)` +\|/gm);
  expect(formats).toContain("evt3");
  expect([...rows].map(([, name]) => name)).toEqual(expect.arrayContaining(formats));
});

test.each([...PAGES, "CHANGELOG.md"])("%s has no placeholders", (page) => {
  const text = readFileSync(`${root}${page}`, "utf8");
  expect(text.match(/\b(CV\d+|TABLE|X{2,}|TODO|TBD|FIXME)\b/g) ?? []).toEqual([]);
});

describe.each(PAGES)("%s", (page) => {
  const text = readFileSync(`${root}${page}`, "utf8");
  const prose = text.replace(/^ *```.*?^ *```$/gms, "");
  /** Names and files that a recipe adds to the tree. */
  const added = blocksOf(page, text).filter(({ file }) => file !== undefined);
  const addedWords = new Set(added.flatMap(({ body }) => body.match(/[A-Za-z_]\w*/g) ?? []));
  const known = [...files, ...added.map(({ file }) => file as string)];
  const named = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name as string);
  /** Names of another package: a page for its users has these in programs, and in the left column of tables. */
  const foreign = page.startsWith("docs/from-")
    ? [...text.matchAll(/^```python\n(.*?)^```$|^\|([^|]*)\|/gms)].flatMap(
        ([, program = "", cell = ""]) => `${program}${cell}`.match(/[A-Za-z_]\w*/g) ?? [],
      )
    : [];
  const isFile = (name: string) => /^[\w./-]+\.(ts|mjs|json|md|grit|svg)$/.test(name);

  test("names files that exist", () => {
    const missing = named.filter(
      (name) => isFile(name) && !known.some((path) => path === name || path.endsWith(`/${name}`)),
    );
    expect(missing).toEqual([]);
  });

  test("names things that the code has", () => {
    const parts = named.filter((name) => !isFile(name)).flatMap((name) => name.match(/[A-Za-z_]\w*/g) ?? []);
    expect(parts.filter((part) => !words.has(part) && !addedWords.has(part) && !foreign.includes(part))).toEqual([]);
  });
});
