import { afterEach, expect, test } from "vitest";
import { matmul, rand } from "../../engine/index.ts";
import { threads } from "../../engine/threads/index.ts";
import * as orders from "../../engine/threads/orders.ts";
import { start } from "../../engine/threads/start.ts";
import { ALL } from "../../test/support/threads.ts";
import { amdahl, DONE, ORDER, Orders } from "./serial.ts";

afterEach(() => threads(1));

test("serial: words are those of the orders", () => {
  expect([ORDER, DONE]).toEqual([orders.ORDER, orders.DONE]);
});

test("serial: by Amdahl's law threads share all but a part", () => {
  expect(amdahl(0, 4)).toBe(0.25);
  expect(amdahl(0.5, 2)).toBe(0.75);
  expect(amdahl(1, 8)).toBe(1);
});

test("serial: orders of two threads count once, from the first order to the last answer, and nothing after", () => {
  const { store, load } = Atomics;
  const slots = [0, 1024].map((at) => new Int32Array(new SharedArrayBuffer(2048), at, 256));
  const watched = new Orders();
  watched.watch();
  for (const slot of slots) Atomics.store(slot, ORDER, 7);
  store(slots[0] as Int32Array, DONE, 7);
  Atomics.load(slots[0] as Int32Array, DONE);
  expect(watched.ms).toBe(0);
  for (const start = performance.now(); performance.now() - start < 2; );
  // The main thread has taken over this part.
  Atomics.store(slots[1] as Int32Array, DONE, 7);
  const { ms } = watched;
  expect(ms).toBeGreaterThanOrEqual(2);
  Atomics.load(slots[1] as Int32Array, DONE);
  expect(watched.ms).toBe(ms);
  watched.unwatch();
  expect([Atomics.store, Atomics.load]).toEqual([store, load]);
});

test("serial: products of threads are orders, work of the main thread alone is none", async () => {
  const [a, b] = [rand([256, 256]), rand([256, 256])];
  await start(2, ALL);
  const watched = new Orders();
  watched.watch();
  rand([4]).dispose();
  expect(watched.ms).toBe(0);
  matmul(a, b).dispose();
  expect(watched.ms).toBeGreaterThan(0);
  watched.unwatch();
});
