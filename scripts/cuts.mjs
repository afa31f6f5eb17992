/**
 * The table of kernels whose work threads share, from lines above their functions:
 *
 *   // @costs m * n                         about how many values the call reads; without this line the positions of the first cut
 *   // @let b = x + y                       a name in what follows
 *   // @cut n by 16 if m > 1 → z * m, x, y = y + low
 *
 * A cut names an axis and the positions that a part has a multiple of. For positions `low` to `high` the address z moves by m
 * values each, x by one, and 0 stays 0; y is another number; n becomes how many positions these are. `layout.n` is a word of the descriptor
 * at the first argument, of which a part has a copy, and `word(p, product.n)` one of another.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Names in expressions besides those of arguments; those of a part are its methods. */
const KNOWN = new Set(["low", "high", "Math", "abs", "floor", "word", "apart", "even", "reach"]);
const OF_PART = new Set(["area", "described"]);

const HEAD = `/** Built from kernels/*.ts. */
/** What a part has for itself: memory to work in, in the place of a given one, and a copy of so many words with others at some numbers. */
export interface Own {
  area(given: number, bytes: number): number;
  described(address: number, words: number, ...changes: readonly number[]): number;
}
/** Word i of a descriptor or table. */
type Word = (address: number, i: number) => number;
/** How many positions an axis has, what parts have multiples of, and what changes for positions \`low\` to \`high\`: places of arguments, each with a value. */
export type Cut = readonly [positions: number, unit: number, part: (low: number, high: number, own: Own) => number[]];
/** The values that a call reads, and its cuts, null where its arguments allow none. */
export type Cuts = readonly [
  cost: (word: Word, ...args: readonly number[]) => number,
  ...ways: ((word: Word, ...args: readonly number[]) => Cut | null)[],
];
/** An address so many values further; 0 is no array. */
const moved = (p: number, values: number): number => p && p + 4 * values;
const apart = (z: number, n: number, x: number, m: number): boolean => z >= x + 4 * m || x >= z + 4 * n;
/** The greatest power of two up to 32 that divides n. */
const even = (n: number): number => Math.min(32, n & -n);
const reach = (n: number, step: number): number => (n - 1) * Math.abs(step);
`;

const TAIL = `export const cuts: Readonly<Record<string, Cuts>> = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ table.flatMap(([names, each]) => names.split(" ").map((name) => [name, each])),
);
`;

/** The parts of a list, whose commas are outside of brackets. */
function listOf(text) {
  const items = [""];
  let depth = 0;
  for (const character of text) {
    depth += "([".includes(character) ? 1 : ")]".includes(character) ? -1 : 0;
    if (character === "," && depth === 0) items.push("");
    else items[items.length - 1] += character;
  }
  return items.map((item) => item.trim());
}

/** The numbers of words that a layout names. */
function layoutAt(folder, file) {
  const text = readFileSync(join(folder, `${file}.ts`), "utf8");
  return new Map(Array.from(text.matchAll(/^export const (\w+) = (\d+);$/gm), ([, name, value]) => [name, value]));
}

