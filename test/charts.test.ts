/** The charts in docs/. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { charts } from "../scripts/charts.mjs";

test("charts: those of the documents are what npm run charts draws", async () => {
  const drawn = Object.entries(await charts());
  expect(drawn).toHaveLength(17);
  for (const [file, svg] of drawn) expect(readFileSync(new URL(`../docs/${file}`, import.meta.url), "utf8")).toBe(svg);
});
