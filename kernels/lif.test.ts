/** The kernels of plain LIF against loops over single neurons, in float64. */
import { expect, test, vi } from "vitest";
import { compareSides, numbers, type Side } from "../test/support/sides.ts";
import { ATAN, SIGMOID, SUBTRACT, TRIANGULAR, ZERO } from "./kinds.ts";
import { reference } from "./reference/index.ts";
import { RESETS, SURROGATES } from "./reference/kinds.ts";
import { surrogateDerivative } from "./reference/surrogate.ts";

const T = 7;
const RESET_VALUE = -0.25;

interface Options {
  readonly rows: number;
  readonly n: number;
  readonly perNeuron: boolean;
  readonly reset: number;
  readonly delayed: number;
  readonly strict: number;
}

const PLAIN: Options = { rows: 2, n: 9, perNeuron: false, reset: SUBTRACT, delayed: 0, strict: 0 };

const SHAPES = [
  { rows: 1, n: 1 },
  { rows: 1, n: 4 },
  { rows: 2, n: 7 },
  { rows: 3, n: 16 },
  { rows: 3, n: 33 },
  { rows: 1, n: 1031 },
];

const EVERY: Options[] = SHAPES.flatMap((shape) =>
  Object.values(RESETS).flatMap((reset) =>
    [0, 1].flatMap((delayed) =>
      [false, true].map((perNeuron) => ({ ...PLAIN, ...shape, reset, delayed, perNeuron, strict: perNeuron ? 1 : 0 })),
    ),
  ),
);

/** Words of a stream of n bits: kernels may read one more than they need. */
const streamWords = (n: number): number => Math.ceil(n / 32) + 1;

const isNaive = ({ k }: Side): boolean => k === reference;
const fires = (x: number, theta: number, strict: number): boolean => (strict !== 0 ? x > theta : x >= theta);

/** What a run reads. Thresholds are crossed often, never nearly. */
function inputs(side: Side, { rows, n, perNeuron }: Options) {
  const values = { beta: numbers(perNeuron ? n : 1, 14, 0.5, 1), theta: numbers(perNeuron ? n : 1, 15, 0.8, 1.2) };
  const current = numbers(T * rows * n, 11, -0.5, 1.5);
  const [beta, threshold] = [side.put(values.beta), side.put(values.theta)];
  return {
    values,
    current,
    size: rows * n,
    step: perNeuron ? 1 : 0,
    at: { current: side.put(current), beta, threshold },
  };
}

/** u and s, [T, rows, n]. */
function forward(side: Side, o: Options): { u: number[]; s: number[] } {
  const { values, current, size, step, at } = inputs(side, o);
  if (isNaive(side)) return naiveForward(o, current, values);
  const [u, s] = [side.zeros(T * size), side.zeros(T * size)];
  const bits = side.zeros(streamWords(T * size));
  const shape = [T, o.rows, o.n, size, step, step] as const;
  side.k.lifForward(u, bits, at.current, at.beta, at.threshold, ...shape, o.reset, o.delayed, o.strict, RESET_VALUE);
  side.k.unpackBits(s, bits, T * size);
  return { u: side.read(u, T * size), s: side.read(s, T * size) };
}

interface Parameters {
  readonly beta: readonly number[];
  readonly theta: readonly number[];
}

const ofNeuron = (list: readonly number[], i: number): number => Math.fround(list[i % list.length] as number);

function naiveForward({ rows, n, reset, delayed, strict }: Options, current: number[], { beta, theta }: Parameters) {
  const size = rows * n;
  const [u, s] = [new Array<number>(T * size), new Array<number>(T * size)];
  for (let i = 0; i < size; i++) {
    const [b, threshold] = [ofNeuron(beta, i % n), ofNeuron(theta, i % n)];
    let v = 0;
    for (let t = 0; t < T; t++) {
      const due = (t > 0 || delayed !== 0) && fires(v, threshold, strict);
      if (due && reset === ZERO) v = RESET_VALUE;
      if (due && reset === SUBTRACT && delayed === 0) v -= threshold;
      v = b * v + Math.fround(current[t * size + i] as number);
      if (due && reset === SUBTRACT && delayed !== 0) v -= threshold;
      u[t * size + i] = v;
      s[t * size + i] = fires(v, threshold, strict) ? 1 : 0;
    }
  }
  return { u, s };
}

test("lif: forward is the loop over neurons, whatever the reset", () => {
  for (const o of EVERY) {
    compareSides((side) => {
      const { u, s } = forward(side, o);
      return [...u, ...s];
    });
  }
});

