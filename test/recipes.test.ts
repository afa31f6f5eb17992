/** How scripts/recipes.mjs reads the blocks of a recipe; and what the recipes say that they cost. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { kinds, planned } from "../scripts/new.mjs";
import { applied, blocksOf, merged, pages } from "../scripts/recipes.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => (existsSync(root + path) ? readFileSync(root + path, "utf8") : undefined);

const PAGE = `# A page

1. A file:

   \`\`\`ts file=engine/one.ts
   export const one = {
     value: 1,
   };
   \`\`\`

2. Edits, beside a block that nobody follows:

   \`\`\`ts
   one.value;
   \`\`\`

   \`\`\`diff file=engine/index.ts
    a
   +b

   -c
   @@
    d
   +e
   \`\`\`

\`\`\`sh
npm run types   # half a minute
npx vitest run engine/one
\`\`\`
`;

const [file, edit, commands] = blocksOf("docs/page.md", PAGE) as [Block, Block, Block];
type Block = ReturnType<typeof blocksOf>[number];

describe("recipes: blocksOf", () => {
  test("finds files, edits and commands with their lines, without the indentation of a list", () => {
    expect(blocksOf("docs/page.md", PAGE)).toHaveLength(3);
    expect(file).toEqual({
      page: "docs/page.md",
      line: 5,
      language: "ts",
      file: "engine/one.ts",
      body: "export const one = {\n  value: 1,\n};\n",
    });
    expect(edit.body).toBe(" a\n+b\n\n-c\n@@\n d\n+e\n");
    expect(commands).toMatchObject({ language: "sh", file: undefined, line: 27 });
  });
});

describe("recipes: applied", () => {
  test("makes a file", () => {
    expect(applied(file, undefined)).toBe(file.body);
    expect(() => applied(file, "")).toThrow("docs/page.md:5: engine/one.ts: expected a new file, got one that exists");
  });

  test("edits where the context is", () => {
    expect(applied(edit, "x\na\n\nc\nd\ny\n")).toBe("x\na\nb\n\nd\ne\ny\n");
  });

  test("finds rows of tables whose columns have other widths, and leaves them as they are", () => {
    const row = { ...edit, body: " | a | b |\n+| c | d |\n" };
    expect(applied(row, "| a     | b  |\n")).toBe("| a     | b  |\n| c | d |\n");
    expect(() => applied(row, "| ab | b |\n")).toThrow("found them 0 times");
  });

  test("refuses a context that is not there, or there twice, and a file that is missing", () => {
    const where = "docs/page.md:17: engine/index.ts: expected";
    expect(() => applied(edit, "a\nc\nd\n")).toThrow(`${where} these lines once, found them 0 times:\na\n\nc`);
    expect(() => applied(edit, "a\n\nc\na\n\nc\nd\n")).toThrow(
      `${where} these lines once, found them 2 times:\na\n\nc`,
    );
    expect(() => applied(edit, "a\n\nc\nd\nd\n")).toThrow(`${where} these lines once, found them 2 times:\nd`);
    expect(() => applied(edit, undefined)).toThrow(`${where} a file to edit, got none`);
  });

  test("refuses lines that are neither context nor edits", () => {
    const wrong = { ...edit, body: " a\nb\n" };
    expect(() => applied(wrong, "a\n")).toThrow('expected lines that begin with " ", "-" or "+", got "b"');
  });
});

describe("recipes: imports", () => {
  const importing = {
    ...edit,
    body: `-import { A } from "./a.ts";
+import { A, B } from "./a.ts";
 import { C } from "./c.ts";
+import type { D } from "./d.ts";
@@
 value;
+more;
`,
  };

  test("get names, whatever else the file imports, in however many lines", () => {
    expect(applied(importing, 'import {\n  A,\n  Own,\n} from "./a.ts";\nimport { X } from "./x.ts";\nvalue;\n')).toBe(
      'import type { D } from "./d.ts";\nimport { A, Own, B } from "./a.ts";\nimport { X } from "./x.ts";\nvalue;\nmore;\n',
    );
    expect(applied(importing, 'import { A, B } from "./a.ts";\nimport type { D } from "./d.ts";\nvalue;')).toBe(
      'import { A, B } from "./a.ts";\nimport type { D } from "./d.ts";\nvalue;\nmore;',
    );
  });

  test("lose names", () => {
    const less = { ...edit, body: '-import { A, B } from "./a.ts";\n+import { B } from "./a.ts";\n' };
    expect(applied(less, 'import { A, B, C } from "./a.ts";\n')).toBe('import { B, C } from "./a.ts";\n');
    expect(() => applied(less, 'import { B } from "./a.ts";\n')).toThrow(
      'docs/page.md:17: engine/index.ts: expected an import of A from "./a.ts", got none',
    );
  });
});

/** Edits of files that the tree has: what stands around an insertion, another one may have parted. */
const hunks = pages.flatMap((page) =>
  blocksOf(page, readFileSync(root + page, "utf8"))
    .filter(({ language }) => language === "diff")
    .flatMap(({ line, file, body }) =>
      body.split(/^@@.*\n/m).map((hunk) => ({ where: `${page}:${line}: ${file}`, hunk })),
    ),
);

