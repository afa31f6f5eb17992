import { expect, test } from "vitest";
import { compareSides, numbers, type Side } from "../test/support/sides.ts";
import { ATAN, SIGMOID, SUBTRACT, TRIANGULAR } from "./kinds.ts";
import { RESETS, SURROGATES } from "./reference/kinds.ts";

const T = 7;

interface Options {
  rows: number;
  n: number;
  perNeuron: boolean;
  reset: number;
  delayed: number;
  strict: number;
  hold: number;
  rest: number;
  scale: number;
  constant: boolean;
  initial: boolean;
}

const PLAIN: Options = {
  rows: 2,
  n: 9,
  perNeuron: false,
  reset: SUBTRACT,
  delayed: 0,
  strict: 0,
  hold: 0,
  rest: 0,
  scale: 1,
  constant: false,
  initial: false,
};

/** Options that only the general kernels know. */
const general = (o: Options): boolean => o.hold > 0 || o.rest !== 0 || o.scale !== 1;

/** Words of a stream of n bits: kernels may read one more than they need. */
const streamWords = (n: number): number => Math.ceil(n / 32) + 1;

/** Runs the forward pass; u and s together. Thresholds are crossed often, never nearly. */
function forward(side: Side, o: Options) {
  const size = o.rows * o.n;
  const params = o.perNeuron ? o.n : 1;
  const arrays = {
    u: side.zeros(T * size),
    s: side.zeros(T * size),
    r: general(o) ? side.zeros(T * size) : 0,
    current: side.put(numbers(o.constant ? size : T * size, 11, -0.5, 1.5)),
    v0: o.initial ? side.put(numbers(size, 12, -1, 2)) : 0,
    r0: o.initial && o.hold > 0 ? side.put(numbers(size, 13, 0, o.hold + 1).map(Math.floor)) : 0,
    beta: side.put(numbers(params, 14, 0.5, 1)),
    threshold: side.put(numbers(params, 15, 0.8, 1.2)),
    step: o.perNeuron ? 1 : 0,
  };
  const { u, s, r, current, v0, r0, beta, threshold, step } = arrays;
  if (!general(o)) {
    const bits = side.zeros(streamWords(T * size));
    side.k.lifForward(
      u,
      bits,
      current,
      v0,
      beta,
      threshold,
      T,
      o.rows,
      o.n,
      size,
      o.constant ? 0 : size,
      step,
      step,
      o.reset,
      o.delayed,
      o.strict,
      -0.25,
      0,
    );
    side.k.unpackBits(s, bits, T * size);
    return arrays;
  }
  side.k.lifForwardAny(
    u,
    s,
    r,
    current,
    v0,
    r0,
    beta,
    threshold,
    T,
    o.rows,
    o.n,
    o.constant ? 0 : size,
    step,
    step,
    o.reset,
    o.delayed,
    o.strict,
    -0.25,
    o.rest,
    o.scale,
    o.hold,
    0,
  );
  return arrays;
}

function checkForward(o: Options) {
  compareSides((side) => {
    const { u, s, r } = forward(side, o);
    const size = T * o.rows * o.n;
    return [...side.read(u, size), ...side.read(s, size), ...(r === 0 ? [] : side.read(r, size))];
  });
}

const SHAPES = [
  { rows: 1, n: 1 },
  { rows: 1, n: 4 },
  { rows: 2, n: 7 },
  { rows: 3, n: 16 },
  { rows: 1, n: 1031 },
];

