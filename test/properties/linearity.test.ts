/**
 * Products and convolutions are linear in each operand, and their backward passes are the transposed maps. With whole numbers
 * all of it is exact: nothing is compared up to a tolerance.
 */
import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { conv1d, conv2d, convTranspose2d, linear, matmul, type Tensor, tape } from "../../engine/index.ts";
import { holds, place, valuesFor, whole } from "./support.ts";

/** An op of two operands. */
interface Case {
  readonly op: (x: Tensor, w: Tensor) => Tensor;
  readonly x: readonly number[];
  readonly w: readonly number[];
}

const size = (max: number, min = 1) => fc.integer({ min, max });

/** Batch axes of both operands, which broadcast. */
const batches = fc.array(fc.tuple(size(3), fc.constantFrom("both", "left", "right")), { maxLength: 2 }).map((axes) => ({
  left: axes.map(([n, side]) => (side === "right" ? 1 : n)),
  right: axes.map(([n, side]) => (side === "left" ? 1 : n)),
}));

const products: Arbitrary<Case> = fc
  .record({ batch: batches, m: size(7), n: size(20), k: size(20), left1D: fc.boolean(), right1D: fc.boolean() })
  .map(({ batch, m, n, k, left1D, right1D }) => ({
    op: matmul,
    x: left1D ? [k] : [...batch.left, m, k],
    w: right1D ? [k] : [...batch.right, k, n],
  }));

const layers: Arbitrary<Case> = fc
  .record({ rows: fc.array(size(4), { maxLength: 3 }), inputs: size(40), outputs: size(20) })
  .map(({ rows, inputs, outputs }) => ({ op: linear, x: [...rows, inputs], w: [outputs, inputs] }));

/** A window along one axis, and the size of an image that it fits on. */
interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly size: number;
}

const windows: Arbitrary<Window> = fc
  .record({ kernel: size(3), stride: size(3), padding: size(2, 0), dilation: size(2), more: size(4, 0) })
  .map(({ more, ...w }) => ({ ...w, size: Math.max(1, w.dilation * (w.kernel - 1) + 1 - 2 * w.padding) + more }));

const maps = { batch: fc.array(size(3), { maxLength: 2 }), groups: size(2), channels: size(3), filters: size(3) };

const oneAxis: Arbitrary<Case> = fc
  .record({ ...maps, window: windows })
  .map(({ batch, groups, channels, filters, window: { kernel, size: length, stride, padding, dilation } }) => ({
    op: (x, w) => conv1d(x, w, null, { stride, padding, dilation, groups }),
    x: [...batch, groups * channels, length],
    w: [groups * filters, channels, kernel],
  }));

/** What both axes have. */
const pair = (y: Window, x: Window, name: keyof Window): [number, number] => [y[name], x[name]];

const twoAxes: Arbitrary<Case> = fc
  .record({ ...maps, y: windows, x: windows })
  .map(({ batch, groups, channels, filters, y, x: across }) => {
    const [stride, padding, dilation] = [
      pair(y, across, "stride"),
      pair(y, across, "padding"),
      pair(y, across, "dilation"),
    ];
    return {
      op: (x, w) => conv2d(x, w, null, { stride, padding, dilation, groups }),
      x: [...batch, groups * channels, y.size, across.size],
      w: [groups * filters, channels, y.kernel, across.kernel],
    };
  });

const transposed: Arbitrary<Case> = fc
  .record({ ...maps, y: windows, x: windows })
  .map(({ batch, groups, channels, filters, y, x: across }) => {
    // No more padding than what the images have without it.
    const least = (w: Window): number =>
      Math.min(w.padding, Math.floor(((w.size - 1) * w.stride + w.dilation * (w.kernel - 1)) / 2));
    const padding: [number, number] = [least(y), least(across)];
    const [stride, dilation] = [pair(y, across, "stride"), pair(y, across, "dilation")];
    return {
      op: (x, w) => convTranspose2d(x, w, null, { stride, padding, dilation, groups }),
      x: [...batch, groups * channels, y.size, across.size],
      w: [groups * channels, filters, y.kernel, across.kernel],
    };
  });

const CASES = { matmul: products, linear: layers, conv1d: oneAxis, conv2d: twoAxes, convTranspose2d: transposed };

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);

for (const [name, cases] of Object.entries(CASES)) {
  test(`linearity: ${name} of a sum of multiples is the sum of the multiples, in each operand`, () => {
    const filled = cases.chain(({ op, x, w }) =>
      fc
        .tuple(valuesFor(x, whole), valuesFor(x, whole), valuesFor(w, whole), valuesFor(w, whole), whole(2))
        .map(([x1, x2, w1, w2, factors]) => ({ op, x1, x2, w1, w2, factors: factors as [number, number] })),
    );
    holds(filled, ({ op, x1, x2, w1, w2, factors: [a, b] }) => {
      tape(() => {
        const combine = (p: Tensor, q: Tensor): Tensor => p.mul(a).add(q.mul(b));
        const values = (t: Tensor): number[] => Array.from(t.data, (v) => v + 0);
        const [x, y, v, w] = [x1, x2, w1, w2].map((t) => place(t)) as [Tensor, Tensor, Tensor, Tensor];
        expect(values(op(combine(x, y), w))).toEqual(values(combine(op(x, w), op(y, w))));
        expect(values(op(x, combine(v, w)))).toEqual(values(combine(op(x, v), op(x, w))));
      });
    });
  });

  test(`linearity: backward of ${name} is the transposed map in each operand: ⟨z, g⟩ = ⟨x, dx⟩ = ⟨w, dw⟩`, () => {
    const filled = cases.chain(({ op, x, w }) =>
      fc.record({ op: fc.constant(op), x: valuesFor(x, whole), w: valuesFor(w, whole), seed: fc.nat() }),
    );
    holds(filled, ({ op, x, w, seed }) => {
      tape(() => {
        const [left, right] = [place(x, true), place(w, true)];
        const z = op(left, right);
        const values = Array.from({ length: z.size }, (_, i) => (((i + seed) * 7) % 9) - 4);
        z.backward(place({ shape: z.shape, values }));
        const expected = dot(z.data, values);
        expect(dot(x.values, left.grad?.data ?? [])).toBe(expected);
        expect(dot(w.values, right.grad?.data ?? [])).toBe(expected);
      });
    });
  });
}
