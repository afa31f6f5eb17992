/** Every regular expression of a reader is in the table, and none can take time that grows with the square of a text from outside. */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";
import { EXPRESSIONS } from "./expressions.ts";
import { openRepetitions } from "./repetitions.ts";

/** Files and folders that read what others have written: files, states, and the hashes of links. */
const READERS = [
  "engine/arguments.ts",
  "engine/checkpoint.ts",
  "engine/json.ts",
  "engine/node.ts",
  "snn/audio",
  "snn/events",
  "snn/files",
  "snn/nir",
  "snn/python.ts",
  "demos/playground/ui/address.ts",
  "demos/playground/figures/digit/link.ts",
  "demos/playground/figures/terms.ts",
  "demos/playground/figures/train/figure.ts",
  "demos/playground/figures/equation",
  "demos/playground/model/image.ts",
  "demos/playground/model/weights.ts",
  "demos/playground/state/fields.ts",
];

/** Characters over which any expression may run. */
const SHORT = 1000;

const filesOf = (path: string): string[] =>
  path.endsWith(".ts")
    ? [path]
    : readdirSync(path)
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .map((name) => `${path}/${name}`);

/** The literals of a file, and how many expressions it makes of text. */
function expressionsOf(path: string): { literals: string[]; made: number } {
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const literals = new Set<string>();
  let made = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) literals.add(node.text);
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "RegExp") made++;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { literals: [...literals], made };
}

test("expressions: the table has every one of the readers, and no other", () => {
  const files = READERS.flatMap(filesOf);
  const found = Object.fromEntries(files.map((path) => [path, expressionsOf(path)]));
  for (const [path, { literals, made }] of Object.entries(found)) {
    const listed = (EXPRESSIONS[path] ?? []).map(({ pattern }) => String(pattern));
    expect(listed, path).toEqual(expect.arrayContaining(literals));
    expect(listed, path).toHaveLength(literals.length + made);
  }
  expect(files).toEqual(expect.arrayContaining(Object.keys(EXPRESSIONS)));
});

const LISTED = Object.entries(EXPRESSIONS).flatMap(([path, all]) => all.map((each) => [path, each] as const));

test.each(LISTED.filter(([, { longest }]) => longest > SHORT))(
  "expressions: of %s, one over text of any length begins at one place, and its repetitions end at one",
  (_, { pattern }) => {
    const { source, sticky, multiline } = pattern;
    expect(sticky || (source.startsWith("^") && !multiline), String(pattern)).toBe(true);
    expect(openRepetitions(pattern), String(pattern)).toEqual([]);
  },
);

test("expressions: repetitions that may hand characters over are found", () => {
  const cases: [RegExp, string[]][] = [
    [/^ +$/, []],
    [/^ +x?$/, []],
    [/^\s+ x/, ["\\s+"]],
    [/^AEChip:.*(DVS128|Tmpdiff128)/i, [".*"]],
    [/^\d+\.?\d*x/, ["\\d+"]],
    [/^\d+(?:\.\d+)?x/, []],
    [/^(?:\w+)*x/, ["(?:\\w+)*", "\\w+"]],
    [/^(?:\w+,)*x/, ["(?:\\w+,)*"]],
    [/^(?:\w+,)*;/, []],
    [/^[^>]*>([^<]*)</, []],
    [/^[ab]+[cB]/i, ["[ab]+"]],
    [/^a{2,}a/, ["a{2,}"]],
    [/^a{2,9}a/, []],
    [/^\p{L}+é/u, ["\\p{L}+"]],
  ];
  for (const [pattern, open] of cases)
    expect(openRepetitions(pattern), String(pattern)).toEqual(expect.arrayContaining(open));
  for (const [pattern, open] of cases) expect(openRepetitions(pattern), String(pattern)).toHaveLength(open.length);
});