for (const reset of Object.values(RESETS)) {
  for (const delayed of [0, 1]) {
    test(`lif: forward agrees with the reference, reset ${reset}, delayed ${delayed}`, () => {
      for (const shape of SHAPES) {
        for (const perNeuron of [false, true]) {
          for (const initial of [false, true]) {
            const o = { ...PLAIN, ...shape, reset, delayed, perNeuron, initial };
            checkForward(o);
            checkForward({ ...o, strict: 1, constant: true });
            checkForward({ ...o, hold: 2 });
            checkForward({ ...o, rest: 0.3, scale: 0.5, hold: initial ? 1 : 0 });
          }
        }
      }
    });

    test(`lif: backward of every option agrees with the reference, reset ${reset}, delayed ${delayed}`, () => {
      for (const shape of SHAPES.slice(0, 4)) {
        for (const attached of [0, 1]) {
          for (const hold of [0, 2]) {
            const o = { ...PLAIN, ...shape, reset, delayed, hold, perNeuron: attached === 0, initial: true };
            compareSides(
              (side) => {
                const { u, r, v0, r0, beta, threshold, step } = forward(side, o);
                const size = o.rows * o.n;
                const g = side.put(numbers(T * size, 21));
                const dm = side.put(numbers(T * size, 22));
                const dv = side.put(numbers(T * size, 23));
                const [carry, dBeta, dThreshold, dv0] = [0, 1, 2, 3].map(() => side.zeros(size)) as [
                  number,
                  number,
                  number,
                  number,
                ];
                side.k.lifBackwardAny(
                  g,
                  u,
                  r,
                  v0,
                  r0,
                  beta,
                  threshold,
                  carry,
                  0,
                  0,
                  dm,
                  dv,
                  dBeta,
                  dThreshold,
                  dv0,
                  T,
                  o.rows,
                  o.n,
                  step,
                  step,
                  o.reset,
                  o.delayed,
                  o.strict,
                  -0.25,
                  0,
                  1,
                  hold,
                  attached,
                  ATAN,
                  2,
                  0,
                );
                return [g, dBeta, dThreshold, dv0].flatMap((p) => side.read(p, p === g ? T * size : size));
              },
              { absolute: 1e-4, relative: 1e-4 },
            );
          }
        }
      }
    });
  }

  test(`lif: the plain backward agrees with the reference, reset ${reset}`, () => {
    for (const shape of SHAPES) {
      for (const kind of Object.values(SURROGATES)) {
        for (const constant of [false, true]) {
          for (const repeats of [false, true]) {
            const o = {
              ...PLAIN,
              ...shape,
              reset,
              strict: kind === ATAN ? 1 : 0,
              perNeuron: kind === SIGMOID,
              constant,
            };
            compareSides(
              (side) => {
                const { u, beta, threshold, step } = forward(side, o);
                const size = o.rows * o.n;
                const ds = side.put(numbers(repeats ? size : T * size, 21));
                // In place over the gradient, or over the membrane where the gradient has one step only.
                const du = repeats ? u : ds;
                const carry = side.zeros(size);
                const total = constant ? side.put(numbers(size, 24)) : 0;
                side.k.lifBackward(
                  constant ? carry : du,
                  ds,
                  u,
                  0,
                  beta,
                  threshold,
                  carry,
                  total,
                  0,
                  0,
                  T,
                  o.rows,
                  o.n,
                  constant ? 0 : size,
                  repeats ? 0 : size,
                  size,
                  step,
                  step,
                  reset,
                  0,
                  o.strict,
                  0,
                  kind,
                  kind === TRIANGULAR ? 0.7 : 5,
                );
                return constant ? side.read(total, size) : side.read(du, T * size);
              },
              { absolute: 1e-4, relative: 1e-4 },
            );
          }
        }
      }
    }
  });
}

test("lif: the plain backward with the gradient of β agrees with the reference", () => {
  for (const reset of Object.values(RESETS)) {
    for (const delayed of [0, 1]) {
      for (const shape of [...SHAPES, { rows: 1, n: 2100 }]) {
        for (const initial of [false, true]) {
          const o = { ...PLAIN, ...shape, reset, delayed, initial, perNeuron: initial };
          const { rows, n } = shape;
          compareSides(
            (side) => {
              const { u, v0, beta, threshold, step } = forward(side, o);
              const size = rows * n;
              const ds = numbers(T * size, 21);
              const [du, carry] = [side.put(ds), side.zeros(size)];
              const [total, dBeta] = [side.put(numbers(size, 24)), side.put(numbers(size, 25))];
              const resets = [reset, delayed, 0, -0.25] as const;
              const steps = [T, rows, n, size, size, size, step, step] as const;
              side.k.lifBackward(du, du, u, v0, beta, threshold, carry, total, 0, dBeta, ...steps, ...resets, ATAN, 2);
              return [...side.read(du, T * size), ...[total, dBeta].flatMap((p) => side.read(p, size))];
            },
            { absolute: 1e-4, relative: 1e-4 },
          );
        }
      }
    }
  }
});

