/** Programs that documents and comments show. */
import { writeFileSync } from "node:fs";
import { format } from "node:util";
import { expect, vi } from "vitest";

/** Writes a program into a file and runs it: the lines that it prints. A program with `console.log` that prints nothing fails the test. */
export async function printedBy(file: string, program: string): Promise<string[]> {
  writeFileSync(file, program);
  const lines = await printing(() => import(/* @vite-ignore */ file));
  if (program.includes("console.log")) expect(lines.length).toBeGreaterThan(0);
  return lines;
}

/** The lines that `run` prints. An undefined value or a NaN among these fails the test. */
export async function printing(run: () => Promise<unknown>): Promise<string[]> {
  const printed: unknown[][] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    printed.push(values);
  });
  try {
    await run();
  } finally {
    log.mockRestore();
  }
  const wrong = printed.flat().filter((value) => value === undefined || Number.isNaN(value));
  expect(wrong, `printed ${JSON.stringify(printed)}`).toEqual([]);
  return printed.map((values) => format(...values));
}
