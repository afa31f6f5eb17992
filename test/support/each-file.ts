/**
 * Tests of many files share a process, and with it the default generator and linear memory: each file finds the generator as a first
 * one would.
 */
import { beforeAll } from "vitest";
import { memory } from "../../engine/core/wasm.ts";
import { manualSeed } from "../../engine/generator.ts";

const PAGE = 2 ** 16;
const ROOM = 2 ** 28;

// Memory that grows page by page looks to the platform like so much new memory each time, for which it collects garbage.
if (memory.buffer.byteLength < ROOM) memory.grow((ROOM - memory.buffer.byteLength) / PAGE);

beforeAll(() => {
  manualSeed(0);
});