test("lif: values of β and θ that are shared, or equal and each neuron's own, give the same bits", () => {
  for (const reset of Object.values(RESETS)) {
    for (const delayed of [0, 1]) {
      // So many neurons that two steps go over some columns at a time.
      const many = reset === SUBTRACT && delayed === 0 ? [{ rows: 2, n: 33000 }] : [];
      for (const { rows, n } of [...SHAPES, { rows: 3, n: 33 }, ...many]) {
        compareSides((side) => {
          const size = rows * n;
          const current = side.put(numbers(2 * size, 1, -0.5, 1.5));
          const v0 = side.put(numbers(size, 2, -1, 2));
          const beta = side.put(new Array(n).fill(0.875));
          const threshold = side.put(new Array(n).fill(0.75));
          const words = streamWords(2 * size);
          const results = [0, 1].flatMap((stepBeta) =>
            [0, 1].map((stepThreshold) => {
              const [u, bits] = [side.zeros(2 * size), side.zeros(words)];
              const steps = [2, rows, n, size, size, stepBeta, stepThreshold] as const;
              side.k.lifForward(u, bits, current, v0, beta, threshold, ...steps, reset, delayed, 1, -0.25, 0);
              return [...side.readWords(bits, words - 1), ...side.read(u, 2 * size)];
            }),
          );
          for (const result of results) expect(result).toEqual(results[0]);
          return [];
        });
      }
    }
  }
});

test("lif: forward may forget the membrane of all steps but the last", () => {
  for (const reset of Object.values(RESETS)) {
    for (const delayed of [0, 1]) {
      for (const shape of SHAPES) {
        for (const [constant, perNeuron] of [
          [false, false],
          [true, false],
          [true, true],
        ] as const) {
          const o = { ...PLAIN, ...shape, reset, delayed, constant, perNeuron };
          compareSides(
            (side) => {
              const { u, current, beta, threshold, step } = forward(side, o);
              const { rows, n } = o;
              const size = rows * n;
              const stepCurrent = constant ? 0 : size;
              const last = side.zeros(size);
              const bits = side.zeros(streamWords(T * size));
              const { k } = side;
              k.lifForward(
                last,
                bits,
                current,
                0,
                beta,
                threshold,
                T,
                rows,
                n,
                0,
                stepCurrent,
                step,
                step,
                reset,
                delayed,
                0,
                -0.25,
                0,
              );
              const membrane = side.read(last, size);
              expect(membrane).toEqual(side.read(u, T * size).slice(-size));
              return membrane;
            },
            { absolute: 1e-4, relative: 1e-4 },
          );
        }
      }
    }
  }
});

test("lif: the plain and the general forward pass give the same bits", () => {
  for (const reset of Object.values(RESETS)) {
    for (const delayed of [0, 1]) {
      const size = 33;
      compareSides(
        (side) => {
          const [current, beta, threshold] = [side.put(numbers(T * size, 1)), side.put([0.9]), side.put([1])];
          const [u, v, s, z, r] = [0, 1, 2, 3, 4].map(() => side.zeros(T * size)) as [
            number,
            number,
            number,
            number,
            number,
          ];
          const bits = side.zeros(streamWords(T * size));
          const { lifForward, lifForwardAny, unpackBits } = side.k;
          lifForward(u, bits, current, 0, beta, threshold, T, 1, size, size, size, 0, 0, reset, delayed, 0, 0, 0);
          unpackBits(z, bits, T * size);
          lifForwardAny(
            v,
            s,
            r,
            current,
            0,
            0,
            beta,
            threshold,
            T,
            1,
            size,
            size,
            0,
            0,
            reset,
            delayed,
            0,
            0,
            0,
            1,
            0,
            0,
          );
          const plain = [...side.read(u, T * size), ...side.read(z, T * size)];
          const general = [...side.read(v, T * size), ...side.read(s, T * size)];
          return plain.map((value, i) => value - (general[i] as number));
        },
        { absolute: 0, relative: 0 },
      );
    }
  }
});