/** Translates the lines of a kernel of some parameters. */
function cutsOf(where, folder, own, parameters, lines) {
  const lets = new Map();
  const letters = new Map(parameters.map((name, i) => [name, String.fromCharCode(97 + i)]));
  const numberOf = (alias, name) => {
    const value = layoutAt(folder, alias === "layout" ? own : `${alias}-layout`).get(name);
    if (value === undefined) throw new Error(`${where}: expected a word of a layout, got ${alias}.${name}`);
    return value;
  };
  const expression = (text) =>
    text.replace(/\b[A-Za-z]\w*(\.[A-Za-z]\w*)?/g, (name, word) => {
      if (lets.has(name)) return `(${expression(lets.get(name))})`;
      if (letters.has(name)) return letters.get(name);
      if (OF_PART.has(name)) return `own.${name}`;
      if (KNOWN.has(name) || name.startsWith("Math.")) return name;
      if (word === undefined) throw new Error(`${where}: expected a name of its arguments, got ${name}`);
      const [alias] = name.split(".");
      const value = numberOf(alias, word.slice(1));
      return alias === "layout" ? `word(a, ${value})` : value;
    });
  // Arguments after the last one that is read are omitted, so that equal functions have equal texts.
  const functionOf = (result, body) => {
    const last = Math.max(
      ...[...letters.values()].map((letter, i) => (new RegExp(`\\b${letter}\\b`).test(body) ? i : -1)),
    );
    const signature = [...letters.values()].slice(0, last + 1).map((letter) => `, ${letter}: number`);
    return `(word: Word${signature.join("")}): ${result} => ${body}`;
  };
  const way = (line) => {
    const [head, moves] = line.split(" → ");
    const [, axis, unit = "1", condition] = /^(.*?)(?: by (.*?))?(?: if (.*))?$/.exec(head);
    const changes = new Map([[axis, "high - low"]]);
    for (const move of listOf(moves)) {
      const [, name, step = "", value] = /^([\w.]+)(?: ([*/].*)| = (.*))?$/.exec(move);
      if (!letters.has(name) && !name.startsWith("layout.")) {
        throw new Error(`${where}: expected an argument or a word to move, got ${name}`);
      }
      const at = expression(name);
      changes.set(name, value ? expression(value) : `moved(${at}, low ${expression(step)})`);
    }
    const words = [...changes].filter(([name]) => name.startsWith("layout."));
    const described = words.map(([name, value]) => `${numberOf("layout", name.slice(7))}, ${value}`).join(", ");
    const args = parameters.flatMap((name, i) => (changes.has(name) ? [i, changes.get(name)] : []));
    if (words.length > 0) args.push(0, `own.described(a, ${numberOf("layout", "words")}, ${described})`);
    const cut = `[${expression(axis)}, ${expression(unit)}, (low, high, own) => [${args.join(", ")}]]`;
    return functionOf("Cut | null", `${condition ? `!(${expression(condition)}) ? null : ` : ""}${cut}`);
  };
  let cost = null;
  const ways = [];
  for (const line of lines) {
    const [, kind, text] = /^@(\w+) (.*)$/.exec(line);
    if (kind === "costs") cost = text;
    else if (kind === "cut") ways.push(text);
    else for (const each of listOf(text)) lets.set(...each.split(/ = (.*)/, 2));
  }
  cost ??= ways[0].split(/ by | if | → /)[0];
  return [functionOf("number", expression(cost)), ...ways.map(way)];
}

/** The source of the table, from the kernels in a folder: kernels with equal cuts share a row, and rows share equal functions. */
export function cutsSource(folder) {
  const rows = new Map();
  const KERNEL = /((?:^\/\/ {1,3}.*\n)+)export function (\w+)\(([^)]*)\)/gm;
  for (const file of readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name))) {
    const source = readFileSync(join(folder, file), "utf8");
    const own = /import \* as layout from "\.\/([\w-]+)"/.exec(source)?.[1];
    for (const [, comment, name, parameters] of source.matchAll(KERNEL)) {
      if (!comment.startsWith("// @")) continue;
      const lines = Array.from(comment.replace(/\n\/\/ {3}/g, " ").matchAll(/^\/\/ (.*)$/gm), ([, line]) => line);
      const names = Array.from(parameters.matchAll(/(\w+):/g), ([, each]) => each);
      const cuts = cutsOf(`${file}: ${name}`, folder, own, names, lines);
      const key = cuts.join("\n");
      rows.set(key, { cuts, names: `${rows.has(key) ? `${rows.get(key).names} ` : ""}${name}` });
    }
  }
  const all = [...rows.values()].flatMap((row) => row.cuts);
  const shared = [...new Set(all.filter((text, i) => all.indexOf(text) !== i))];
  const constants = shared.map((text, i) => `const f${i} = ${text};\n`);
  const nameOf = (text) => (shared.includes(text) ? `f${shared.indexOf(text)}` : text);
  const table = Array.from(rows.values(), ({ names, cuts }) => `  ["${names}", [${cuts.map(nameOf).join(", ")}]],\n`);
  return `${HEAD}${constants.join("")}const table: readonly [names: string, cuts: Cuts][] = [\n${table.join("")}];\n${TAIL}`;
}
