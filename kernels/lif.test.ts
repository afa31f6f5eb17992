/** The kernels of plain neurons against their twins, which are loops over single neurons. */
import { expect, test, vi } from "vitest";
import type { LIFDescriptor } from "../engine/descriptors.ts";
import { compareSides, describedLIF, describedProduct, numbers, onWasm, type Side } from "../test/support/sides.ts";
import { ATAN, NO_RESET, SIGMOID, SUBTRACT, TRIANGULAR, ZERO } from "./kinds.ts";
import { RESETS, SURROGATES } from "./reference/kinds.ts";

const T = 7;
const RESET_VALUE = -0.25;

interface Options {
  readonly rows: number;
  readonly n: number;
  readonly perNeuron: boolean;
  readonly reset: number;
  readonly delayed: 0 | 1;
  readonly strict: 0 | 1;
}

const PLAIN: Options = { rows: 2, n: 9, perNeuron: false, reset: SUBTRACT, delayed: 0, strict: 0 };

const SHAPES = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({ rows: 1 + (n % 2), n })),
  { rows: 3, n: 16 },
  { rows: 3, n: 33 },
  { rows: 1, n: 1031 },
];

const EVERY: Options[] = SHAPES.flatMap((shape) =>
  Object.values(RESETS).flatMap((reset) =>
    ([0, 1] as const).flatMap((delayed) =>
      [false, true].map((perNeuron) => ({ ...PLAIN, ...shape, reset, delayed, perNeuron, strict: perNeuron ? 1 : 0 })),
    ),
  ),
);

const forward = (side: Side, descriptor: LIFDescriptor): void => side.k.lifForward(describedLIF(side, descriptor));
const backward = (side: Side, descriptor: LIFDescriptor): void => side.k.lifBackward(describedLIF(side, descriptor));

/** Words of both passes: sizes, parameters, and u over time. */
function layerOf(side: Side, { perNeuron, rows, n, ...choices }: Options) {
  const count = perNeuron ? n : 1;
  const step = perNeuron ? (1 as const) : (0 as const);
  return {
    ...{ T, rows, n, ...choices, resetValue: RESET_VALUE },
    ...{ beta: side.put(numbers(count, 14, 0.5, 1)), stepBeta: step },
    ...{ threshold: side.put(numbers(count, 15, 0.8, 1.2)), stepThreshold: step },
    u: side.zeros(T * rows * n),
  };
}

/** Currents and states. Thresholds are crossed often, never nearly. */
const currents = (side: Side, { rows, n }: Options, steps = T): number =>
  side.put(numbers(steps * rows * n, 11, -0.5, 1.5));
const states = (side: Side, { rows, n }: Options): number => side.put(numbers(rows * n, 17, -0.5, 1.5));

test("lif: forward is the loop over neurons, whatever the reset, the start and the current", () => {
  for (const o of EVERY) {
    const size = o.rows * o.n;
    for (const starts of [false, true]) {
      for (const isConstant of [false, true]) {
        compareSides((side) => {
          const layer = layerOf(side, o);
          const [spikes, v, last] = [side.spikes(T * size), side.zeros(T * size), side.zeros(size)];
          forward(side, {
            ...{ ...layer, spikes, v, last },
            ...{ current: currents(side, o, isConstant ? 1 : T), stepCurrent: isConstant ? 0 : size },
            from: starts ? states(side, o) : 0,
          });
          const [u, s] = [side.read(layer.u, T * size), side.readSpikes(spikes, T * size)];
          return [...u, ...s, ...side.read(v, T * size), ...side.read(last, size)];
        });
      }
    }
  }
});

