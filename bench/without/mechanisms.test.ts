import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";
import { expect, test } from "vitest";
import { STEPS } from "../support/steps.ts";
import { edited, MECHANISMS } from "./mechanisms.ts";

const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), "utf8");

test.each(Object.entries(MECHANISMS))("%s: the edits fit the sources as they are", async (_, { edits, steps }) => {
  const sources = new Map<string, string>();
  for (const edit of edits) sources.set(edit.file, edited(sources.get(edit.file) ?? read(edit.file), edit));
  for (const [file, source] of sources) {
    const { code } = await transformWithOxc(source, file);
    const { code: before } = await transformWithOxc(read(file), file);
    expect(code).not.toBe(before);
  }
  expect(Object.keys(STEPS).filter((name) => steps.test(name))).not.toEqual([]);
});

test("edited: an edit that fits nowhere, or twice, is refused", () => {
  const edit = { file: "engine/a.ts", from: "x = 1;", to: "x = 2;" };
  expect(edited("let x = 1;", edit)).toBe("let x = 2;");
  expect(() => edited("let y = 1;", edit)).toThrow(
    "without: expected engine/a.ts to have this once, got it 0 times: x = 1;",
  );
  expect(() => edited("x = 1;\nx = 1;", edit)).toThrow(/got it 2 times/);
});
