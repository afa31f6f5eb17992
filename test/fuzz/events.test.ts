import { expect, test } from "vitest";
import { fuzzEvents } from "./events.ts";

const SEED = 20_261_127;
const FILES = 3000;

test(`fuzz: ${FILES} damaged files of event cameras, from seed ${SEED} on, are read soundly or refused`, async () => {
  const found = await fuzzEvents(SEED, FILES);
  if (found !== null) expect.fail(found);
});
