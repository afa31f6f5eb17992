/** How scripts/recipes.mjs reads the blocks of a recipe; and what the recipes say that they cost. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { applied, blocksOf, merged, pages } from "../scripts/recipes.mjs";

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

test("recipes: merged runs each command once, and vitest with all files", () => {
  const one = ["npm run types", "npx vitest run engine/one test/fuzz", "KERNELS=debug npx vitest run kernels"];
  const two = ["npm run types", "npx vitest run test/fuzz snn/two", "npx vitest run readme -u"];
  expect(merged([...one, ...two])).toEqual([
    "npm run types",
    "npx vitest run engine/one test/fuzz snn/two",
    "KERNELS=debug npx vitest run kernels",
    "npx vitest run readme -u",
  ]);
});

/** The part of a page up to the next heading, or from one on, where blocks have all lines that it costs. */
const parts = pages.flatMap((page) =>
  readFileSync(fileURLToPath(new URL(`../${page}`, import.meta.url)), "utf8")
    .split(/^(?=## )/m)
    .flatMap((text) => {
      const [said] = /\d+ files, \d+ lines/.exec(text) ?? [];
      return said === undefined || text.includes("npm run new") ? [] : [{ page, said, text }];
    }),
);

test.each(parts)("recipes: $page costs $said", ({ page, said, text }) => {
  const edits = blocksOf(page, text).filter(({ file }) => file !== undefined);
  const files = new Set(edits.map(({ file }) => file));
  const lines = edits.flatMap(({ language, body }) =>
    body.split("\n").filter((line, i, all) => (language === "diff" ? line.startsWith("+") : i < all.length - 1)),
  );
  expect(`${files.size} files, ${lines.length} lines`).toBe(said);
});
