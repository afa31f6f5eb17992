/** Programs that documents and comments show. */
import { writeFileSync } from "node:fs";
import { format } from "node:util";
import { expect, vi } from "vitest";

/**
 * Writes a program into a file and runs it: the lines that it prints. An undefined value or a NaN among these fails the test, and so does a
 * program with `console.log` that prints nothing.
 */
export async function printedBy(file: string, program: string): Promise<string[]> {
  writeFileSync(file, program);
  const printed: unknown[][] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    printed.push(values);
  });
  try {
    await import(/* @vite-ignore */ file);
  } finally {
    log.mockRestore();
  }
  const wrong = printed.flat().filter((value) => value === undefined || Number.isNaN(value));
  expect(wrong, `printed ${JSON.stringify(printed)}`).toEqual([]);
  if (program.includes("console.log")) expect(printed.length).toBeGreaterThan(0);
  return printed.map((values) => format(...values));
}
