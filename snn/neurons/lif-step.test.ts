/** Neurons step by step, with the state kept by the caller. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Linear, memoryStats, noGrad, type Tensor, tape } from "../../engine/index.ts";
import { bits, random } from "../../test/support/tensors.ts";
import { LIF, type LIFOptions, type LIFState } from "../index.ts";

const [IN, HIDDEN, OUT] = [24, 40, 10];
const NEURONS: Record<string, LIFOptions> = {
  default: {},
  "delayed subtraction": { reset: "subtract", resetDelay: true, fire: "gt" },
  "to a value": { reset: "zero", resetValue: 0.1 },
  free: { reset: "none" },
  "of their own": {
    beta: random([HIDDEN], 3, { low: 0.5, high: 1 }),
    threshold: random([HIDDEN], 4, { low: 0.5, high: 1 }),
  },
  learned: { learnBeta: true, learnThreshold: true },
};

test.each(Object.entries(NEURONS))(
  "step: steps that are not recorded have the bits of those that are: %s",
  (_name, options) => {
    const lif = new LIF(options);
    for (const shape of [[3, HIDDEN], [HIDDEN]]) {
      const run = (recorded: boolean) =>
        (recorded ? tape : noGrad)(() => {
          let state = lif.initialState(shape);
          const all: number[][] = [];
          for (let t = 0; t < 12; t++) {
            const current = random(shape, 20 + t, { low: -0.2, high: 1 });
            current.requiresGrad = recorded;
            const [spikes, next] = lif.step(current, state);
            expect(spikes.requiresGrad).toBe(recorded);
            all.push(bits(spikes), bits(next.v), bits(next.refractory));
            expect(next.v.shape).toEqual(shape);
            state = next;
          }
          return all;
        });
      expect(run(false)).toEqual(run(true));
    }
  },
);

/** A function that collects garbage, without flags for the whole run. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Bytes in use in linear memory, held by it, and in use in the heap. */
interface InUse {
  live: number;
  reserved: number;
  heap: number;
}

function inUse(collect: () => void): InUse {
  collect();
  const { live, reserved } = memoryStats();
  return { live, reserved, heap: process.memoryUsage().heapUsed };
}

/** Layers that carry a state between calls: in place, or as the result of each call. */
function network(carry: "in place" | "returned"): (x: Tensor) => void {
  const [hidden, out] = [new Linear(IN, HIDDEN), new Linear(HIDDEN, OUT)];
  const [first, last] = [new LIF(), new LIF({ reset: "subtract", resetDelay: true })];
  let [a, b] = [first.initialState([1, HIDDEN]), last.initialState([1, OUT])];
  const advance = (x: Tensor): [LIFState, LIFState] => {
    const [spikes, nextA] = first.step(hidden.forward(x), a);
    const [, nextB] = last.step(out.forward(spikes), b);
    return [nextA, nextB];
  };
  if (carry === "in place") {
    return (x) =>
      noGrad(() => {
        const [nextA, nextB] = advance(x);
        a.v.copyFrom(nextA.v);
        b.v.copyFrom(nextB.v);
      });
  }
  return (x) => {
    const before = [a, b];
    [a, b] = noGrad(() => advance(x));
    for (const { v, refractory } of before) for (const t of [v, refractory]) t.dispose();
  };
}

test.each(["in place", "returned"] as const)(
  "step: ten thousand steps with the state %s leave memory and heap flat",
  (carry) => {
    const collect = collector();
    const step = network(carry);
    const x = random([1, IN], 7);
    const rounds = Array.from({ length: 6 }, () => {
      for (let t = 0; t < 2000; t++) step(x);
      return inUse(collect);
    });
    const [first, ...later] = rounds as [InUse, ...InUse[]];
    for (const { live, reserved } of later)
      expect({ live, reserved }).toEqual({ live: first.live, reserved: first.reserved });
    // The memory of compiled code varies; a leaked object takes at least 16 bytes in every step.
    const growth = later.map(({ heap }, i) => heap - (rounds[i] as InUse).heap);
    expect(Math.min(...growth)).toBeLessThan(16 * 2000);
  },
);
