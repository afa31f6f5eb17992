/** Views of linear memory end when it grows, and `wordsAt` renews them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A view that stands before the call that may renew it, in one statement: JavaScript reads the view first. */
const STALE = /\b(?:floats|integers)\b(?:\[|\.)[^;]*?\bwordsAt\(/g;

const staleIn = (source: string): string[] => source.match(STALE) ?? [];

test("no statement reads a view before it finds the words", () => {
  expect(staleIn("floats[wordsAt(p, 1)] = 1;")).toHaveLength(1);
  expect(staleIn("floats.set(values, wordsAt(at, values.length));")).toHaveLength(1);
  expect(staleIn("const at = wordsAt(p, 1);\nfloats[at] = 1;")).toHaveLength(0);
  const paths = ["engine", "snn"].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  );
  const sources = paths.filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  expect(sources.length).toBeGreaterThan(200);
  for (const path of sources) expect(staleIn(readFileSync(`${root}${path}`, "utf8")), path).toEqual([]);
});