test("lif: forward may write over what it reads, and leave out what nobody wants", () => {
  for (const o of EVERY) {
    const size = o.rows * o.n;
    compareSides((side) => {
      const layer = layerOf(side, o);
      const [spikes, v, last] = [side.spikes(T * size), side.zeros(T * size), side.zeros(size)];
      forward(side, { ...layer, spikes, v, last, current: currents(side, o), from: states(side, o) });
      const want = {
        u: side.read(layer.u, T * size),
        s: side.readSpikes(spikes, T * size),
        v: side.read(v, T * size),
        last: side.read(last, size),
      };
      const ends = (list: number[]) => list.slice((T - 1) * size);
      const again = (given: (current: number, from: number) => Partial<LIFDescriptor>): void => {
        const [current, from] = [currents(side, o), states(side, o)];
        forward(side, { ...layer, current, from, ...given(current, from) });
      };
      // u over the current.
      let p = 0;
      again((current) => {
        p = current;
        return { u: current, spikes };
      });
      expect([side.read(p, T * size), side.readSpikes(spikes, T * size)]).toEqual([want.u, want.s]);
      // The last u alone.
      const end = side.zeros(size);
      again(() => ({ u: end, stepU: 0, spikes }));
      expect([side.read(end, size), side.readSpikes(spikes, T * size)]).toEqual([ends(want.u), want.s]);
      // The last v over u of one step, which lies over the state at the start: a stream.
      again((_, from) => {
        p = from;
        return { u: from, stepU: 0, last: from, spikes };
      });
      expect([side.read(p, size), side.readSpikes(spikes, T * size)]).toEqual([want.last, want.s]);
      // v over u, and no spikes.
      again(() => ({ u: v, v, last }));
      expect([side.read(v, T * size), side.read(last, size)]).toEqual([want.v, want.last]);
      // v of a u that is there.
      forward(side, { ...layer, v, last });
      expect(side.read(layer.u, T * size)).toEqual(want.u);
      expect([side.read(v, T * size), side.read(last, size)]).toEqual([want.v, want.last]);
      return want.v;
    });
  }
});

test("lif: without spikes, a reset and a threshold it is a leaky integrator", () => {
  for (const o of EVERY) {
    if (o.reset !== NO_RESET || o.delayed === 1) continue;
    const size = o.rows * o.n;
    for (const starts of [false, true]) {
      compareSides((side) => {
        const layer = { ...layerOf(side, o), threshold: 0, stepThreshold: 0 as const };
        const last = side.zeros(size);
        const from = starts ? states(side, o) : 0;
        forward(side, { ...layer, current: currents(side, o), from, last });
        expect(side.read(last, size)).toEqual(side.read(layer.u, T * size).slice((T - 1) * size));
        return side.read(layer.u, T * size);
      });
    }
  }
});

test("lif: values of β and θ that are shared, or equal and each neuron's own, give the same bits", () => {
  // So many neurons that two steps go over some columns at a time.
  const many = { ...PLAIN, rows: 2, n: 33000 };
  for (const o of [...EVERY.filter(({ perNeuron }) => perNeuron), many]) {
    const size = o.rows * o.n;
    onWasm((side) => {
      const beta = side.put(new Array(o.n).fill(0.875));
      const threshold = side.put(new Array(o.n).fill(0.75));
      const [current, u, spikes] = [currents(side, o, 2), side.zeros(2 * size), side.spikes(2 * size)];
      const results = ([0, 1] as const).flatMap((stepBeta) =>
        ([0, 1] as const).map((stepThreshold) => {
          const { perNeuron: _, ...choices } = o;
          const layer = { ...choices, T: 2, strict: 1 as const, resetValue: RESET_VALUE };
          forward(side, { ...layer, beta, threshold, stepBeta, stepThreshold, current, u, spikes });
          return [...side.readSpikes(spikes, 2 * size), ...side.read(u, 2 * size)];
        }),
      );
      for (const result of results) expect(result).toEqual(results[0]);
    });
  }
});

/** Derivatives are approximations, and their errors add up over the steps. */
const NEAR = { absolute: 1e-4, relative: 1e-4 };

/** The surrogate of this number, with a parameter that suits it. */
const surrogateOf = (kind: number) => ({ kind, slope: kind === TRIANGULAR ? 0.7 : 5 });

/** u of a run from a state on, and words of both passes. */
function ran(side: Side, o: Options) {
  const layer = { ...layerOf(side, o), from: states(side, o) };
  forward(side, { ...layer, current: currents(side, o) });
  return layer;
}

