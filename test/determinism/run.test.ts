import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { weightsHash } from "./run.ts";

test("determinism: fifty training steps give the pinned weights", async () => {
  const pinned = readFileSync(new URL("./weights.sha256", import.meta.url), "utf8").trim();
  expect(await weightsHash(), "changed on purpose? npm run test:engines -- --update").toBe(pinned);
});
