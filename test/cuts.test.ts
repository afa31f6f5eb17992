/** The table of cuts: what the build refuses in the lines above a kernel. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cutsSource } from "../scripts/cuts.mjs";

/** The table of one kernel with these lines. */
function tableOf(...lines: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "cuts-"));
  try {
    writeFileSync(join(folder, "one-layout.ts"), "export const m = 3;\nexport const words = 8;\n");
    const head = 'import * as layout from "./one-layout";\n';
    const kernel = "export function copy(z: usize, x: usize, n: i32): void {}\n";
    writeFileSync(join(folder, "one.ts"), `${head}${lines.map((line) => `// ${line}\n`).join("")}${kernel}`);
    return cutsSource(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("cuts: arguments move by their names, lines go on, and a name for an expression stands for it", () => {
  const table = tableOf("@let twice = 2 * n", "@cut n by 16 if n > 1 →", "  z, x * twice");
  expect(table).toContain(
    "!(c > 1) ? null : [c, 16, (low, high, own) => [0, moved(a, low ), 1, moved(b, low * (2 * c)), 2, high - low]]",
  );
  expect(table).toContain("[(word: Word, a: number, b: number, c: number): number => c, ");
});

test("cuts: words of a descriptor change in a copy", () => {
  expect(tableOf("@cut layout.m → layout.m = low")).toContain("own.described(a, 8, 3, low)");
});

test("cuts: names that the kernel does not have are errors", () => {
  expect(() => tableOf("@cut rows → z")).toThrow("one.ts: copy: expected a name of its arguments, got rows");
  expect(() => tableOf("@cut n → y")).toThrow("one.ts: copy: expected an argument or a word to move, got y");
  expect(() => tableOf("@cut n → layout.k")).toThrow("one.ts: copy: expected a word of a layout, got layout.k");
});
