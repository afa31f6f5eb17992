/** Ops that move values: where each goes, and that there and back gives the same values and the same gradients. */
import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import {
  concat,
  flip,
  pad,
  permute,
  reshape,
  split,
  stack,
  type Tensor,
  tape,
  tile,
  transpose,
  unbind,
} from "../../engine/index.ts";
import { bits } from "../support/tensors.ts";
import { floats, holds, offsetOf, place, placeOf, shapes, sizeOf, type Values, valuesFor } from "./support.ts";

/** A tensor, what comes back in its place, and a gradient for that. */
interface RoundTrip {
  readonly x: Values;
  readonly upstream: Values;
  readonly there: (x: Tensor) => Tensor;
}

const trips = (shape: Arbitrary<number[]>, way: (shape: readonly number[]) => Arbitrary<RoundTrip["there"]>) =>
  shape.chain((s) =>
    fc.record({ x: valuesFor(s, floats), upstream: valuesFor(s, floats), there: way(s) } as {
      [Name in keyof RoundTrip]: Arbitrary<RoundTrip[Name]>;
    }),
  );

function returns(name: string, cases: Arbitrary<RoundTrip>): void {
  test(`layout: ${name} gives back the bits, and the gradient with them`, () => {
    holds(cases, ({ x, upstream, there }) => {
      tape(() => {
        const leaf = place(x, true);
        const z = there(leaf);
        expect(z.shape).toEqual(x.shape);
        expect(bits(z)).toEqual(bits(leaf));
        const g = place(upstream);
        z.backward(g);
        // 0 + −0 is 0.
        expect(leaf.grad === null ? [] : Array.from(leaf.grad.data)).toEqual(Array.from(g.data, (d) => d + 0));
      });
    });
  });
}

const axisOf = (shape: readonly number[]) => fc.integer({ min: -shape.length, max: shape.length - 1 });

/** The sizes of neighbouring axes multiplied, which is a shape of the same size. */
const merged = (shape: readonly number[]) =>
  fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }).map((joined) =>
    shape.reduce<number[]>((result, n, axis) => {
      if (joined[axis] && result.length > 0) result.push((result.pop() as number) * n);
      else result.push(n);
      return result;
    }, []),
  );

const orders = (ndim: number) => {
  const axes = Array.from({ length: ndim }, (_, i) => i);
  return fc.shuffledSubarray(axes, { minLength: ndim, maxLength: ndim });
};

const inverse = (order: readonly number[]): number[] => order.map((_, axis) => order.indexOf(axis));

returns(
  "reshape and back",
  trips(shapes(), (shape) => merged(shape).map((other) => (x) => reshape(reshape(x, other), shape))),
);
returns(
  "permute and its inverse",
  trips(shapes(0, 6, 3), (shape) =>
    orders(shape.length).map((order) => (x) => permute(permute(x, order), inverse(order))),
  ),
);
returns(
  "transpose twice",
  trips(shapes(1), (shape) =>
    fc.tuple(axisOf(shape), axisOf(shape)).map(
      ([a, b]) =>
        (x) =>
          transpose(transpose(x, a, b), b, a),
    ),
  ),
);
returns(
  "flip twice",
  trips(shapes(), (shape) => fc.subarray(shape.map((_, axis) => axis)).map((axes) => (x) => flip(flip(x, axes), axes))),
);
returns(
  "concat of split",
  trips(shapes(1), (shape) =>
    fc.tuple(axisOf(shape), fc.integer({ min: 1, max: 4 })).map(
      ([axis, n]) =>
        (x) =>
          concat(split(x, n, axis), axis),
    ),
  ),
);
returns(
  "stack of unbind",
  trips(shapes(1), (shape) => axisOf(shape).map((axis) => (x) => stack(unbind(x, axis), axis))),
);
returns(
  "pad and the same cut off",
  trips(shapes(1), (shape) =>
    fc
      .array(fc.nat(3), { minLength: 2, maxLength: 2 * shape.length })
      .map((padding) => (padding.length % 2 === 0 ? padding : padding.slice(1)))
      .map(
        (padding) => (x) =>
          pad(
            pad(x, padding, 7),
            padding.map((n) => -n),
          ),
      ),
  ),
);

/** Where an op takes each element of its result from. */
function moves<A>(
  name: string,
  args: (shape: readonly number[]) => Arbitrary<A>,
  op: (x: Tensor, args: A) => Tensor,
  expected: (shape: readonly number[], args: A) => { shape: number[]; from: (to: readonly number[]) => number[] },
): void {
  const cases = shapes(1, 4, 3).chain((shape) => fc.record({ x: valuesFor(shape, floats), args: args(shape) }));
  test(`layout: ${name} takes each element from its place`, () => {
    holds(cases, ({ x, args }) => {
      tape(() => {
        const source = place(x);
        const z = op(source, args);
        const { shape, from } = expected(x.shape, args);
        expect(z.shape).toEqual(shape);
        const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
          return x.values[offsetOf(x.shape, from(placeOf(shape, i)))] as number;
        });
        expect(bits(z)).toEqual(bits(values));
      });
    });
  });
}

moves(
  "permute",
  (shape) => orders(shape.length),
  permute,
  (shape, order) => ({
    shape: order.map((axis) => shape[axis] as number),
    from: (to) => inverse(order).map((axis) => to[axis] as number),
  }),
);
moves(
  "flip",
  (shape) => fc.subarray(shape.map((_, axis) => axis)),
  flip,
  (shape, axes) => ({
    shape: [...shape],
    from: (to) => to.map((p, axis) => (axes.includes(axis) ? (shape[axis] as number) - 1 - p : p)),
  }),
);
moves(
  "tile",
  (shape) => fc.array(fc.integer({ min: 1, max: 3 }), { minLength: shape.length, maxLength: shape.length }),
  tile,
  (shape, times) => ({
    shape: shape.map((n, axis) => n * (times[axis] as number)),
    from: (to) => to.map((p, axis) => p % (shape[axis] as number)),
  }),
);