test("lif: backward is the loop over neurons, in place of the gradient or, where that repeats, of the membrane", () => {
  for (const o of EVERY) {
    const size = o.rows * o.n;
    for (const kind of Object.values(SURROGATES)) {
      for (const repeats of [false, true]) {
        compareSides((side) => {
          const layer = ran(side, o);
          const dSpikes = side.put(numbers(repeats ? size : T * size, 21));
          const dU = repeats ? layer.u : dSpikes;
          backward(side, { ...layer, ...surrogateOf(kind), dSpikes, stepDSpikes: repeats ? 0 : size, dU });
          return side.read(dU, T * size);
        }, NEAR);
      }
    }
  }
});

test("lif: backward takes gradients of spikes, membranes and states, and gives those of constant currents and of the start", () => {
  const kinds = Object.values(SURROGATES);
  const some = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  for (const [i, o] of EVERY.entries()) {
    const size = o.rows * o.n;
    // Every set of gradients that come, and in turn how they come and where they go to.
    for (const given of some) {
      const [isSame, isSummed, kind] = [
        (given + i) % 3 === 0,
        (given + i) % 2 === 0,
        kinds[(given + i) % kinds.length],
      ];
      const has = (bit: number) => ((given >> bit) & 1) === 1;
      compareSides((side) => {
        const layer = ran(side, o);
        const over = (bit: number, seed: number) => (has(bit) ? side.put(numbers(isSame ? size : T * size, seed)) : 0);
        const [dSpikes, dMembrane, dV] = [over(0, 21), over(1, 22), over(2, 23)];
        const dLast = has(3) ? side.put(numbers(size, 24)) : 0;
        const dU = side.zeros(isSummed ? size : T * size);
        const dSum = isSummed ? side.put(numbers(size, 25)) : 0;
        const dFrom = dLast === 0 ? side.zeros(size) : dLast;
        const step = isSame ? 0 : size;
        backward(side, {
          ...{ ...layer, ...surrogateOf(kind as number), dSpikes, dMembrane, dV, dLast, dU, dSum, dFrom },
          ...{ stepDSpikes: step, stepDMembrane: step, stepDV: step, stepDU: isSummed ? 0 : size },
        });
        const sum = isSummed ? side.read(dSum, size) : [];
        return [...side.read(dU, isSummed ? size : T * size), ...sum, ...side.read(dFrom, size)];
      }, NEAR);
    }
  }
});

test("lif: backward of a product is that of its values", () => {
  for (const [i, o] of EVERY.entries()) {
    const { rows, n } = o;
    if (n === 0) continue;
    const size = rows * n;
    const kind = Object.values(SURROGATES)[i % Object.values(SURROGATES).length] as number;
    for (const isReadout of [false, true]) {
      for (const k of [1, 3, 10]) {
        const run = (side: Side, isProduct: boolean): number[] => {
          const layer = { ...ran(side, o), ...surrogateOf(kind) };
          const [a, b] = [side.put(numbers(T * rows * k, 41)), side.put(numbers(n * k, 42))];
          const count = isProduct ? rows : T * rows;
          const c = side.zeros(count * n);
          const step = isProduct ? 0 : size;
          const dU = side.zeros(size);
          const dSum = side.put(numbers(size, 25));
          const factors = describedProduct(side, { n, k, a, b, bRow: 1, bCol: k, c, m: count });
          if (!isProduct) side.k.gemm(factors);
          backward(side, {
            ...(isReadout ? { dMembrane: c, stepDMembrane: step } : { dSpikes: c, stepDSpikes: step }),
            ...{ ...layer, dV: side.put(numbers(T * size, 23)) },
            ...{ dLast: side.put(numbers(size, 24)), dU, stepDU: 0, dSum, product: isProduct ? factors : 0 },
          });
          return [...side.read(dU, size), ...side.read(dSum, size)];
        };
        compareSides((side) => run(side, true), NEAR);
        onWasm((side) => expect(run(side, true)).toEqual(run(side, false)));
      }
    }
  }
});

