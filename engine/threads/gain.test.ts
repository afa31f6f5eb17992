/** When the main thread works alone, by a clock of the test's own. */
import { expect, test } from "vitest";
import { Gain } from "./gain.ts";
import { leastWhile } from "./parts.ts";

/** A clock in milliseconds, and orders of two parts that let it go on. */
function machine() {
  let time = 1000;
  const gain = new Gain(() => time);
  return {
    gain,
    pass: (ms: number) => {
      time += ms;
    },
    /** An order whose parts took so long; the slower one ended it. */
    order(own: number, other: number) {
      time += Math.max(own, other);
      gain.note(Math.max(own, other), [other, own], 2);
    },
    /** An order of two parts that both ran here. */
    alone(part: number) {
      time += 2 * part;
      gain.note(2 * part, [part, part], 2);
    },
  };
}

test("gain: even and uneven parts, and parts that are taken over, keep threads at work", () => {
  const { gain, order, alone } = machine();
  for (let i = 0; i < 200; i++) {
    order(0.1, 0.1);
    order(2, 3);
    order(3, 2);
    alone(1);
    expect(gain.isAlone()).toBe(false);
  }
});

test("gain: a wait now and then is forgiven, for what was gained before", () => {
  const { gain, order } = machine();
  for (let i = 0; i < 20; i++) {
    for (let k = 0; k < 50; k++) order(0.2, 0.2);
    order(0.2, 4);
    expect(gain.isAlone()).toBe(false);
  }
});

test.each([
  ["a thread", (order: (own: number, other: number) => void) => order(0.2, 3)],
  ["the main thread", (order: (own: number, other: number) => void) => order(3, 0.2)],
])("gain: where %s is interrupted again and again, the main thread works alone", (_, interrupted) => {
  const { gain, order, pass } = machine();
  for (let i = 0; i < 3; i++) {
    order(0.2, 0.2);
    if (!gain.isAlone()) interrupted(order);
  }
  expect(gain.isAlone()).toBe(true);
  // 2.4 ms were lost, and 0.2 ms gained before: 25 times the rest.
  pass(54);
  expect(gain.isAlone()).toBe(true);
  pass(2);
  expect(gain.isAlone()).toBe(false);
});

test.each([3, 12])(
  "gain: on a machine that stays busy, with waits of %i ms, trying costs a small share of the time",
  (wait) => {
    const { gain, order, pass } = machine();
    let [lost, time] = [0, 0];
    while (time < 5000) {
      if (gain.isAlone()) {
        pass(1);
        time++;
      } else {
        order(0.2, wait);
        time += wait;
        lost += wait - 0.4;
      }
    }
    expect(lost / time).toBeLessThan(0.05);
    let quiet = 0;
    for (; gain.isAlone(); quiet++) pass(1);
    expect(quiet).toBeLessThanOrEqual(25 * wait);
  },
);

test("gain: one long wait, as of a machine that slept, does not end threads for long", () => {
  const { gain, order, pass } = machine();
  order(0.2, 60_000);
  pass(501);
  expect(gain.isAlone()).toBe(false);
});

test("gain: while the main thread works alone, no work is enough to be cut", () => {
  const { gain, order } = machine();
  const least = leastWhile(() => gain.isAlone(), { work: 1, columns: 2 });
  expect({ ...least }).toEqual({ work: 1, columns: 2 });
  for (let i = 0; i < 3; i++) order(0.2, 3);
  expect({ ...least }).toEqual({ work: Infinity, columns: 2 });
});
