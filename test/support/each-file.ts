/** Tests of many files share a process, and with it the default generator: each file finds it as a first one would. */
import { beforeAll } from "vitest";
import { manualSeed } from "../../engine/generator.ts";

beforeAll(() => {
  manualSeed(0);
});
