import { expect, test, vi } from "vitest";
import { fuzzEvents } from "./events.ts";

const SEED = 20_261_127;
const FILES = 3000;

test(`fuzz: ${FILES} damaged files of event cameras, from seed ${SEED} on, are read soundly or refused`, async () => {
  // h5wasm prints its errors besides throwing them.
  vi.spyOn(console, "error").mockImplementation(() => {});
  const found = await fuzzEvents(SEED, FILES);
  if (found !== null) expect.fail(found);
});
