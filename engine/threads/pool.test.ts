/** Orders and the threads that run them: errors, ends, growth, and modules that come and go. */
import { afterAll, beforeEach, expect, test } from "vitest";
import { collected } from "../../test/support/garbage.ts";
import { ALL, endless, poolNow, trained, until, untilTaken, workerOf } from "../../test/support/threads.ts";
import { wasmHeap } from "../core/memory.ts";
import { coreKernels, memory } from "../core/wasm.ts";
import { memoryStats } from "../index.ts";
import { ASLEEP } from "./orders.ts";
import type { Kernel } from "./pool.ts";
import { runningPool, start } from "./start.ts";

const alone = trained();

beforeEach(() => start(3, ALL));
afterAll(() => start(1));

const kernel = (): Kernel => coreKernels.fill as Kernel;

/** An address beyond all memory. */
const NOWHERE = 0xf0000000;

/** A block of n floats, and their values. */
function floats(n: number): { at: number; values: () => number[]; free: () => void } {
  const at = wasmHeap.allocate(4 * n);
  return {
    at,
    values: () => [...new Float32Array(memory.buffer, at, n)],
    free: () => wasmHeap.release(at, 4 * n),
  };
}

test("pool: an error in a part of a worker is thrown with its text after all parts, and threads go on", () => {
  const block = floats(8);
  const order = () =>
    poolNow().run(kernel(), 3, (part) => {
      // The main thread would take over an unclaimed part.
      if (part === 0) for (const t of [0, 1]) untilTaken(t);
      return part === 1 ? [NOWHERE, 4, 1] : [block.at + 8 * part, 2, part + 1];
    });
  expect(order).toThrow(/^threads: a kernel has failed in thread 1: (RuntimeError: memory access out|.*assertion)/);
  expect(block.values().filter((_, i) => i !== 2 && i !== 3)).toEqual([1, 1, 3, 3, ...block.values().slice(6)]);
  expect(poolNow().failure).toBe(null);
  expect(trained()).toEqual(alone);
  block.free();
});

test("pool: an error in the part of the main thread is thrown after all parts, and threads go on", () => {
  const block = floats(6);
  const order = () =>
    poolNow().run(kernel(), 3, (part) => (part === 0 ? [NOWHERE, 4, 1] : [block.at + 8 * part, 2, part + 1]));
  expect(order).toThrow(/memory access out of bounds|assertion/);
  expect(block.values().slice(2)).toEqual([2, 2, 3, 3]);
  expect(trained()).toEqual(alone);
  block.free();
});

test("pool: an error while a part is described is thrown after the parts before it", () => {
  const block = floats(6);
  const order = () =>
    poolNow().run(kernel(), 3, (part) => {
      if (part === 2) throw new RangeError("out of memory");
      return [block.at, 2, 7];
    });
  expect(order).toThrow(RangeError);
  expect(block.values().slice(0, 2)).toEqual([7, 7]);
  expect(trained()).toEqual(alone);
  block.free();
});

test("pool: where a worker ends in a part that it has taken, the order throws, and one thread goes on", () => {
  const f = endless();
  const order = () =>
    poolNow().run(f, 3, (part) => {
      if (part === 0) {
        untilTaken(0);
        void workerOf(poolNow().threads[0]).terminate();
      }
      return [part === 1 ? 1 : 0];
    });
  expect(order).toThrow(/^threads: thread 1 is gone: its worker has ended; one thread goes on, and threads\(n\)/);
  expect(runningPool()).toBe(null);
  expect(trained()).toEqual(alone);
});

test("pool: parts of a worker that has ended before it took them are taken over", () => {
  const [thread] = poolNow().threads;
  void workerOf(thread).terminate();
  until("the worker ends", () => thread?.hasEnded() === true);
  const block = floats(6);
  poolNow().run(kernel(), 3, (part) => [block.at + 8 * part, 2, part + 1]);
  expect(block.values()).toEqual([1, 1, 2, 2, 3, 3]);
  // A module has no other way to the worker.
  expect(() => poolNow().run(endless(), 3, () => [0])).toThrow(/^threads: thread 1 is gone: its worker has ended;/);
  expect(runningPool()).toBe(null);
  expect(trained()).toEqual(alone);
  block.free();
});

