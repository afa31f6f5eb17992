import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { Neighbours } from "../../../neighbours/neighbours.ts";
import { digitsFile } from "../../digits.ts";
import { parseDigits } from "../../model/digits.ts";
import { type NeighboursMessage, type NeighboursOrder, type NeighboursPicture, run } from "./rules/neighbours.ts";
import { run as runWindow, type WindowMessage } from "./rules/stdp-window.ts";

/** A file of the first digits. */
function fewDigits(train: number, test: number): ArrayBuffer {
  const all = parseDigits(digitsFile());
  const header = Uint32Array.of(all.side, train, test);
  const pixels = all.side ** 2;
  const parts = [
    ...[new Uint8Array(header.buffer), all.train.x.subarray(0, train * pixels), all.test.x.subarray(0, test * pixels)],
    ...[all.train.y.subarray(0, train), all.test.y.subarray(0, test)],
  ];
  return Uint8Array.from(Buffer.concat(parts)).buffer;
}

const [TRAIN, TEST] = [24, 30];

function started(stills: readonly number[] | null) {
  const messages: NeighboursMessage[] = [];
  const turns = run({ file: fewDigits(TRAIN, TEST), inhibition: 30, stills }, (message) => messages.push(message));
  const next = (...orders: NeighboursOrder[]): number =>
    (turns.next(orders) as IteratorResult<number, void>).value as number;
  const pictures = (): NeighboursPicture[] => messages.filter(({ kind }) => kind === "picture") as NeighboursPicture[];
  return { messages, next, pictures };
}

test("neighbours: before the first press digits make fields fire, and nothing learns", () => {
  const { messages, next, pictures } = started(null);
  next();
  expect(pictures().map(({ seen }) => seen)).toEqual([0]);
  vi.useFakeTimers({ toFake: ["performance"] });
  expect(next()).toBe(1500);
  vi.advanceTimersByTime(500);
  // An order that comes before the next digit is due does not bring it.
  expect(next({ kind: "inhibit", inhibition: 0 })).toBe(1000);
  vi.advanceTimersByTime(1000);
  next();
  vi.useRealTimers();
  const fired = messages.filter(({ kind }) => kind === "firing");
  expect(fired.map((each) => (each as { image: number }).image)).toEqual([0, 1]);
  const total = fired.map((each) => (each as { counts: Float32Array }).counts.reduce((sum, n) => sum + n, 0));
  // Without inhibition many fire for a digit.
  expect(total[1]).toBeGreaterThan(4 * (total[0] as number));
});

test("neighbours: the first digits come one by one and faster, then they flow; the end is that of Node", () => {
  const { messages, next, pictures } = started(null);
  next();
  const waits = [next({ kind: "begin", seed: 5 })];
  expect(waits[0]).toBeCloseTo(1000 / 1.2, 6);
  expect(pictures().map(({ seen }) => seen)).toEqual([0, 0, 1]);
  // A pause, and the next digit comes at once.
  expect(next({ kind: "pause" })).toBe(Number.POSITIVE_INFINITY);
  while (messages.at(-1)?.kind !== "measured") waits.push(next({ kind: "goOn" }));
  const slow = waits.filter((wait) => wait > 0 && wait < 1e9);
  expect(slow.length).toBe(11);
  for (let i = 1; i < slow.length; i++)
    expect((slow[i - 1] as number) / (slow[i] as number)).toBeCloseTo(Math.SQRT2, 5);
  expect(waits.at(-1)).toBe(Number.POSITIVE_INFINITY);
  const { train, test } = parseDigits(new Uint8Array(fewDigits(TRAIN, TEST)));
  const same = new Neighbours(train, { seed: 5 });
  while (same.seen < TRAIN) same.next();
  const weights = same.network.connection.weight.toFloat32Array();
  const hash = createHash("sha256").update(new Uint8Array(weights.buffer)).digest("hex");
  const steps = same.measure(test);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  expect(messages.at(-1)).toEqual({ kind: "measured", accuracy: step.value, hash });
  const last = pictures().at(-1) as NeighboursPicture;
  expect([last.seen, last.fields, last.labels]).toEqual([TRAIN, same.fields(), same.names().labels]);
});

test("neighbours: where motion is unwanted, fields are told at the stills alone", () => {
  const { messages, next, pictures } = started([3, TRAIN]);
  next();
  expect(next()).toBe(Number.POSITIVE_INFINITY);
  next({ kind: "begin", seed: 0 });
  while (messages.at(-1)?.kind !== "measured") next();
  expect(pictures().map(({ seen }) => seen)).toEqual([0, 0, 3, TRAIN]);
});

test("neighbours: a link goes to its digits at once, stops there, and goes on", () => {
  const { messages, next, pictures } = started([3, 7]);
  next();
  next({ kind: "begin", seed: 5, until: 7 });
  while (next() === 0);
  expect(pictures().map(({ seen }) => seen)).toEqual([0, 0, 3, 7]);
  expect(next()).toBe(Number.POSITIVE_INFINITY);
  const { train } = parseDigits(new Uint8Array(fewDigits(TRAIN, TEST)));
  const same = new Neighbours(train, { seed: 5 });
  while (same.seen < 7) same.next();
  expect(pictures().at(-1)?.fields).toEqual(same.fields());
  while (messages.at(-1)?.kind !== "measured") next({ kind: "goOn" });
});

test("stdp-window: the window is told once", () => {
  const messages: WindowMessage[] = [];
  const turns = runWindow({}, (message) => messages.push(message));
  expect((turns.next([]) as IteratorResult<number, void>).value).toBe(Number.POSITIVE_INFINITY);
  expect(messages.map(({ changes }) => changes.length)).toEqual([121]);
});
