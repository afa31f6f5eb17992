import { describe, expect, test } from "vitest";
import { compareSides, numbers, type Side } from "../test/support/sides.ts";
import { ATAN, BOXCAR, NO_RESET, SUBTRACT, TRIANGULAR } from "./kinds.ts";
import { reference } from "./reference/index.ts";
import { RESETS, SURROGATES } from "./reference/kinds.ts";

interface Options {
  T: number;
  rows: number;
  n: number;
  all: boolean;
  bias: boolean;
  perNeuron: boolean;
  reset: number;
  delayed: number;
  strict: number;
  kind: number;
  slope: number;
  /** Which kernels of neurons are to run. */
  general: boolean;
  hold: number;
  attached: number;
}

const PLAIN: Options = {
  T: 5,
  rows: 3,
  n: 9,
  all: true,
  bias: true,
  perNeuron: false,
  reset: SUBTRACT,
  delayed: 0,
  strict: 0,
  kind: ATAN,
  slope: 2,
  general: false,
  hold: 0,
  attached: 0,
};

/** Rest and scale of neurons with further options. */
const FURTHER = [0.2, 0.75] as const;

/** Weights, currents and neurons of which about a third fires. */
function layer(side: Side, { T, rows, n, all, bias, perNeuron }: Options) {
  const reach = 1 / Math.sqrt(n);
  const params = perNeuron ? n : 1;
  return {
    current: side.put(numbers(T * rows * n, 1, -1, 2)),
    weight: side.put(all ? numbers(n * n, 2, -reach, reach) : numbers(n, 2)),
    bias: bias ? side.put(numbers(n, 3, -0.5, 0.5)) : 0,
    beta: side.put(numbers(params, 4, 0.5, 1)),
    threshold: side.put(numbers(params, 5, 0.8, 1.2)),
    step: perNeuron ? 1 : 0,
  };
}

function forward(side: Side, o: Options): number[] {
  const { T, rows, n, all, reset, delayed, strict, general, hold } = o;
  const { current, weight, bias, beta, threshold, step } = layer(side, o);
  const words = Math.ceil((T * rows * n) / 32);
  const u = side.zeros(T * rows * n);
  const s = side.zeros(words + 1);
  const r = general ? side.zeros(T * rows * n) : 0;
  const work = side.zeros(n * (n + 32) + rows * (n + 36) + 64 + (general ? rows * n : 0));
  side.k.recurrentForward(
    u,
    s,
    r,
    current,
    weight,
    bias,
    beta,
    threshold,
    work,
    T,
    rows,
    n,
    all ? 1 : 0,
    step,
    step,
    reset,
    delayed,
    strict,
    -0.25,
    ...FURTHER,
    hold,
  );
  return [...side.readWords(s, words), ...side.read(u, T * rows * n), ...(r === 0 ? [] : side.read(r, T * rows * n))];
}

function backward(side: Side, o: Options): number[] {
  const { T, rows, n, all, reset, delayed, strict, kind, slope, general, hold, attached } = o;
  const { weight, beta, threshold, step } = layer(side, o);
  const size = rows * n;
  const du = side.put(numbers(T * size, 6));
  const u = side.put(numbers(T * size, 7, -1, 3));
  const r = hold > 0 ? side.put(numbers(T * size, 8, 0, hold + 1).map(Math.floor)) : 0;
  const carry = side.zeros(2 * size);
  const [dBeta, dThreshold] = [side.zeros(size), side.zeros(size)];
  side.k.recurrentBackward(
    du,
    u,
    weight,
    beta,
    threshold,
    carry,
    T,
    rows,
    n,
    all ? 1 : 0,
    step,
    step,
    reset,
    strict,
    kind,
    slope,
    general ? 1 : 0,
    r,
    0,
    dBeta,
    dThreshold,
    delayed,
    -0.25,
    ...FURTHER,
    hold,
    attached,
  );
  return [...side.read(du, T * size), ...side.read(dBeta, size), ...side.read(dThreshold, size)];
}

const TOLERANCE = { absolute: 2e-5, relative: 2e-5 };

function agrees(o: Partial<Options>): void {
  for (const run of [forward, backward]) compareSides((side) => run(side, { ...PLAIN, ...o }), TOLERANCE);
}

describe("recurrent: forward and backward agree with the reference", () => {
  test("at every length of a row", () => {
    for (const all of [true, false]) {
      for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 64, 101]) {
        for (const rows of [1, 2, 3]) agrees({ all, n, rows });
      }
    }
  });

  test("where W is larger than the workspace for panels", () => {
    agrees({ n: 259, rows: 2, T: 3 });
  });

  test("for one step, and for many", () => {
    for (const T of [1, 2, 40]) for (const all of [true, false]) agrees({ T, all, n: 33 });
  });

  test("where few neurons are within reach of a box or a triangle, and where most are", () => {
    for (const kind of [TRIANGULAR, BOXCAR]) {
      for (const slope of [0.05, 0.3, 3]) {
        for (const n of [3, 4, 36, 64])
          for (const perNeuron of [false, true]) {
            agrees({ kind, slope, n, perNeuron, T: 6 });
            agrees({ kind, slope, n, perNeuron, T: 6, general: true });
          }
      }
    }
  });

  test("for every surrogate", () => {
    for (const kind of Object.values(SURROGATES)) {
      for (const all of [true, false]) for (const general of [false, true]) agrees({ kind, all, general, n: 37 });
    }
  });

  test("for every kind of neuron", () => {
    for (const reset of Object.values(RESETS)) {
      for (const delayed of [0, 1]) {
        for (const strict of [0, 1]) {
          for (const perNeuron of [false, true]) agrees({ reset, delayed, strict, perNeuron, bias: perNeuron });
          for (const all of [true, false]) {
            for (const hold of [0, 2]) agrees({ reset, delayed, strict, all, hold, general: true, attached: hold / 2 });
          }
        }
      }
    }
  });
});

test("recurrent: the sum starts at the bias, takes the spikes in ascending order, and the current comes last", () => {
  compareSides((side) => {
    const n = 4;
    const [u, s] = [side.zeros(2 * n), side.zeros(2)];
    const [zero, one] = [side.put([0]), side.put([1])];
    const weight = side.put([2 ** 24, -(2 ** 24), 0.5, 0, ...Array(12).fill(0)]);
    const current = side.put([2, 2, 2, 2, 3, 0, 0, 0]);
    const bias = side.put([1, 0, 0, 0]);
    const work = side.zeros(n * (n + 32) + n + 100);
    side.k.recurrentForward(
      u,
      s,
      0,
      current,
      weight,
      bias,
      zero,
      one,
      work,
      2,
      1,
      n,
      1,
      0,
      0,
      NO_RESET,
      0,
      0,
      0,
      0,
      1,
      0,
    );
    // In float32 1 + 2²⁴ is 2²⁴: the bias is lost to the first term, what comes after the second one is not.
    expect(side.read(u + 4 * n, 1)).toEqual([side.k === reference ? 4.5 : 3.5]);
    return [];
  });
});