test("recipes: no edit inserts between two lines of its context, where a reader's own work may stand", () => {
  const parting = hunks.filter(({ hunk }) => /^ .*\n(?:\+.*\n)+ /m.test(hunk) && !/^[-+ ]import /m.test(hunk));
  expect(parting.map(({ where, hunk }) => `${where}\n${hunk}`)).toEqual([]);
});

test("recipes: merged runs each command once, and vitest with all files", () => {
  const one = ["npm run types", "npx vitest run engine/one test/fuzz", "KERNELS=debug npx vitest run kernels"];
  const two = ["npm run types", "npx vitest run test/fuzz snn/two", "npx vitest run readme -u"];
  const three = ["npx vitest run test/charts -u"];
  expect(merged([...one, ...two, ...three])).toEqual([
    "npm run types",
    "npx vitest run engine/one test/fuzz snn/two",
    "KERNELS=debug npx vitest run kernels",
    "npx vitest run readme test/charts -u",
  ]);
});

/** The part of a page up to the next heading, or from one on, where blocks have all files and lines that it costs. */
const parts = pages.flatMap((page) =>
  readFileSync(root + page, "utf8")
    .split(/^(?=## )/m)
    .flatMap((text) => {
      const [said] = /\d+ files(, \d+ lines)?/.exec(text) ?? [];
      return said === undefined ? [] : [{ page, said, text }];
    }),
);

test.each(parts)("recipes: $page costs $said", ({ page, said, text }) => {
  const blocks = blocksOf(page, text);
  const made = [...text.matchAll(/^ *npm run new -- (.*)$/gm)].flatMap(([, args = ""]) => [
    ...planned(args.split(" "), read).files.keys(),
  ]);
  const edits = blocks.filter(({ file }) => file !== undefined);
  const files = new Set([...made, ...edits.map(({ file }) => file)]);
  const lines = edits.flatMap(({ language, body }) =>
    body.split("\n").filter((line, i, all) => (language === "diff" ? line.startsWith("+") : i < all.length - 1)),
  );
  const cost = `${files.size} files`;
  expect(made.length > 0 ? cost : `${cost}, ${lines.length} lines`).toBe(said);
});

test("recipes: all edits find their places in a tree to which somebody has added one of each kind", () => {
  const files = new Map<string, string>();
  const now = (path: string) => files.get(path) ?? read(path);
  const add = (args: readonly string[]) => {
    for (const [path, text] of planned(args, now).files) files.set(path, text);
  };
  for (const kind of Object.keys(kinds)) add([kind, /^[nr]/.test(kind) ? `Added${kind}` : `added${kind}`]);
  for (const page of pages) {
    const blocks = blocksOf(page, read(page) as string);
    const last = blocks.findLastIndex(({ file }) => file !== undefined);
    for (const block of blocks.slice(0, last + 1)) {
      const { file, body } = block;
      if (file === undefined) add(body.trim().replace("npm run new -- ", "").split(" "));
      else files.set(file, applied(block, now(file)));
    }
  }
  expect(files.get("kernels/codes.ts")).toContain("LORENTZIAN");
});
