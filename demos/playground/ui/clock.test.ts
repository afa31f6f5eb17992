import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Clock } from "./clock.ts";
import { Sweep } from "./sweep.ts";

/** A screen of sixty pictures a second. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  vi.stubGlobal("requestAnimationFrame", (paint: (now: number) => void) =>
    setTimeout(() => paint(performance.now()), 1000 / 60),
  );
  vi.stubGlobal("cancelAnimationFrame", clearTimeout);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("clock: it tells all the time that passes, at most once in so many milliseconds, and only while it runs", () => {
  const told: number[] = [];
  const clock = new Clock((ms) => told.push(ms), 100);
  vi.advanceTimersByTime(500);
  expect([told, clock.runs]).toEqual([[], false]);
  clock.run(true);
  clock.run(true);
  vi.advanceTimersByTime(1000);
  expect(told.length).toBeGreaterThan(7);
  expect(Math.min(...told)).toBeGreaterThanOrEqual(100);
  const sum = told.reduce((a, b) => a + b, 0);
  expect(sum).toBeGreaterThan(880);
  expect(sum).toBeLessThanOrEqual(1000);
  clock.run(false);
  vi.advanceTimersByTime(500);
  expect(told.reduce((a, b) => a + b, 0)).toBe(sum);
});

test("clock: who hears it may stop it", () => {
  let count = 0;
  const clock = new Clock(() => {
    count++;
    clock.run(false);
  }, 10);
  clock.run(true);
  vi.advanceTimersByTime(500);
  expect([count, clock.runs]).toEqual([1, false]);
});

test("sweep: it begins anew at its end, and stays where it is held", () => {
  const sweep = new Sweep(1, false, () => {});
  sweep.play();
  vi.advanceTimersByTime(500);
  expect(sweep.share).toBeGreaterThan(0.4);
  vi.advanceTimersByTime(600);
  expect(sweep.share).toBeLessThan(0.2);
  sweep.hold(0.7);
  vi.advanceTimersByTime(500);
  expect(sweep.share).toBe(0.7);
  sweep.release();
  vi.advanceTimersByTime(100);
  expect(sweep.share).toBeGreaterThan(0.7);
  const still = new Sweep(1, true, () => {});
  still.play();
  vi.advanceTimersByTime(500);
  expect(still.share).toBe(1);
});
