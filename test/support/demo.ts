/** Demos read their flags and print while they are imported. */
import { vi } from "vitest";

let runs = 0;

/**
 * The lines that a demo prints with these flags, until `vi.restoreAllMocks` gives back flags and console. The query makes a module of its own for
 * each run, on modules that tests have imported before.
 */
export async function runDemo(name: string, ...flags: string[]): Promise<string[]> {
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import(new URL(`../../demos/${name}/main.ts?run=${++runs}`, import.meta.url).href);
  return lines;
}