test("lif: one step after the other, resumed from the membrane, gives the bits of all at once", () => {
  for (const reset of Object.values(RESETS)) {
    for (const delayed of [0, 1]) {
      const [rows, n] = [2, 32];
      const size = rows * n;
      compareSides((side) => {
        const o = { ...PLAIN, rows, n, reset, delayed, perNeuron: true };
        const { u, s, current, beta, threshold } = forward(side, o);
        const v = side.zeros(T * size);
        const z = side.zeros(T * size);
        const bits = side.zeros((T * size) / 32 + 1);
        for (let t = 0; t < T; t++) {
          const [at, before] = [v + 4 * t * size, t === 0 ? 0 : v + 4 * (t - 1) * size];
          const to = bits + (4 * t * size) / 32;
          const from = current + 4 * t * size;
          const { k } = side;
          k.lifForward(
            at,
            to,
            from,
            before,
            beta,
            threshold,
            1,
            rows,
            n,
            0,
            0,
            1,
            1,
            reset,
            delayed,
            0,
            -0.25,
            t > 0 ? 1 : 0,
          );
        }
        side.k.unpackBits(z, bits, T * size);
        expect(side.read(v, T * size)).toEqual(side.read(u, T * size));
        expect(side.read(z, T * size)).toEqual(side.read(s, T * size));
        return [];
      });
    }
  }
});

test("lif: with every option too, forward and backward", () => {
  const [rows, n] = [2, 7];
  const size = rows * n;
  for (const reset of Object.values(RESETS)) {
    for (const delayed of [0, 1]) {
      for (const attached of [0, 1]) {
        compareSides((side) => {
          const o = { ...PLAIN, rows, n, reset, delayed, hold: 2, rest: 0.2, scale: 0.5 };
          const { u, s, r, current, beta, threshold } = forward(side, o);
          const [v, z, q] = [0, 1, 2].map(() => side.zeros(T * size)) as [number, number, number];
          const options = [reset, delayed, 0, -0.25, 0.2, 0.5, 2] as const;
          const at = (p: number, t: number): number => (t < 0 ? 0 : p + 4 * t * size);
          for (let t = 0; t < T; t++) {
            const before = [at(v, t - 1), at(q, t - 1)] as const;
            const [to, spikes, counters, from] = [at(v, t), at(z, t), at(q, t), at(current, t)];
            const { k } = side;
            k.lifForwardAny(to, spikes, counters, from, ...before, beta, threshold, 1, rows, n, 0, 0, 0, ...options, t);
          }
          for (const [steps, whole] of [[v, u] as const, [z, s] as const, [q, r] as const]) {
            expect(side.read(steps, T * size)).toEqual(side.read(whole, T * size));
          }
          /** Gradients towards current, β and θ, so many steps in a call. */
          const gradients = (together: number): number[] => {
            const g = side.put(numbers(T * size, 31));
            const [carry, dBeta, dThreshold] = [0, 1, 2].map(() => side.zeros(size)) as [number, number, number];
            for (let t = T - together; t >= 0; t -= together) {
              const first = [at(g, t), at(u, t), at(r, t), at(u, t - 1), at(r, t - 1), beta, threshold] as const;
              const outputs = [carry, 0, 0, 0, 0, dBeta, dThreshold, 0, together, rows, n, 0, 0] as const;
              side.k.lifBackwardAny(...first, ...outputs, ...options, attached, ATAN, 2, t);
            }
            return [g, dBeta, dThreshold].flatMap((p) => side.read(p, p === g ? T * size : size));
          };
          expect(gradients(1)).toEqual(gradients(T));
          return [];
        });
      }
    }
  }
});

test("lif: the state after the reset agrees with the reference", () => {
  for (const reset of Object.values(RESETS)) {
    compareSides((side) => {
      const { u, s, threshold, step } = forward(side, { ...PLAIN, reset, perNeuron: true });
      const v = side.zeros(T * 18);
      side.k.lifState(v, u, s, threshold, T * 2, 9, step, reset, -0.25);
      return side.read(v, T * 18);
    });
  }
});
