/** Each public name of the spiking half stands on its page of docs/: a name that is exported and told nowhere is not found. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Tensor, tape, tensor } from "jarvis-snn";
import * as snn from "jarvis-snn/snn";
import { expect, test } from "vitest";
import { SURROGATES } from "../kernels/reference/kinds.ts";
import { NEURON_NAMES } from "./support/neuron-rows.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The names that files of a folder and the package export, values alone. */
async function namesOf(folder: string): Promise<string[]> {
  const files = readdirSync(`${root}${folder}`).filter((name) => /^(?!.*\.test)[\w-]+\.ts$/.test(name));
  const modules = await Promise.all(
    files.map((file) => import(/* @vite-ignore */ `${root}${folder}/${file}`) as Promise<object>),
  );
  return [...new Set(modules.flatMap(Object.keys))].filter((name) => name in snn);
}

const entryOf = async (name: string): Promise<string[]> =>
  Object.keys((await import(/* @vite-ignore */ `jarvis-snn/${name}`)) as object);

/** Names of pages without .md, and the names that stand there. */
const PAGES: Readonly<Record<string, () => Promise<string[]>>> = {
  coding: () => namesOf("snn/coding"),
  "neuron-models": () => namesOf("snn/neurons"),
  "layers neuron-models": () => namesOf("snn/temporal"),
  losses: () => namesOf("snn/losses"),
  plasticity: () => namesOf("snn/learning/rules"),
  "online-learning plasticity": () => namesOf("snn/learning"),
  "probes neuron-models": () => namesOf("snn/probes"),
  "probes demos": () => entryOf("plot"),
  events: () => entryOf("events"),
  audio: () => entryOf("audio"),
  nir: () => entryOf("nir"),
  threads: () => entryOf("threads"),
  "conversion quantization energy": () => entryOf("quantize"),
};

test.each(Object.entries(PAGES))("docs: %s has all names", async (pages, names) => {
  const texts = pages.split(" ").map((page) => readFileSync(`${root}docs/${page}.md`, "utf8"));
  const found = new Set(
    texts
      .flatMap((text) => text.replace(/^ *```.*?^ *```$/gms, "").match(/`[^`\n]+`|^#+ .*$/gm) ?? [])
      .flatMap((code) => code.match(/\w+/g) ?? []),
  );
  const all = await names();
  expect(all.length).toBeGreaterThan(0);
  expect(all.filter((name) => !found.has(name))).toEqual([]);
});

test("docs: each neuron has a section, but LIF, with which the page begins", () => {
  const sections = readFileSync(`${root}docs/neuron-models.md`, "utf8").match(/(?<=^## )\w+$/gm);
  expect(sections).toEqual(expect.arrayContaining(NEURON_NAMES.filter((name) => name !== "LIF")));
});

test("docs: the table of surrogates has all of them, but the one that scales another", () => {
  const rows = readFileSync(`${root}docs/coding.md`, "utf8").matchAll(/^\| `(\w+)\(/gm);
  const found = [...rows].map(([, name]) => name);
  expect(found).toEqual(expect.arrayContaining(Object.keys(snn.surrogate).filter((name) => name !== "scaled")));
});

test("docs: the table of surrogates has their options and defaults", () => {
  const curve = (smooth: snn.Surrogate) => {
    const x = tensor([-1.7, -0.6, -0.2, 0.3, 0.8, 1.4], { requiresGrad: true });
    tape(() => snn.spike(x, { surrogate: smooth, threshold: 0 }).sum().backward());
    return [...(x.grad as Tensor).toFloat32Array()];
  };
  const rows = readFileSync(`${root}docs/coding.md`, "utf8").matchAll(/^\| `(\w+)\((?:\{ ([^}]*) \})?\)`/gm);
  for (const [, name = "", list = ""] of rows) {
    if (name === "custom") continue;
    const options = [...list.matchAll(/(\w+): ([\d.]+)/g)].map(([, option, value]) => [option, Number(value)]);
    const make = Reflect.get(snn.surrogate, name) as (options?: object) => snn.Surrogate;
    expect(curve(make(Object.fromEntries(options))), name).toEqual(curve(make()));
  }
});

test("kernels/derivative.ts: the header has the surrogates with kernels", () => {
  const [header = ""] = readFileSync(`${root}kernels/derivative.ts`, "utf8").split("*/");
  const listed = [...header.matchAll(/^ \* {3}(\w+) {2,}\S/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual(Object.keys(SURROGATES).sort());
});

test("sources and pages have no placeholders of `npm run new`", () => {
  const read = (folder: string) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
      .map((path) => `${folder}/${path}`)
      .filter((path) => /\.ts$|docs\/(?!contributing-)[\w-]+\.md$/.test(path));
  const paths = ["engine", "snn", "docs"].flatMap(read);
  expect(paths.length).toBeGreaterThan(100);
  expect(
    paths.filter((path) =>
      /\bAuthor,? \(?year|The equation of \w+\. \*\//.test(readFileSync(`${root}${path}`, "utf8")),
    ),
  ).toEqual([]);
});
