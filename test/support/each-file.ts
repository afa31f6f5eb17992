/** Tests of many files share a process, and with it the default generator and linear memory: each file finds both as a first one would. */
import { beforeAll } from "vitest";
import { manualSeed } from "../../engine/generator.ts";

declare const gc: () => void;

beforeAll(async () => {
  manualSeed(0);
  // Garbage tensors of earlier files give their memory back now, not while a test counts bytes.
  gc();
  await new Promise((resolve) => setTimeout(resolve, 0));
});
