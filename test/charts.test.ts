/** The charts in docs/. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { charts } from "../scripts/charts.mjs";

test("charts: those of the documents are what npm run charts draws", async () => {
  const drawn = Object.entries(await charts());
  expect(drawn).toHaveLength(18);
  for (const [file, svg] of drawn) {
    await expect(svg).toMatchFileSnapshot(fileURLToPath(new URL(`../docs/${file}`, import.meta.url)));
  }
});