test("lif: backward of a product of the most columns and rows of B that are packed", () => {
  const o = { ...PLAIN, rows: 3, n: 2048 };
  const [size, k] = [o.rows * o.n, 63];
  onWasm((side) => {
    const layer = { ...ran(side, o), ...surrogateOf(ATAN) };
    const [a, b] = [side.put(numbers(T * o.rows * k, 41)), side.put(numbers(o.n * k, 42))];
    const run = (m: number, step: number): number[] => {
      const [c, dU] = [side.zeros(m * o.n), side.zeros(T * size)];
      const product = describedProduct(side, { n: o.n, k, a, b, bRow: 1, bCol: k, c, m });
      if (step !== 0) side.k.gemm(product);
      backward(side, { ...layer, dSpikes: c, stepDSpikes: step, dU, product: step === 0 ? product : 0 });
      return side.read(dU, T * size);
    };
    expect(run(o.rows, 0)).toEqual(run(T * o.rows, size));
  });
});

test("lif: backward may write over each gradient that comes over time", () => {
  for (const o of EVERY) {
    const size = o.rows * o.n;
    onWasm((side) => {
      const run = (over: "u" | "dSpikes" | "dMembrane" | "dV" | null): number[] => {
        const layer = { ...ran(side, o), ...surrogateOf(ATAN) };
        const arrays = {
          dSpikes: side.put(numbers(T * size, 21)),
          dMembrane: side.put(numbers(T * size, 22)),
          dV: side.put(numbers(T * size, 23)),
        };
        const dU = over === null ? side.zeros(T * size) : { ...arrays, u: layer.u }[over];
        backward(side, { ...layer, ...arrays, dU });
        return side.read(dU, T * size);
      };
      const want = run(null);
      for (const over of ["u", "dSpikes", "dMembrane", "dV"] as const) expect(run(over)).toEqual(want);
    });
  }
});

test("lif: backward computes no more derivatives of a kind without a loop than there is room for", async () => {
  // The sources of the kernels are TypeScript; their constants have addresses in the compiled module alone.
  vi.stubGlobal("memory", { data: () => 0 });
  vi.stubGlobal("min", Math.min);
  const { hasLoop, widthOf } = await import("./lif-back.ts" as string);
  const { isExponential, PIECE } = await import("./derivative.ts" as string);
  const fresh = Math.max(...Object.values(SURROGATES)) + 1;
  for (const kind of [...Object.values(SURROGATES), fresh]) {
    const isBounded = isExponential(kind) || !hasLoop(kind);
    for (const n of [1, 9, PIECE, PIECE + 1, 1031, 33_000]) {
      for (const size of [n, 3 * n]) {
        const width = widthOf(kind, size, n);
        expect(width).toBeGreaterThan(0);
        expect(width).toBeLessThanOrEqual(isBounded ? Math.min(n, PIECE) : n);
      }
    }
  }
  expect(hasLoop(fresh)).toBe(false);
  vi.unstubAllGlobals();
});

test("lif: backward in pieces of steps has the bits of all at once", () => {
  const { rows, n } = PLAIN;
  const size = rows * n;
  for (const delayed of [0, 1] as const) {
    for (const [kind, hasMembrane] of [SIGMOID, ATAN].flatMap((kind) =>
      [true, false].map((has) => [kind, has] as const),
    )) {
      onWasm((side) => {
        const layer = { ...ran(side, { ...PLAIN, reset: ZERO, delayed }), ...surrogateOf(kind) };
        const run = (together: number): number[] => {
          const dU = side.put(numbers(T * size, 31));
          const dMembrane = side.put(numbers(T * size, 32));
          const dFrom = side.zeros(size);
          for (let t = T - together; t >= 0; t -= together) {
            const o = 4 * t * size;
            const at = { u: layer.u + o, dSpikes: dU + o, dMembrane: hasMembrane ? dMembrane + o : 0, dU: dU + o };
            const from = t === 0 ? layer.from : layer.u + o - 4 * size;
            // dFrom of the later steps is dLast of the earlier ones.
            backward(side, { ...layer, ...at, T: together, from, dLast: t + together < T ? dFrom : 0, dFrom });
          }
          return [...side.read(dU, T * size), ...side.read(dFrom, size)];
        };
        expect(run(1)).toEqual(run(T));
      });
    }
  }
});
