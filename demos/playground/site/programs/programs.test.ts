/** The text of programs, and their errors as Node shows them. */
import { expect, test } from "vitest";
import { placeOfImport, pointed, tidy } from "./problem.ts";
import { importedBy, withAddresses, withoutImports, withoutTypes } from "./source.ts";

const PROGRAM = `import {
  LIF,
} from "jarvis-snn";
import 'jarvis-snn/relaxed';
const more = await import("jarvis-snn/audio");
console.log('from "jarvis-snn"', more);
`;

test("source: spaces take the place of types, and nothing moves", () => {
  expect(withoutTypes("const x: number = y as\nA;", "7-15 19-24")).toBe(
    "const x         = y   \n ;".replace("y   \n ", "y   \n "),
  );
  expect(withoutTypes("const x = 1;", "")).toBe("const x = 1;");
});

test("source: imports name modules, and addresses take the place of the names that have one", () => {
  expect(importedBy(PROGRAM)).toEqual(["jarvis-snn", "jarvis-snn/relaxed", "jarvis-snn/audio"]);
  const addresses = { "jarvis-snn": "http://a/index.js", "jarvis-snn/audio": "http://a/audio.js" };
  expect(withAddresses(PROGRAM, addresses)).toBe(
    PROGRAM.replace('} from "jarvis-snn"', '} from "http://a/index.js"').replace(
      '"jarvis-snn/audio"',
      '"http://a/audio.js"',
    ),
  );
});

test("source: without imports the lines stay where they are", () => {
  const text = withoutImports(PROGRAM);
  expect(text.length).toBe(PROGRAM.length);
  expect(text.split("\n").slice(4)).toEqual(PROGRAM.split("\n").slice(4));
  expect(text.split("\n").slice(0, 4).join("").replaceAll(";", "").trim()).toBe("");
});

const URL = "blob:http://a/1-2";
const STACKS = {
  V8: `RangeError: no\n    at LIF.forward (http://a/snn.js:1:2)\n    at f (${URL}:2:9)\n    at ${URL}:5:1`,
  SpiderMonkey: `forward@http://a/snn.js:1:2\nf@${URL}:2:9\n@${URL}:5:1\n`,
};

test.each(Object.entries(STACKS))(
  "problem: a stack of %s becomes that of Node, with the calls of the program alone",
  (_, stack) => {
    const error = Object.assign(new RangeError("no"), { stack });
    expect(tidy(error, URL)).toEqual({ line: 2, column: 9 });
    expect(error.stack).toBe("RangeError: no\n    at f (program.js:2:9)\n    at program.js:5:1");
  },
);

test("problem: an error without calls of the program has the place of its cause", () => {
  const cause = Object.assign(new Error("why"), { stack: `Error: why\n    at ${URL}:3:4` });
  const error = Object.assign(new Error("what", { cause }), { stack: "Error: what\n    at http://a/snn.js:1:2" });
  expect(tidy(error, URL)).toEqual({ line: 3, column: 4 });
  expect(error.stack).toBe("Error: what");
});

test("problem: a sign stands under the column, and a name that is not exported has its place", () => {
  expect(pointed("a\n  b();", { line: 2, column: 3 })).toBe("program.js:2\n  b();\n  ^\n\n");
  const program = 'import {\n  LIFF } from "jarvis-snn";';
  const message = "The requested module 'jarvis-snn' does not provide an export named 'LIFF'";
  expect(placeOfImport(program, message)).toEqual({ line: 2, column: 3 });
  expect(placeOfImport(program, "import not found: LIFF")).toEqual({ line: 2, column: 3 });
  expect(placeOfImport(program, "Unexpected token ';'")).toBe(null);
});