test("lif: forward may forget the membrane of all steps but the last, and write over its input", () => {
  for (const o of EVERY) {
    compareSides((side) => {
      const { u } = forward(side, o);
      if (isNaive(side)) return u.slice(-o.rows * o.n);
      const { size, step, at } = inputs(side, o);
      const [last, bits] = [side.zeros(size), side.zeros(streamWords(T * size))];
      const options = [step, step, o.reset, o.delayed, o.strict, RESET_VALUE] as const;
      const { lifForward } = side.k;
      lifForward(last, bits, at.current, at.beta, at.threshold, T, o.rows, o.n, 0, ...options);
      lifForward(at.current, bits, at.current, at.beta, at.threshold, T, o.rows, o.n, size, ...options);
      expect(side.read(at.current, T * size)).toEqual(u);
      expect(side.read(last, size)).toEqual(u.slice(-size));
      return u.slice(-size);
    });
  }
});

test("lif: values of β and θ that are shared, or equal and each neuron's own, give the same bits", () => {
  // So many neurons that two steps go over some columns at a time.
  const many = { ...PLAIN, rows: 2, n: 33000 };
  for (const { rows, n, reset, delayed } of [...EVERY.filter(({ perNeuron }) => perNeuron), many]) {
    compareSides((side) => {
      if (isNaive(side)) return [];
      const size = rows * n;
      const current = side.put(numbers(2 * size, 1, -0.5, 1.5));
      const beta = side.put(new Array(n).fill(0.875));
      const threshold = side.put(new Array(n).fill(0.75));
      const results = [0, 1].flatMap((stepBeta) =>
        [0, 1].map((stepThreshold) => {
          const [u, bits] = [side.zeros(2 * size), side.spikes(2 * size)];
          const steps = [2, rows, n, size, stepBeta, stepThreshold] as const;
          side.k.lifForward(u, bits, current, beta, threshold, ...steps, reset, delayed, 1, RESET_VALUE);
          return [...side.readSpikes(bits, 2 * size), ...side.read(u, 2 * size)];
        }),
      );
      for (const result of results) expect(result).toEqual(results[0]);
      return [];
    });
  }
});

test("lif: backward is the loop over neurons, in place of the gradient or, where that repeats, of the membrane", () => {
  for (const o of EVERY) {
    for (const kind of Object.values(SURROGATES)) {
      const slope = kind === TRIANGULAR ? 0.7 : 5;
      for (const repeats of [false, true]) {
        compareSides(
          (side) => {
            const { values, size, step, at } = inputs(side, o);
            const { u } = forward(side, o);
            const gradient = numbers(repeats ? size : T * size, 21);
            if (isNaive(side)) return naiveBackward(o, u, gradient, values, kind, slope);
            const [ds, membrane, carry] = [side.put(gradient), side.put(u), side.zeros(size)];
            const du = repeats ? membrane : ds;
            const steps = [T, o.rows, o.n, repeats ? 0 : size, step, step, o.reset === ZERO ? 1 : 0, o.strict] as const;
            side.k.lifBackward(du, ds, membrane, at.beta, at.threshold, carry, ...steps, kind, slope);
            return side.read(du, T * size);
          },
          { absolute: 1e-4, relative: 1e-4 },
        );
      }
    }
  }
});

function naiveBackward(
  { rows, n, reset, strict }: Options,
  u: number[],
  ds: number[],
  { beta, theta }: Parameters,
  kind: number,
  slope: number,
): number[] {
  const size = rows * n;
  const du = new Array<number>(T * size);
  for (let i = 0; i < size; i++) {
    const [b, threshold] = [ofNeuron(beta, i % n), ofNeuron(theta, i % n)];
    let next = 0;
    for (let t = T - 1; t >= 0; t--) {
      const x = u[t * size + i] as number;
      const through = reset === ZERO && fires(x, threshold, strict) ? 0 : b * next;
      const upstream = Math.fround(ds[(t * size + i) % ds.length] as number);
      next = surrogateDerivative(kind, slope, x - threshold) * upstream + through;
      du[t * size + i] = next;
    }
  }
  return du;
}

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
  for (const kind of [SIGMOID, ATAN]) {
    compareSides((side) => {
      if (isNaive(side)) return [];
      const { size, step, at } = inputs(side, PLAIN);
      const u = side.put(forward(side, PLAIN).u);
      const run = (together: number): number[] => {
        const g = side.put(numbers(T * size, 31));
        let next = side.zeros(size);
        for (let t = T - together; t >= 0; t -= together) {
          const to = g + 4 * t * size;
          const steps = [together, PLAIN.rows, PLAIN.n, size, step, step, 0, 0] as const;
          side.k.lifBackward(to, to, u + 4 * t * size, at.beta, at.threshold, next, ...steps, kind, 2);
          next = to;
        }
        return side.read(g, T * size);
      };
      expect(run(1)).toEqual(run(T));
      return [];
    });
  }
});
