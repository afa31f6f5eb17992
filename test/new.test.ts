/** `npm run new`: each kind finds its places in the tree, and what cannot be made is refused before anything is written. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { kinds, planned } from "../scripts/new.mjs";
import { blocksOf } from "../scripts/recipes.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => (existsSync(root + path) ? readFileSync(root + path, "utf8") : undefined);

const NAMES = {
  neuron: "PlacedThere",
  op: "placedThere",
  surrogate: "placedThere",
  encoder: "placed",
  rule: "PlacedThere",
};

/** Whether all lines of a text stand in another one, in their order. */
function keeps(text: string, other: string): boolean {
  const lines = text.split("\n");
  let at = 0;
  for (const line of other.split("\n")) if (line === lines[at]) at++;
  return at === lines.length;
}

test("new: each kind has a case here", () => {
  expect(Object.keys(kinds).sort()).toEqual(Object.keys(NAMES).sort());
});

describe.each(Object.entries(NAMES))("new: %s", (kind, name) => {
  const { files, steps, commands } = planned([kind, name], read);

  test("adds lines to the files of the tree and takes none off", () => {
    expect(files.size).toBeLessThanOrEqual(5);
    for (const [path, text] of files) {
      expect(text, path).toMatch(/placed/i);
      const old = read(path);
      if (old === undefined) continue;
      expect(text, path).not.toBe(old);
      expect(keeps(old, text), path).toBe(true);
    }
  });

  test("a place that is missing is named, whichever it is", () => {
    for (const { path, text, why, ...place } of steps) {
      expect(why).toMatch(/^[\p{L}`].*[^.]$/u);
      const [anchor] = Object.values(place) as (RegExp | undefined)[];
      if (anchor === undefined) {
        expect(() => planned([kind, name], (at) => (at === path ? text : read(at)))).toThrow(
          `new: expected no file ${path}, got one that exists`,
        );
        continue;
      }
      const without = read(path)?.replaceAll(new RegExp(anchor.source, "gm"), "moved");
      expect(() => planned([kind, name], (at) => (at === path ? without : read(at))), `${anchor}`).toThrow(
        `expected lines like ${anchor} in ${path}: `,
      );
    }
  });

  test("a second one of the name is refused", () => {
    expect(() => planned([kind, name], (path) => files.get(path) ?? read(path))).toThrow(
      /^new: expected a name that [\w/.-]+ does not have, got placed/i,
    );
  });

  test("its commands exist", () => {
    const { scripts } = JSON.parse(read("package.json") as string) as { scripts: object };
    const folders = ["kernels", "engine", "snn", "demos", "test"].flatMap((folder) =>
      readdirSync(root + folder, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
    );
    const tests = [...files.keys(), ...folders].filter((path) => path.endsWith(".test.ts"));
    for (const command of commands.map((line) => line.replace(/ +#.*/, ""))) {
      const [, script] = /^npm run ([\w:]+)/.exec(command) ?? [];
      if (script !== undefined) expect(scripts).toHaveProperty(script);
      const [, named = ""] = /^npx vitest run ([\w/ -]+?)(?: -u.*)?$/.exec(command) ?? [];
      for (const part of named.split(" "))
        expect(
          tests.some((path) => path.includes(part)),
          part,
        ).toBe(true);
    }
  });

  test("its page has the same commands in the same order, and begins with `npm run new`", () => {
    const page = `docs/contributing-${kind}.md`;
    const lines = blocksOf(page, read(page) as string).map(({ language, body }) =>
      language === "sh" ? body.trimEnd().replaceAll(/ +#/g, "  #").split("\n") : [],
    );
    expect(lines.find((block) => block.length > 0)?.[0]).toMatch(new RegExp(`^npm run new -- ${kind} \\w+$`));
    expect(lines.at(-1)).toEqual(commands);
  });
});

test.each([
  [[], 'new: expected npm run new -- neuron|op|surrogate|encoder|rule NAME, got ""'],
  [["neuron"], 'new: expected npm run new -- neuron|op|surrogate|encoder|rule NAME, got "neuron"'],
  [["nuron", "A"], "NAME, got nuron; did you mean neuron?"],
  [["layer", "A"], "NAME, got layer"],
  [["toString", "A"], "NAME, got toString"],
  [["neuron", "lif"], "new: expected the name of a neuron in letters and digits that begin with a capital, got lif"],
  [["rule", "A-b"], "new: expected the name of a rule in letters and digits that begin with a capital, got A-b"],
  [["op", "Cube"], "new: expected the name of an op in letters and digits that begin with a small one, got Cube"],
  [["encoder", "burstEncode"], "without Encode at the end, got burstEncode"],
  [["encoder", "burst"], "new: expected a name that index.ts does not have, got burstEncode"],
  [["neuron", "LIF"], "new: expected a name that index.ts does not have, got LIF"],
  [["rule", "Linear"], "new: expected a name that index.ts does not have, got Linear"],
  [["op", "delete"], "new: expected a name that is no word of the language, got delete"],
  [["surrogate", "await"], "new: expected a name that is no word of the language, got await"],
  [["op", "relu"], "new: expected a name that index.ts does not have, got relu"],
  [["surrogate", "atan"], "new: expected a name that snn/surrogates/surrogates.ts does not have, got atan"],
])("new: %j is refused", (args, message) => {
  expect(() => planned(args, read)).toThrow(message);
});