test("pool: a worker of which an event tells that it has ended makes the next order throw, and one thread goes on", async () => {
  await workerOf(poolNow().threads[1]).terminate();
  await new Promise((resolve) => setTimeout(resolve));
  expect(trained).toThrow(/^threads: thread 2 is gone: its worker has ended with exit code 1; one thread goes on/);
  expect(runningPool()).toBe(null);
  expect(trained()).toEqual(alone);
  await start(2, ALL);
  expect(trained()).toEqual(alone);
});

test("pool: the next work for threads throws where a worker has ended, also while the main thread works alone", async () => {
  await start(2, ALL, { backsOff: true });
  const { gain } = poolNow().running;
  Object.assign(gain as object, { isAlone: () => true });
  expect(trained()).toEqual(alone);
  await workerOf(poolNow().threads[0]).terminate();
  await new Promise((resolve) => setTimeout(resolve));
  expect(trained).toThrow(/^threads: thread 1 is gone: its worker has ended with exit code 1; one thread goes on/);
  expect(runningPool()).toBe(null);
  expect(trained()).toEqual(alone);
});

test("pool: a thread that does not answer is given up where the platform does not tell whether it runs", async () => {
  await start(2, ALL, { patience: 300 });
  (poolNow().threads[0] as { hasEnded: () => undefined }).hasEnded = () => undefined;
  const f = endless();
  const order = () =>
    poolNow().run(f, 2, (part) => {
      if (part === 0) untilTaken(0);
      return [part];
    });
  expect(order).toThrow(/^threads: thread 1 is gone: no answer came for 0.3 s/);
  expect(runningPool()).toBe(null);
  expect(trained()).toEqual(alone);
});

test("pool: memory that grows while parts run is there for the parts after, and for a module that is compiled then", () => {
  const BYTES = 2 ** 24;
  const { byteLength } = memory.buffer;
  const blocks: number[] = [];
  const grow = (): number => {
    while (memory.buffer.byteLength === byteLength) blocks.push(wasmHeap.allocate(BYTES));
    return blocks[blocks.length - 1] as number;
  };
  let at = 0;
  poolNow().run(kernel(), 3, (part) => {
    if (part === 2) at = grow();
    return [part === 1 ? wasmHeap.descriptor : at + BYTES / 2 + 8 * part, part === 1 ? 0 : 2, part + 1];
  });
  expect([...new Float32Array(memory.buffer, at + BYTES / 2, 6)].filter((_, i) => i < 2 || i > 3)).toEqual([
    1, 1, 3, 3,
  ]);
  poolNow().run(kernel(), 3, (part) => [at + BYTES - 64 + 8 * part, 2, part + 1]);
  expect([...new Float32Array(memory.buffer, at + BYTES - 64, 6)]).toEqual([1, 1, 2, 2, 3, 3]);
  const f = endless();
  poolNow().run(f, 3, () => [0]);
  for (const block of blocks) wasmHeap.release(block, BYTES);
});

test("pool: modules that are garbage leave their numbers to others, and threads forget them", async () => {
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 10; i++) poolNow().run(endless(), 3, () => [0]);
    await collected();
  }
  expect(poolNow().modules).toBeLessThan(40);
  expect(trained()).toEqual(alone);
});

test("pool: threads without orders sleep, and wake for the next", () => {
  const { words } = poolNow();
  expect(trained()).toEqual(alone);
  until("threads sleep", () => words.every((slot) => Atomics.load(slot, ASLEEP) === 1));
  expect(trained()).toEqual(alone);
});

test("pool: all memory of threads is given back", async () => {
  await start(1);
  await collected();
  const { live } = memoryStats();
  for (let i = 0; i < 3; i++) {
    await start(2 + (i % 2), ALL);
    await start(1);
  }
  expect(memoryStats().live).toBe(live);
});

test("pool: a main thread that works alone at times, on a busy machine, has the same bits", async () => {
  await start(3, ALL, { backsOff: true });
  for (let i = 0; i < 5; i++) expect(trained()).toEqual(alone);
});

test("pool: kernels that were kept from threads that have ended throw, and those that run go on", async () => {
  const pool = poolNow();
  await start(2, ALL);
  expect(() => pool.run(kernel(), 3, () => [wasmHeap.descriptor, 0, 0])).toThrow(
    /^threads: expected kernels of threads/,
  );
  expect(runningPool()?.count).toBe(2);
  expect(trained()).toEqual(alone);
});
