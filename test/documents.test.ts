/** The documents name and link what exists: files, headings, and names of the code; the index has all pages. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { DataLoader, fit, Linear, TensorDataset } from "jarvis-snn";
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
  ...files.filter((path) => /^docs\/((decisions|lessons)\/)?[^/]*\.md$/.test(path)),
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

test("docs/training.md: its tables have the options of fit, DataLoader and TensorDataset", async () => {
  const page = readFileSync(`${root}docs/training.md`, "utf8");
  const rows = [...page.matchAll(/^\| `([a-z]\w*)` +\|/gm)].map(([, name]) => name);
  const data = new TensorDataset(Float32Array.of(1), [0]);
  const unknown = { unknown: 0 } as never;
  const calls = [
    () => fit(new Linear(1, 1), data, unknown),
    async () => new DataLoader(data, unknown),
    async () => new TensorDataset(Float32Array.of(1), [0], unknown),
  ];
  const refused = await Promise.all(calls.map((call) => call().catch(String)));
  const options = refused.flatMap(
    (text) => /expected the options (.*), got/.exec(String(text))?.[1]?.split(", ") ?? [],
  );
  expect(options).toContain("patience");
  expect([...rows].sort()).toEqual([...options].sort());
});

test("docs/browser.md: its sizes are the budgets", () => {
  const page = readFileSync(`${root}docs/browser.md`, "utf8");
  const [, sizes = ""] = /^## Sizes$(.*?)^## /ms.exec(page) ?? [];
  const budgets = JSON.parse(readFileSync(`${root}scripts/budgets.json`, "utf8")) as Record<string, { bytes: number }>;
  const known = Object.values(budgets).map(({ bytes }) => (bytes / 1000).toFixed(1));
  const shown = sizes.match(/\b\d+\.\d\b/g) ?? [];
  expect(shown.length).toBeGreaterThan(1);
  expect(shown.filter((size) => !known.includes(size))).toEqual([]);
});

/** The headings of a page as a host of repositories makes anchors of them. */
function anchorsOf(page: string): Set<string> {
  const text = readFileSync(`${root}${page}`, "utf8").replace(/^```.*?^```/gms, "");
  const slugs = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
  const earlier = (slug: string, i: number) => slugs.slice(0, i).filter((each) => each === slug).length;
  return new Set(slugs.map((slug, i) => (earlier(slug, i) > 0 ? `${slug}-${earlier(slug, i)}` : slug)));
}

test("README.md has at most 1500 words beside programs and tables", () => {
  const prose = readFileSync(`${root}README.md`, "utf8")
    .replace(/^```.*?^```$/gms, "")
    .replace(/^(\||<!--| {4}).*$/gm, "");
  const words = prose.match(/[\p{L}\p{N}][^\s]*/gu) ?? [];
  expect(words.length).toBeGreaterThan(500);
  expect(words.length).toBeLessThanOrEqual(1500);
});

test("docs/README.md lists every page of docs", () => {
  const index = readFileSync(`${root}docs/README.md`, "utf8");
  const pages = readdirSync(`${root}docs`).filter((name) => name.endsWith(".md") && name !== "README.md");
  expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

describe.each(PAGES)("%s", (page) => {
  const text = readFileSync(`${root}${page}`, "utf8");
  const prose = text.replace(/^ *```.*?^ *```$/gms, "");
  /** Names and files that a recipe adds to the tree. */
  const added = blocksOf(page, text).filter(({ file }) => file !== undefined);
  const addedWords = new Set(added.flatMap(({ body }) => body.match(/[A-Za-z_]\w*/g) ?? []));
  const known = [...files, ...added.map(({ file }) => file as string)];
  const named = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name as string);
  /** Names of another package: pages have these in programs, and pages for its users in the left column of tables too. */
  const cells = page.startsWith("docs/from-") ? /^```python\n(.*?)^```$|^\|([^|]*)\|/gms : /^```python\n(.*?)^```$/gms;
  const foreign = [...text.matchAll(cells)].flatMap(
    ([, program = "", cell = ""]) => `${program}${cell}`.match(/[A-Za-z_]\w*/g) ?? [],
  );
  const isFile = (name: string) => /^[\w./-]+\.(ts|mjs|json|md|grit|svg)$/.test(name);

  test("links lead to pages and headings that exist", () => {
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const missing = links.filter((link) => {
      if (/^\w+:/.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : posix.join(posix.dirname(page), path);
      if (!existsSync(`${root}${target}`)) return true;
      return anchor !== undefined && !anchorsOf(target).has(anchor);
    });
    expect(missing).toEqual([]);
  });

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
