/** Untrusted JSON: the same texts pass as with JSON.parse, with two exceptions, and none of them takes long. */
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { numbers } from "../test/support/sides.ts";
import { members, parse } from "./json.ts";

/** The members with the texts of their values. */
function parts(json: string): [string, string][] {
  const found: [string, string][] = [];
  members(json, (name, value) => found.push([name, value]));
  return found;
}

test("members: names without escapes, values as the text that they are", () => {
  expect(parts("{}")).toEqual([]);
  expect(parts(' {"a" : [1, {"b":2}] ,\n"\\u0062\\n":"\\"}" , "":-1.5e+3,"c":{}, "d":null}\t')).toEqual([
    ["a", '[1, {"b":2}]'],
    ["b\n", '"\\"}"'],
    ["", "-1.5e+3"],
    ["c", "{}"],
    ["d", "null"],
  ]);
  for (const json of ["", "[]", "1", '"a"', "null"]) expect(() => parts(json)).toThrow(/where "\{" belongs$/);
});

test("members: what does not belong is named with its place and the member it is in", () => {
  const wrong: [json: string, message: string][] = [
    ['{"a":1,}', '"}" at 7 in "a" where a name belongs'],
    ['{"a":[1 2]}', '"2]}" at 8 in "a" where "," or "]" belongs'],
    ['{"a":1', 'the end at 6 in "a" where "," or "}" belongs'],
    ['{"a"}', '"}" at 4 in "a" where ":" belongs'],
    ['{"a":+1}', '"+1}" at 5 in "a" where a value belongs'],
    ['{"a":01}', '"1}" at 6 in "a" where "," or "}" belongs'],
    ['{"a":"b', '"\\"b" at 5 in "a" where a string that ends belongs'],
    ['{"a":"\n"}', '"\\"\\n\\"}" at 5 in "a" where a string without control characters belongs'],
    ['{"a":"\\x"}', '"\\"\\\\x\\"}" at 5 in "a" where a string with known escapes belongs'],
    ['{"a":1}}', '"}" at 7 in "a" where the end belongs'],
    ['{"a":1,"\\u0061":2}', 'the name "a" twice'],
    ['{"b":{"a":1,"a":2}}', 'the name "a" twice'],
  ];
  for (const [json, message] of wrong) expect(() => parts(json), json).toThrow(new SyntaxError(message));
});

test("parse: lists and objects up to 128 levels deep", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(parse(nested(128), (_, value) => value)).toEqual(JSON.parse(nested(128)));
  for (const depth of [129, 1_000_000]) {
    expect(() => parse(nested(depth), (_, value) => value)).toThrow(/at 128 where a value no deeper than 128 levels/);
  }
  expect(parts(`{"a":${nested(127)}}`)).toEqual([["a", nested(127)]]);
  expect(() => parts(`{"a":${nested(128)}}`)).toThrow('at 132 in "a" where a value no deeper than 128 levels');
});

/** Whether no object in the text has duplicate names, which JSON.parse would merge. */
const isUnique = (json: string) => {
  try {
    parse(json, (_, value) => value);
    return true;
  } catch (error) {
    return !/ twice$/.test((error as Error).message);
  }
};

test("parse, fuzz: a text passes if JSON.parse takes it and no object has a name twice, and gives the same value", () => {
  const seed = 20_260_103;
  const rounds = 20_000;
  const draws = numbers(rounds * 40, seed, 0, 1);
  let at = 0;
  const below = (n: number) => Math.floor((draws[at++ % draws.length] as number) * n);
  const tokens = Array.from('{}[]",:0123456789\\-+.eEu \t\n\rabtruefalsn\0\u007f\u2028ü\ud800\u{1f600}');
  const names = ["a", "b", "\\u0061", "__proto__", "", "ü", "\\ud83d\\ude00"];
  const scalars = [
    "0",
    "-0",
    "1.5",
    "1e5",
    "-2E-3",
    "true",
    "false",
    "null",
    '""',
    '"x\\n\\"\\\\"',
    "1e999",
    '"\\u00e9"',
  ];
  const space = () => [" ", "\n", "", "", "", ""][below(6)] as string;
  const make = (depth: number): string => {
    const kind = below(depth > 3 ? 1 : 3);
    const items = () => Array.from({ length: below(4) }, () => make(depth + 1) + space());
    if (kind === 0) return space() + (scalars[below(scalars.length)] as string);
    if (kind === 1) return `${space()}[${items()}]`;
    return `{${space()}${items().map((item) => `${space()}"${names[below(names.length)]}"${space()}:${item}`)}}`;
  };
  let [accepted, refused, twice] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const text = Array.from(make(0));
    for (let i = below(3); i > 0; i--)
      text.splice(below(text.length + 1), below(2), tokens[below(tokens.length)] as string);
    const json = text.join("");
    let expected: unknown = "refused";
    try {
      expected = { value: JSON.parse(json) };
    } catch {}
    let actual: unknown = "refused";
    try {
      actual = { value: parse(json, (_, value) => value) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      if (!isUnique(json)) {
        twice++;
        continue;
      }
    }
    if (actual === "refused") refused++;
    else accepted++;
    if (!isDeepStrictEqual(actual, expected)) {
      expect(actual, `seed ${seed}, round ${round}: ${json}`).toEqual(expected);
    }
  }
  for (const count of [accepted, refused, twice]) expect(count).toBeGreaterThan(500);
});
