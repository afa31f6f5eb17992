/** Elementwise ops on random shapes that broadcast, against index arithmetic in plain JavaScript. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  add,
  div,
  eq,
  ge,
  gt,
  le,
  lt,
  maximum,
  minimum,
  mul,
  sub,
  type Tensor,
  tape,
  where,
} from "../../engine/index.ts";
import { floats, holds, offsetOf, place, placeOf, shapes, sizeOf, type Values, valuesFor, whole } from "./support.ts";

/** A shape that broadcasts to another: some axes have size 1, and some of the first ones are missing. */
const partOf = (shape: readonly number[]) =>
  fc
    .tuple(fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), fc.nat(shape.length))
    .map(([kept, missing]) => shape.map((n, axis) => (kept[axis] ? n : 1)).slice(missing));

/** n operands and the shape of the result. */
const operands = (n: number, of: typeof floats) =>
  shapes(0, 4).chain((shape) =>
    fc
      .tuple(...Array.from({ length: n }, () => partOf(shape).chain((part) => valuesFor(part, of))))
      .map((all) => ({ all, shape: broadcastOf(all.map((x) => x.shape)) })),
  );

function broadcastOf(parts: readonly (readonly number[])[]): number[] {
  const ndim = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: ndim }, (_, axis) =>
    Math.max(...parts.map((part) => part[axis - ndim + part.length] ?? 1)),
  );
}

/** The element of an operand that element i of the result reads. */
function readBy({ shape }: Values, result: readonly number[], i: number): number {
  const at = placeOf(result, i).slice(result.length - shape.length);
  return offsetOf(
    shape,
    at.map((p, axis) => (shape[axis] === 1 ? 0 : p)),
  );
}

type Op = (...operands: Tensor[]) => Tensor;
type Formula = (...values: number[]) => number;

/** One rounding to float32 of the exact result: the operations round the same when they compute in float64 first. */
const BINARY: Readonly<Record<string, [op: Op, formula: Formula]>> = {
  add: [add, (x, y) => Math.fround(x + y)],
  sub: [sub, (x, y) => Math.fround(x - y)],
  mul: [mul, (x, y) => Math.fround(x * y)],
  div: [div, (x, y) => Math.fround(x / y)],
  maximum: [maximum, Math.max],
  minimum: [minimum, Math.min],
  gt: [gt, (x, y) => Number(x > y)],
  ge: [ge, (x, y) => Number(x >= y)],
  lt: [lt, (x, y) => Number(x < y)],
  le: [le, (x, y) => Number(x <= y)],
  eq: [eq, (x, y) => Number(x === y)],
};
const ALL: typeof BINARY = { ...BINARY, where: [where, (c, x, y) => (c === 0 ? y : x)] };

for (const [name, [op, formula]] of Object.entries(ALL)) {
  test(`broadcasting: ${name} of any values is the one of the elements that meet`, () => {
    holds(operands(formula.length === 3 ? 3 : 2, floats), ({ all, shape }) => {
      tape(() => {
        const z = op(...all.map((x) => place(x)));
        expect(z.shape).toEqual(shape);
        const expected = Array.from({ length: sizeOf(shape) }, (_, i) =>
          formula(...all.map((x) => x.values[readBy(x, shape, i)] as number)),
        );
        // 0 and −0 are equal here: which one a maximum gives is open.
        expect(Array.from(z.data, (x) => x + 0)).toEqual(expected.map((x) => x + 0));
      });
    });
  });
}

/** ∂z/∂x and ∂z/∂y, exact for whole numbers. */
const SLOPES: Readonly<Record<string, [op: Op, dx: Formula, dy: Formula]>> = {
  add: [add, () => 1, () => 1],
  sub: [sub, () => 1, () => -1],
  mul: [mul, (_x, y) => y, (x) => x],
  maximum: [maximum, (x, y) => (x === y ? 0.5 : Number(x > y)), (x, y) => (x === y ? 0.5 : Number(y > x))],
};

for (const [name, [op, ...slopes]] of Object.entries(SLOPES)) {
  test(`broadcasting: gradients of ${name} are summed over what an element is repeated for`, () => {
    const cases = operands(2, whole).chain(({ all, shape }) =>
      whole(sizeOf(shape)).map((upstream) => ({ all, shape, upstream })),
    );
    holds(cases, ({ all, shape, upstream }) => {
      tape(() => {
        const leaves = all.map((x) => place(x, true));
        op(...leaves).backward(place({ shape, values: upstream }));
        all.forEach((x, which) => {
          const expected = x.values.map(() => 0);
          upstream.forEach((g, i) => {
            const values = all.map((y) => y.values[readBy(y, shape, i)] as number);
            const at = readBy(x, shape, i);
            expected[at] = (expected[at] as number) + g * (slopes[which] as Formula)(...values);
          });
          expect(Array.from(leaves[which]?.grad?.data ?? [], (d) => d + 0)).toEqual(expected.map((d) => d + 0));
        });
      });
    });
  });
}
